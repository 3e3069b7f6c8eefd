/* webhookctl's options and operands. Options stand before or behind operands; "--" ends them.
 * One thread. */
#ifndef WEBHOOKCTL_OPTIONS_H
#define WEBHOOKCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum option {
    OPTION_SOCKET,
    OPTION_JSON,
    OPTION_HELP,
    OPTION_PROGRAM_VERSION,
    OPTION_PROJECT,
    OPTION_CHECK,
    OPTION_STUB,
    OPTION_VERSION,
    OPTION_IF_MISSING,
    OPTION_FLEET,
    OPTION_STATUS,
    OPTION_LIMIT,
    OPTION_ATTEMPT,
    OPTION_FOLLOW,
    OPTION_BODY,
    OPTION_TIMEOUT,
    OPTION_COUNT,
};

struct options {
    const char *values[OPTION_COUNT]; /* NULL: not given; "" for one that takes no value */
    const char **operands;
    size_t operand_count;
};

/* 0, or -1 and *error. Values and operands are borrowed from argv; the last of an option that is
 * given twice wins. */
int options_parse(int argc, char **argv, struct options *options, struct error *error);
void options_free(struct options *options);

const char *options_name(enum option option); /* as it is typed: "--json" */

/* A whole number from low to high; absent leaves *number alone. 0, or -1 and *error. */
int options_number(const struct options *options, enum option option, int64_t low, int64_t high,
                   int64_t *number, struct error *error);

/* "90s", "1h30m", "250ms": whole numbers with ms, s, m, h or d; absent leaves *ms alone. 0, or -1
 * and *error. */
int options_duration(const struct options *options, enum option option, int64_t *ms,
                     struct error *error);

#endif
