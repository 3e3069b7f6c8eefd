/* Errors: what failed, on what, and what to do, for the layer that handles the failure. A function
 * that can fail takes a `struct error *` (never NULL) and returns -1 or NULL on failure. The first
 * error wins: setting an error that is already set changes nothing. Lower layers return errors and
 * do not log them. */
#ifndef WEBHOOKD_BASE_ERROR_H
#define WEBHOOKD_BASE_ERROR_H

#include <stdbool.h>

/* What the caller can do about it; the admin API turns it into a status code. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_INTERNAL,    /* a fault of webhookd or of the machine: 500 */
    ERROR_CONFIG,      /* a start cannot succeed with this configuration: exit status 78 */
    ERROR_INVALID,     /* the input is invalid; the message says how: 400 or 422 */
    ERROR_NOT_FOUND,   /* 404 */
    ERROR_CONFLICT,    /* the input is valid, but the state forbids it: 409 */
    ERROR_STALE,       /* judged by an outdated snapshot: judge again; finally 503 */
    ERROR_UNAVAILABLE, /* not possible now: a bound is reached, shutdown, no key: 503 */
    ERROR_FULL,        /* the disk is full; nothing has changed: 503 */
    ERROR_IO,          /* the disk failed; the change may or may not have been made: fail-stop */
};

struct error {
    enum error_kind kind;
    char message[500]; /* UTF-8, one line, no newline at the end */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        ERROR_NONE, ""                                                                             \
    }

/* Sets *error unless it is already set. Always returns -1, for `return error_set(…)`. */
int error_set(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, followed by ": " and the text of errnum, which also determines the kind: ENOSPC and
 * EDQUOT are ERROR_FULL, EIO is ERROR_IO, temporary shortages (EAGAIN, ENOMEM, EMFILE, ENFILE) are
 * ERROR_UNAVAILABLE, everything else is ERROR_INTERNAL. */
int error_set_errno(struct error *error, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the message. Does nothing if no error is set. */
void error_context(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether it is a shortage that may pass, so that the same call may succeed later. */
static inline bool error_may_pass(const struct error *error)
{
    return error->kind == ERROR_FULL || error->kind == ERROR_UNAVAILABLE;
}

static inline bool error_is_set(const struct error *error)
{
    return error->kind != ERROR_NONE;
}

void error_clear(struct error *error);

#endif
