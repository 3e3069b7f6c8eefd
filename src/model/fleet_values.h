/* The forms that single values of a fleet file take: numbers, durations, exit codes, file names, what only the reference platform knows. */
#ifndef WEBHOOKD_MODEL_FLEET_VALUES_H
#define WEBHOOKD_MODEL_FLEET_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's MAX_ARG_STRLEN: no argument and no "NAME=value" may be longer, counting the NUL (execve(2)). */
#define FLEET_VALUES_MAX_EXEC_STRING (128u << 10)

/* Decimal digits, at most nine. 0 or -1. */
int fleet_values_number(const char *text, int *number);
/* 1h2m3s: each unit at most once, in this order. 0 or -1. */
int fleet_values_duration_ms(const char *text, int64_t *ms);
/* N or N-M, 0 to 255: sets those places to true. 0 or -1. */
int fleet_values_exit_codes(const char *text, bool codes[256]);

/* NULL if the value can be used, else what is wrong with it. */
const char *
fleet_values_path_problem(const char *path); /* relative, no empty, "." or ".." components */
const char *
fleet_values_variable_problem(const char *name); /* the name of an environment variable */
const char *fleet_values_placeholder_problem(const char *text); /* #{GROUP.ITEM}, SHIPYARD_HIDDEN */

#endif
