/* A webhookd whose system calls fail when a test says so: tests/fault/preload_fault.c under the real program. */
#ifndef WEBHOOKD_TESTS_SUPPORT_FAULTS_H
#define WEBHOOKD_TESTS_SUPPORT_FAULTS_H

#include "support/daemon.h"

struct faults {
    struct daemon daemon;
    struct daemon_options options;
    char rules[80];
    char *env[4];
};

/* Makes the folder and the configuration, with `runner` as lines of that section; no rule yet, and nothing is started: daemon_restart or
 * daemon_start_fails does that. */
void faults_prepare(struct faults *faults, const char *runner);
void faults_finish(struct faults *faults);

/* The only rule from now on (preload_fault.c has the form). */
void faults_set_rule(struct faults *faults, const char *rule);
void faults_clear_rules(struct faults *faults);

#endif
