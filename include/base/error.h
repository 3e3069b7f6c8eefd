/* What went wrong, for the layer that decides: what failed, on what, and what follows.
 * A function that can fail takes a `struct error *` (never NULL) and returns -1 or NULL.
 * The first error wins: setting a set error changes nothing. Lower layers return, they don't log. */
#ifndef WEBHOOKD_BASE_ERROR_H
#define WEBHOOKD_BASE_ERROR_H

#include <stdbool.h>

/* What the caller can do about it; the admin API turns it into a status code. */
enum error_kind {
    ERROR_NONE = 0,
    ERROR_INTERNAL,    /* our fault or the machine's: 500 */
    ERROR_INVALID,     /* the input is wrong, and the message says how: 400 or 422 */
    ERROR_NOT_FOUND,   /* 404 */
    ERROR_CONFLICT,    /* the input is fine, the state forbids it: 409 */
    ERROR_STALE,       /* judged by what has changed since: judge again; in the end 503 */
    ERROR_UNAVAILABLE, /* not now: a bound is reached, shutting down, no key: 503 */
    ERROR_FULL,        /* the disk is full; nothing was changed: 503 */
    ERROR_IO,          /* the disk failed; what was asked for may or may not be there: fail-stop */
};

struct error {
    enum error_kind kind;
    char message[500]; /* UTF-8, one line, no newline at the end */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        ERROR_NONE, ""                                                                             \
    }

/* Sets *error unless it is set already. Always returns -1, so that `return error_set(…)` reads well. */
int error_set(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with ": " and the text of errnum behind it. ENOSPC and EDQUOT become ERROR_FULL, EIO becomes ERROR_IO, what is short for a
 * while (EAGAIN, ENOMEM, EMFILE, ENFILE) ERROR_UNAVAILABLE, everything else ERROR_INTERNAL. */
int error_set_errno(struct error *error, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the message; nothing if no error is set. */
void error_context(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Is it a shortage that may pass, so that the same thing may be tried again? */
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
