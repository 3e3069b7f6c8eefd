/* The structured log: one line per event on stderr. A thread of its own writes the lines, which
 * reach it through a bounded ring. A stuck stderr therefore costs lines (counted, and reported when
 * it moves again) but never blocks a request.
 *
 *     log_info("run accepted", log_id("run", &id), log_int("bytes", n));
 *     → info: run accepted run=0198… bytes=300     (text; prefixed by <6> if stderr is the journal)
 *     → {"time":"…","level":"info","event":"run accepted","run":"0198…","bytes":300}   (json)
 * Text values that are empty or contain a space, a quote, '=', a backslash, a control character or
 * invalid UTF-8 are quoted and escaped, so no value can forge a line. Never log a token, a key or a
 * body (invariant 7). Before log_start and after log_stop, lines are written immediately by the
 * caller. */
#ifndef WEBHOOKD_BASE_LOG_H
#define WEBHOOKD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
    const char *name;
    enum { LOG_VALUE_TEXT, LOG_VALUE_INT, LOG_VALUE_ID } type;
    const char *text; /* NULL: the field is left out */
    int64_t number;
    const struct id *id;
};

static inline struct log_field log_text(const char *name, const char *value)
{
    return (struct log_field){.name = name, .type = LOG_VALUE_TEXT, .text = value};
}
static inline struct log_field log_int(const char *name, int64_t value)
{
    return (struct log_field){.name = name, .type = LOG_VALUE_INT, .number = value};
}
static inline struct log_field log_id(const char *name, const struct id *value)
{
    return (struct log_field){.name = name, .type = LOG_VALUE_ID, .id = value};
}
static inline struct log_field log_why(const struct error *error)
{
    return log_text("error", error->message);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, int count);

#define LOG_FIELDS(...)                                                                            \
    (const struct log_field[])                                                                     \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define LOG_AT(level, event, ...)                                                                  \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_write(level, event, LOG_FIELDS(__VA_ARGS__),                                       \
                      (int)(sizeof(LOG_FIELDS(__VA_ARGS__)) / sizeof(struct log_field)));          \
    } while (0)

/* Each takes the event and at least one field. */
#define log_error(event, ...)   LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) LOG_AT(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_info(event, ...)    LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)   LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

/* Any thread; the settings are atomic. */
bool log_enabled(enum log_level level);
void log_set_level(enum log_level level);
void log_set_format(enum log_format format);

/* Starts and ends the writer thread. log_stop first writes the lines in the ring; if stderr is
 * stuck, it waits for one second at most. */
int log_start(struct error *error);
void log_stop(void);
uint64_t log_lost_lines(void); /* since the start, for the metrics */

#endif
