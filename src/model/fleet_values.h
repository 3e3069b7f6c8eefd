/* The forms that single values of a fleet file take: numbers, file names, what only the reference
 * platform knows. */
#ifndef WEBHOOKD_MODEL_FLEET_VALUES_H
#define WEBHOOKD_MODEL_FLEET_VALUES_H

/* The kernel's MAX_ARG_STRLEN: no argument and no "NAME=value" may be longer, counting the NUL (execve(2)). */
#define FLEET_VALUES_MAX_EXEC_STRING (128u << 10)

#define VALUE_MAX_DIGITS 9 /* of a number */

/* Decimal digits, at most VALUE_MAX_DIGITS. 0 or -1. */
int fleet_values_number(const char *text, int *number);

/* NULL if the value can be used, else what is wrong with it. */
const char *
fleet_values_path_problem(const char *path); /* relative, no empty, "." or ".." components */
const char *
fleet_values_variable_problem(const char *name); /* the name of an environment variable */
const char *fleet_values_placeholder_problem(const char *text); /* #{GROUP.ITEM}, SHIPYARD_HIDDEN */

#endif
