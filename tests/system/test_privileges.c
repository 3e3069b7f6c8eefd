/* What webhookd gives up when it starts as root, and what vessels can still have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/api.h"
#include "support/suite.h"

/* CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, NET_BIND_SERVICE, SYS_ADMIN. */
#define KEPT 0x2004ebULL

/* Returns a number of /proc/PID/status. */
static unsigned long long status_of(pid_t pid, const char *name, int base)
{
    char path[64], line[256], *value = NULL;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (!value && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            value = line + strlen(name) + 1;
    ck_assert_ptr_nonnull(value);
    unsigned long long number = strtoull(value, NULL, base);
    fclose(file);
    return number;
}

static unsigned long long set_of(pid_t pid, const char *name)
{
    return status_of(pid, name, 16);
}

/* Returns what the script prints in a vessel of the fleet. Free it. */
static char *said_by_vessel(struct daemon *daemon, const char *fleet, const char *script)
{
    char *file = bash_fleet(fleet, script), *url = daemon_fleet(daemon, file);
    json_t *run = api_post_and_wait(daemon, url, "x");
    char *output = api_output(daemon, run, "main");
    ck_assert_msg(strcmp(api_text(run, "status"), "success") == 0, "%s", output);
    json_decref(run);
    free(url);
    free(file);
    return output;
}

/* Each of the daemon's threads, because each has capabilities of its own. */
static void assert_reduced(const struct daemon *daemon)
{
    char *command = memory_format("set -e; cd /proc/%d/task; test $(ls | wc -l) -gt 4; "
                                  "test $(cat */status | grep -E '^Cap(Prm|Eff|Inh)' | sort -u | "
                                  "wc -l) = 3",
                                  (int)daemon->pid);
    ck_assert_int_eq(system(command), 0);
    free(command);
    ck_assert_uint_eq(set_of(daemon->pid, "CapPrm"), KEPT & set_of(getpid(), "CapPrm"));
    ck_assert_uint_eq(set_of(daemon->pid, "CapEff"), KEPT & set_of(getpid(), "CapPrm"));
    ck_assert_uint_eq(set_of(daemon->pid, "CapInh") & ~KEPT, 0);
}

static bool is_root(void)
{
    if (geteuid() == 0)
        return true;
    test_skip("only root has capabilities to give up");
    return false;
}

TEST(with_isolated_vessels_webhookd_can_gain_no_capability_that_it_gave_up)
{
    struct daemon_options options = {.sandbox = "strict"};
    struct daemon daemon;
    if (!is_root())
        return;
    daemon_begin(&daemon, &options);
    assert_reduced(&daemon);
    ck_assert_uint_eq(set_of(daemon.pid, "CapBnd"), KEPT & set_of(getpid(), "CapBnd"));
    ck_assert_uint_eq(status_of(daemon.pid, "NoNewPrivs", 10), 1);

    char *said = said_by_vessel(&daemon, "Isolated",
                                "grep -E '^(CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs)' "
                                "/proc/self/status | tr -d ' \\t'\n");
    ck_assert_str_eq(said, "CapPrm:0000000000000000\nCapEff:0000000000000000\n"
                           "CapBnd:0000000000000000\nCapAmb:0000000000000000\nNoNewPrivs:1\n");
    free(said);
    daemon_finish(&daemon);
}

TEST(without_a_runner_webhookd_can_gain_no_capability_either)
{
    struct daemon_options options = {.runner = "enabled = false"};
    struct daemon daemon;
    if (!is_root())
        return;
    daemon_begin(&daemon, &options);
    assert_reduced(&daemon);
    ck_assert_uint_eq(set_of(daemon.pid, "CapBnd"), KEPT & set_of(getpid(), "CapBnd"));
    ck_assert_uint_eq(status_of(daemon.pid, "NoNewPrivs", 10), 1);
    daemon_finish(&daemon);
}

/* A fleet that administers the machine, as root or with sudo. */
TEST(a_vessel_without_a_sandbox_has_what_webhookd_was_started_with)
{
    struct daemon_options options = {
        .sandbox = "strict",
        .runner = "}\nfleet \"default/default/Admin\" {\nsandbox = \"off\"\nuser = \"root\"\n"};
    struct daemon daemon;
    char *own_bound, *expected;
    if (!is_root())
        return;
    daemon_begin(&daemon, &options);
    assert_reduced(&daemon);
    own_bound = memory_format("%016llx", set_of(getpid(), "CapBnd"));
    expected = memory_format("CapEff:%s\nCapBnd:%s\nNoNewPrivs:0\n", own_bound, own_bound);
    char *said = said_by_vessel(&daemon, "Admin",
                                "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status | "
                                "tr -d ' \\t'\n");
    ck_assert_str_eq(said, expected);
    free(said);
    free(expected);
    free(own_bound);
    daemon_finish(&daemon);
}
