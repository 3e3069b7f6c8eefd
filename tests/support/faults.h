/* A webhookd whose system calls fail on demand: tests/fault/preload_fault.c under the real
 * program. */
#ifndef WEBHOOKD_TESTS_SUPPORT_FAULTS_H
#define WEBHOOKD_TESTS_SUPPORT_FAULTS_H

#include "support/daemon.h"

struct faults {
    struct daemon daemon;
    struct daemon_options options;
    char rules[80];
    char *env[4];
};

/* Creates the folder and the configuration, with `runner` as lines of that section. Sets no rule
 * and starts nothing: call daemon_restart or daemon_start_fails. */
void faults_prepare(struct faults *faults, const char *runner);
void faults_finish(struct faults *faults);

/* Sets the only rule from now on; preload_fault.c describes its form. */
void faults_set_rule(struct faults *faults, const char *rule);
void faults_clear_rules(struct faults *faults);

#endif
