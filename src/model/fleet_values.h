/* Checks single values of a fleet file: numbers, file names, names of variables, and placeholders
 * of the reference platform. Pure. */
#ifndef WEBHOOKD_MODEL_FLEET_VALUES_H
#define WEBHOOKD_MODEL_FLEET_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "model/definition.h"

/* The kernel's MAX_ARG_STRLEN: the longest argument or "NAME=value", including its NUL
 * (execve(2)). */
#define FLEET_VALUES_MAX_EXEC_STRING (128u << 10)

/* The bound of a vessel's arguments and environment, including the pointers to them. execve(2)
 * allows 2 MiB with the usual stack limit, and webhookd's own variables need room. */
#define FLEET_VALUES_MAX_EXEC_BYTES (1u << 20)
/* What one of them counts. */
size_t fleet_values_argument_bytes(const char *argument);
size_t fleet_values_variable_bytes(const struct environment_entry *variable);

#define VALUE_MAX_DIGITS 9 /* of a number */
#define VALUE_MAX_NUMBER 999999999

/* Reads a number of at most VALUE_MAX_DIGITS decimal digits. Returns 0, or -1 if the text is
 * anything else. */
int fleet_values_number(const char *text, int *number);

/* The following return NULL if the value is valid, otherwise a message that says which rule it
 * breaks. */

/* A path must be relative, without empty, "." or ".." components. */
const char *fleet_values_path_problem(const char *path);
/* Checks the name of an environment variable. */
const char *fleet_values_variable_problem(const char *name);
/* Whether programs read the variable to decide which code they run. A fleet file may hand it out by
 * naming it; neither an override nor an input may. */
bool fleet_values_is_guarded(const char *name);
/* A value must not be SHIPYARD_HIDDEN. */
const char *fleet_values_placeholder_problem(const char *text);
/* Whether the text stands for a hidden value. */
bool fleet_values_is_hidden(const char *text);

#endif
