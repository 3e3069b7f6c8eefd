#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "unit/config_cases.h"

TEST(values_arrive_in_their_fields)
{
    struct config *config = accept("log_level = \"debug\" log_format = json min_free = 0\n"
                                   "hooks { listen = \"unix:/run/h.sock\" max_body = \"1GiB\"\n"
                                   "  answer_timeout = \"1m30s\" max_connections = 7\n"
                                   "  public_url = 'https://h.example/in/'\n"
                                   "  trusted_proxies = { \"10.0.0.0/8\", \"::1\" } }\n"
                                   "runner { enabled = false nice = 19 network = false\n"
                                   "  readable = { /srv/data } sandbox = \"off\" }\n"
                                   "retention { runs = \"1d12h\" }\n");
    ck_assert_int_eq(config->log_level, LOG_LEVEL_DEBUG);
    ck_assert_int_eq(config->log_format, LOG_FORMAT_JSON);
    ck_assert_int_eq(config->min_free_bytes, 0);
    ck_assert_str_eq(config->hooks.listen, "unix:/run/h.sock");
    ck_assert_int_eq(config->hooks.max_body_bytes, 1 << 30);
    ck_assert_int_eq(config->hooks.answer_timeout_ms, 90000);
    ck_assert_int_eq(config->hooks.max_connections, 7);
    ck_assert_str_eq(config->hooks.public_url, "https://h.example/in");
    ck_assert_uint_eq(config->hooks.trusted_proxies.count, 2);
    ck_assert_str_eq(config->hooks.trusted_proxies.items[0], "10.0.0.0/8");
    ck_assert_str_eq(config->hooks.trusted_proxies.items[1], "::1");
    ck_assert(!config->runner.enabled);
    ck_assert(!config->runner.network);
    ck_assert_int_eq(config->runner.nice, 19);
    ck_assert_uint_eq(config->runner.readable.count, 1);
    ck_assert_str_eq(config->runner.readable.items[0], "/srv/data");
    ck_assert_int_eq(config->runner.sandbox, CONFIG_SANDBOX_OFF);
    ck_assert_int_eq(config->retention.runs_ms, 36 * 3600000);
    config_release(config);
}

static int64_t max_output(const char *value)
{
    char *text = memory_format("runner { max_output = %s }", value);
    struct config *config = accept(text);
    int64_t bytes = config->runner.max_output_bytes;
    config_release(config);
    free(text);
    return bytes;
}

TEST(sizes_are_bytes_or_have_a_unit)
{
    ck_assert_int_eq(max_output("4096"), 4096);
    ck_assert_int_eq(max_output("\"4096\""), 4096);
    ck_assert_int_eq(max_output("\"3KiB\""), 3072);
    ck_assert_int_eq(max_output("2MiB"), 2 << 20);
    ck_assert_int_eq(max_output("\"16GiB\""), INT64_C(16) << 30);
    static const char *const bad[] = {"\"1MB\"",
                                      "\"1 MiB\"",
                                      "\"1.5MiB\"",
                                      "\"MiB\"",
                                      "\"1mib\"",
                                      "\"1MiB1KiB\"",
                                      "\"\"",
                                      "\"-1\"",
                                      "\"+1\"",
                                      "\"99999999999GiB\"",
                                      "\"0x1000\"",
                                      "\"4096 \"",
                                      "\"99999999999999999999999\""};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char *text = memory_format("\nrunner { max_output = %s }", bad[i]);
        assert_refused(text, "w.conf:2: runner.max_output: ", NULL);
        free(text);
    }
}

static int64_t body_timeout(const char *value)
{
    char *text = memory_format("hooks { body_timeout = %s }", value);
    struct config *config = accept(text);
    int64_t ms = config->hooks.body_timeout_ms;
    config_release(config);
    free(text);
    return ms;
}

TEST(durations_have_units_from_large_to_small)
{
    ck_assert_int_eq(body_timeout("\"250ms\""), 250);
    ck_assert_int_eq(body_timeout("2s"), 2000);
    ck_assert_int_eq(body_timeout("\"3m\""), 180000);
    ck_assert_int_eq(body_timeout("\"1h30m\""), 5400000);
    ck_assert_int_eq(body_timeout("\"1h0m5s7ms\""), 3605007);
    ck_assert_int_eq(body_timeout("\"1d\""), 86400000);
    struct config *config = accept("retention { runs = 0 } runner { stop_grace = \"0s\" }");
    ck_assert_int_eq(config->retention.runs_ms, 0);
    ck_assert_int_eq(config->runner.stop_grace_ms, 0);
    config_release(config);
    static const char *const bad[] = {"\"10\"",
                                      "\"1s1m\"",
                                      "\"1m1m\"",
                                      "\"s\"",
                                      "\"1sec\"",
                                      "\"\"",
                                      "\"-1s\"",
                                      "\"1 s\"",
                                      "\"1w\"",
                                      "\"1S\"",
                                      "\"1.5s\"",
                                      "\"99999999999999999d\"",
                                      "\"9223372036854775807ms1s\""};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char *text = memory_format("hooks {\n\nbody_timeout = %s }", bad[i]);
        assert_refused(text, "w.conf:3: hooks.body_timeout: ", NULL);
        free(text);
    }
}

/* Returns a value just outside the range: one more than the upper end or one less than the lower
 * end, in the unit in which that end is written. */
static char *beyond(const char *end, int step)
{
    char *unit = NULL;
    long long number = strtoll(end, &unit, 10);
    return memory_format("\"%lld%s\"", number + step, unit);
}

TEST(every_range_includes_its_ends_and_nothing_beyond)
{
    size_t ranges = 0;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key_info *info = &config_keys[i].info;
        char low[32], high[32];
        if (sscanf(info->range_text, "%31[0-9a-zA-Z] to %31[0-9a-zA-Z]", low, high) != 2)
            continue;
        ranges++;
        char *below = beyond(low, -1), *above = beyond(high, 1);
        char *texts[] = {setting(info, low), setting(info, high), setting(info, below),
                         setting(info, above)};
        assert_accepted(texts[0]);
        assert_accepted(texts[1]);
        char *begin = memory_format("w.conf:1: %s%s%s: ", info->section,
                                    info->section[0] ? "." : "", info->name);
        assert_refused(texts[2], begin, NULL);
        assert_refused(texts[3], begin, NULL);
        struct config_report report = {0};
        ck_assert_ptr_null(parse(texts[3], &report));
        ck_assert_msg(has_line(&report, info->range_text), "%s: no range", report.lines[0]);
        config_report_free(&report);
        for (size_t k = 0; k < ARRAY_COUNT(texts); k++)
            free(texts[k]);
        free(begin);
        free(below);
        free(above);
    }
    ck_assert_uint_eq(ranges, 22);
}

TEST(negative_numbers_and_other_booleans_are_refused)
{
    assert_refused("runner { nice = -1 }",
                   "w.conf:1: runner.nice: \"-1\" is out of range; allowed: 0 to 19", NULL);
    assert_refused("runner { nice = 99999999999999999999 }",
                   "w.conf:1: runner.nice: \"99999999999999999999\" is out of range;", NULL);
    assert_refused("runner { nice = -x }", "w.conf:1: runner.nice: \"-x\" is not a whole num",
                   NULL);
    assert_refused("runner { nice = \"\" }", "w.conf:1: runner.nice: ", NULL);
    assert_refused("runner { enabled = yes }",
                   "w.conf:1: runner.enabled: \"yes\" is not true or false", NULL);
    assert_refused("runner { enabled = True }", "w.conf:1: runner.enabled: ", NULL);
    assert_refused("log_level = \"verbose\"",
                   "w.conf:1: log_level: \"verbose\" is not one of error, warning, info, debug",
                   NULL);
    assert_refused("runner { sandbox = \"no\" }",
                   "w.conf:1: runner.sandbox: \"no\" is not one of strict, off", NULL);
}

static void try_values(const char *format, const char *const good[], const char *const bad[])
{
    for (size_t i = 0; good[i]; i++) {
        struct buffer text = BUFFER_INIT;
        buffer_append_text(&text, format);
        buffer_append_format(&text, "\"%s\" }", good[i]);
        assert_accepted(buffer_text(&text));
        buffer_free(&text);
    }
    for (size_t i = 0; bad[i]; i++) {
        struct buffer text = BUFFER_INIT;
        buffer_append_text(&text, format);
        buffer_append_format(&text, "\"%s\" }", bad[i]);
        assert_refused(buffer_text(&text), "w.conf:1: ", NULL);
        buffer_free(&text);
    }
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(listen_is_an_address_with_a_port_or_a_socket)
{
    try_values("hooks { listen = ",
               TEXTS("127.0.0.1:0", "0.0.0.0:65535", "[::]:8080", "[2001:db8::1]:1", "unix:/a/b"),
               TEXTS("", ":8080", "8080", "localhost:80", "127.0.0.1", "127.0.0.1:65536",
                     "127.0.0.1:-1", "127.0.0.1:", "127.0.0.1:1x", "1.2.3:80", "[::]",
                     "[::]:", "::1:80", "[1.2.3.4]:80", "[]:80", "[:80", "unix:", "unix:a",
                     "unix:/a/../b", "unix:/a/"));
    char path[200] = "/";
    memset(path + 1, 'x', 107);
    char *text = memory_format("hooks { listen = \"unix:%s\" }", path);
    assert_refused(text, "w.conf:1: hooks.listen: ", NULL);
    free(text);
    path[107] = '\0';
    text = memory_format("hooks { listen = \"unix:%s\" }", path);
    assert_accepted(text);
    free(text);
}

TEST(admin_listener_and_socket_may_be_empty)
{
    try_values("admin { listen = ", TEXTS("", "127.0.0.1:0"), TEXTS("x"));
    try_values("admin { socket = ", TEXTS("", "/s"), TEXTS("s", "/", "/a/"));
    try_values("admin { socket_group = ", TEXTS("", "adm", "web-hooks"), TEXTS("a b", "a:b", "-x"));
}

TEST(paths_and_programs_are_checked)
{
    try_values("runner { user = ", TEXTS("nobody", "www-data"), TEXTS("", "a b"));
    try_values("runner { bash = ", TEXTS("bash", "/bin/bash"), TEXTS("", "./bash", "bin/bash"));
    try_values("runner { path = ", TEXTS("/bin", "/bin:/usr/bin"),
               TEXTS("", "bin", "/bin:", ":/bin", "/bin::/x", "/bin:."));
    assert_refused(
        "runner { bash = ./bash }",
        "w.conf:1: runner.bash: \"./bash\" is neither a program's name without \"/\" nor an "
        "absolute path",
        NULL);
    assert_refused("runner { path = \"\" }",
                   "w.conf:1: runner.path: \"\" is not a list of absolute paths separated by \":\"",
                   NULL);
    assert_refused(
        "state_dir = \"var\"",
        "w.conf:1: state_dir: \"var\" is invalid: write an absolute path without \"..\", "
        "other than /",
        NULL);
    assert_refused("state_dir = \"\"", "w.conf:1: state_dir: ", NULL);
    assert_refused("state_dir = \"/\"", "w.conf:1: state_dir: ", NULL);
    assert_refused("state_dir = \"//./\"", "w.conf:1: state_dir: ", NULL);
    assert_refused("state_dir = \"/a/../b\"", "w.conf:1: state_dir: ", NULL);
    assert_refused("runner { readable = { \"/a\", \"b\" } }", "w.conf:1: runner.readable: \"b\"",
                   NULL);
    assert_refused("runner { writable = { \"\" } }", "w.conf:1: runner.writable: \"\"", NULL);
}

TEST(store_is_a_name_below_the_state_folder)
{
    assert_accepted("store = \"sqlite:db/main.db\"");
    static const char *const bad[] = {"",
                                      "webhookd.db",
                                      "sqlite:",
                                      "sqlite:/a.db",
                                      "sqlite:../a.db",
                                      "sqlite:a/../b",
                                      "sqlite:a//b",
                                      "sqlite:./a",
                                      "sqlite:a/",
                                      "postgres:x",
                                      "sqlite:lock",
                                      "sqlite:spool/x",
                                      "sqlite:secret.key",
                                      "sqlite:a?mode=memory"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char *text = memory_format("store = \"%s\"", bad[i]);
        assert_refused(text, "w.conf:1: store: ", NULL);
        free(text);
    }
}

TEST(networks_are_addresses_and_ranges)
{
    static const char *const bad[] = {"10.0.0.0/33",  "10.0.0/8",   "::/129", "10.0.0.0/",
                                      "10.0.0.0/-1",  "10.0.0.0/a", "a",      "",
                                      "10.0.0.0/8/8", "::1%lo"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char *text =
            memory_format("hooks { trusted_proxies = { \"127.0.0.1\",\n \"%s\" } }", bad[i]);
        assert_refused(text, "w.conf:2: hooks.trusted_proxies: ", NULL);
        free(text);
    }
    assert_accepted(
        "hooks { trusted_proxies = { \"0.0.0.0/0\", \"::/0\", \"::1/128\", \"1.2.3.4/32\" } }");
}

TEST(public_url_is_http_with_a_host)
{
    try_values("hooks { public_url = ",
               TEXTS("http://localhost", "https://h.example:8443/a/b/", "http://[::1]:80",
                     "HTTPS://H.example"),
               TEXTS("", "h.example", "ftp://h", "http://", "http:///a", "https://u@h",
                     "http://h/?q", "http://h/#f", "http://h /", "http://:80", "http://h\xc3\xa4"));
}

TEST(hosts_are_names_without_scheme_port_and_path)
{
    try_values("admin { public_url = ",
               TEXTS("", "https://console.example", "http://[::1]:80", "HTTPS://H.example/a/"),
               TEXTS("console.example", "ftp://h", "https://", "https://u@h", "https://h/?q"));
    static const char *const good[] = {"h", "console.example.com.", "a-b_c.example", "H"};
    static const char *const bad[] = {"", "h:80", "https://h", "h/x", "[::1]", ".h", "h h"};
    assert_accepted("admin { hosts = {} }");
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        char *text = memory_format("admin { hosts = { \"ok\", \"%s\" } }", good[i]);
        assert_accepted(text);
        free(text);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char *text = memory_format("admin { hosts = { \"ok\", \"%s\" } }", bad[i]);
        assert_refused(text, "w.conf:1: admin.hosts: ", NULL);
        free(text);
    }
}

TEST(long_values_arrive_whole)
{
    char name[3000];
    memset(name, 'x', sizeof(name) - 1);
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    char *text = memory_format("state_dir = \"%s\"", name);
    struct config *config = accept(text);
    ck_assert_str_eq(config->state_dir, name);
    config_release(config);
    free(text);
}
