/* Which hosts the admin API expects. */
#include "admin/host.h"

#include "base/memory.h"
#include "support/suite.h"

static char name[] = "console.internal", dotted[] = "Other.example.";
static char *names[] = {name, dotted};
static char url[] = "https://Console.example.com:8443/in";

static void assert_each(const char *const hosts[], const struct config *config, bool expected)
{
    for (size_t i = 0; hosts[i]; i++)
        ck_assert_msg(host_is_expected(hosts[i], "builder", config) == expected, "\"%s\"",
                      hosts[i]);
}

#define HOSTS(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(addresses_localhost_and_the_machines_name_are_always_expected)
{
    char none[] = "";
    const struct config config = {.admin = {.public_url = none}};
    assert_each(HOSTS("127.0.0.1", "127.0.0.1:8081", "192.0.2.7:80", "[::1]", "[2001:db8::1]:8081",
                      "localhost", "localhost:8081", "LocalHost", "localhost.", "localhost.:8081",
                      "builder", "Builder:8081", "builder.", ""),
                &config, true);
}

TEST(names_that_nobody_expects_are_not)
{
    char none[] = "";
    const struct config config = {.admin = {.public_url = none}};
    assert_each(HOSTS("evil.example", "evil.example:8081", "localhost.evil.example",
                      "evil.localhost", "builder.evil.example", "127.0.0.1.evil.example",
                      "127.0.0.1.evil", "1.2.3.4.5", "127.1", "0x7f.0.0.1", "2130706433",
                      "localhost..", "local", ".", ":8081", "console.example.com"),
                &config, false);
}

TEST(names_of_the_configuration_are_expected)
{
    const struct config config = {.admin = {.public_url = url, .hosts = {names, 2}}};
    assert_each(HOSTS("console.example.com", "CONSOLE.example.com:443", "console.example.com.",
                      "console.internal", "Console.Internal:8081", "other.example",
                      "other.example.:80"),
                &config, true);
    assert_each(HOSTS("example.com", "x.console.example.com", "console.example.co",
                      "other.example.x", "console"),
                &config, false);
}

TEST(no_machine_name_matches_nothing)
{
    char none[] = "";
    const struct config config = {.admin = {.public_url = none}};
    ck_assert(!host_is_expected("evil.example", "", &config));
    ck_assert(!host_is_expected(".", "", &config));
}
