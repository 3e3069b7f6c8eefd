/* See faults.h. */
#include "support/faults.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

void faults_prepare(struct faults *faults, const char *runner)
{
    struct daemon_options *options = &faults->options;
    options->runner = runner;
    daemon_prepare(&faults->daemon, options);
    snprintf(faults->rules, sizeof(faults->rules), "%s/rules", faults->daemon.folder);
    char *library = daemon_program("tests/fault/preload_fault.so");
    const char *asan = getenv("ASAN_OPTIONS");
    faults->env[0] = memory_format("LD_PRELOAD=%s", library);
    faults->env[1] = memory_format("FAULT_RULES=%s", faults->rules);
    faults->env[2] = memory_format("ASAN_OPTIONS=%s%sverify_asan_link_order=0", asan ? asan : "",
                                   asan ? ":" : ""); /* for a build with sanitizers */
    options->env = (const char *const *)faults->env;
    daemon_configure(&faults->daemon, options);
    free(library);
}

void faults_finish(struct faults *faults)
{
    daemon_finish(&faults->daemon);
    for (int i = 0; faults->env[i]; i++)
        free(faults->env[i]);
}

void faults_set_rule(struct faults *faults, const char *rule)
{
    char *path = daemon_write_file(&faults->daemon, "rules.tmp", rule, strlen(rule));
    ck_assert_int_eq(rename(path, faults->rules), 0);
    free(path);
}

void faults_clear_rules(struct faults *faults)
{
    ck_assert_int_eq(unlink(faults->rules), 0);
}
