/* webhookctl's options and operands. Options may come before or after operands; "--" ends them. One
 * thread. */
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
    OPTION_HEADER,
    OPTION_TIMEOUT,
    OPTION_WHO,
    OPTION_ACTION,
    OPTION_SINCE,
    OPTION_FILE,
    OPTION_FORCE,
    OPTION_MISSING_CREDENTIALS,
    OPTION_STRICT,
    OPTION_ROLE,
    OPTION_ORG,
    OPTION_EXPIRES,
    OPTION_OVERRIDES,
    OPTION_IDEMPOTENCY_KEY,
    OPTION_WAIT,
    OPTION_ALL,
    OPTION_COUNT,
};

struct options {
    const char *values[OPTION_COUNT]; /* NULL: not given; "": given, and takes no value */
    const char **headers;             /* all values of --header, in order */
    size_t header_count;
    const char **operands;
    size_t operand_count;
};

/* Returns 0, or -1 and *error. Values and operands are borrowed from argv. If an option other
 * than --header is given twice, the last one counts. */
int options_parse(int argc, char **argv, struct options *options, struct error *error);
void options_free(struct options *options);

const char *options_name(enum option option); /* as typed: "--json" */

/* Reads a whole number from low to high; leaves *number unchanged if the option is not given.
 * Returns 0, or -1 and *error. */
int options_number(const struct options *options, enum option option, int64_t low, int64_t high,
                   int64_t *number, struct error *error);

/* Reads a duration such as "90s", "1h30m" or "250ms": whole numbers with ms, s, m, h or d. Leaves
 * *ms unchanged if the option is not given. Returns 0, or -1 and *error. */
int options_duration(const struct options *options, enum option option, int64_t *ms,
                     struct error *error);

/* Reads a time: RFC 3339, or a duration before now_ms, such as "24h" or "7d". Times are wall clock.
 * Leaves *wall_ms unchanged if the option is not given. Returns 0, or -1 and *error. */
int options_since(const struct options *options, enum option option, int64_t now_ms,
                  int64_t *wall_ms, struct error *error);

#endif
