/* Statements: prepared once per connection, begun with their values, stepped and ended. Every
 * function runs on the thread that uses the connection.
 *
 *     static struct statement list = {.sql = "SELECT name FROM fleet WHERE project_no = ?1"};
 *     sqlite3_stmt *s = statement_begin(store, &list, error, project_no);
 *     while (statement_step(store, s, "list fleets", error))
 *         … column_text(s, 0) …
 *     return statement_end(s);
 *
 * One check for errors, at the end, is enough: if statement_begin fails, it returns NULL, and the
 * other statement_ functions fail when they are given NULL. */
#ifndef WEBHOOKD_STORE_SQLITE_STATEMENT_H
#define WEBHOOKD_STORE_SQLITE_STATEMENT_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/secret.h"

struct store;

/* One statement of the program: static, and shared by all threads. Each connection prepares it at
 * its first use, and keeps it until the connection is closed. */
struct statement {
    const char *sql;
    atomic_int index; /* in the array of each connection; 0 = not used yet */
};

/* ---- Values: for the parameters ?1, ?2, … in this order, at most 18 ----
 *
 * The type of a value determines how it is bound: an integer of any width, an enum or a bool as an
 * integer, a `char *` as the text up to its NUL, a `struct id *` as a blob, and a NULL pointer as
 * NULL. For other values, use value_hash(hash), value_blob(data, bytes), value_text(text, bytes) or
 * value_null(). Text and bytes are borrowed until statement_end.
 *
 * This uses _Generic instead of a format string ("ibt"), which would be as short, but the compiler
 * would detect neither a wrong letter nor an int that is read as an int64_t. Here, a value of a
 * type that is not listed does not compile. A wrong number of values fails an assert. */

struct statement_value {
    enum { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_BLOB, VALUE_END } type;
    union {
        int64_t number;
        struct {
            const void *data;
            size_t bytes;
        };
    };
};

static inline struct statement_value value_null(void)
{
    return (struct statement_value){.type = VALUE_NULL};
}

static inline struct statement_value value_int(int64_t number)
{
    return (struct statement_value){.type = VALUE_INT, .number = number};
}

static inline struct statement_value value_text(const char *text, size_t bytes)
{
    return (struct statement_value){.type = VALUE_TEXT, .data = text, .bytes = bytes};
}

static inline struct statement_value value_string(const char *text)
{
    return value_text(text, text ? strlen(text) : 0);
}

static inline struct statement_value value_blob(const void *data, size_t bytes)
{
    return (struct statement_value){.type = VALUE_BLOB, .data = data, .bytes = bytes};
}

static inline struct statement_value value_hash(const uint8_t hash[SECRET_HASH_BYTES])
{
    return value_blob(hash, SECRET_HASH_BYTES);
}

static inline struct statement_value value_id(const struct id *id)
{
    return value_blob(id, sizeof(*id));
}

static inline struct statement_value value_itself(struct statement_value value)
{
    return value;
}

/* clang-format off */
#define STATEMENT_VALUE(x) _Generic((x),                                                           \
    bool: value_int, int: value_int, unsigned: value_int, long: value_int, long long: value_int,   \
    unsigned long: value_int, unsigned long long: value_int,                                       \
    char *: value_string, const char *: value_string,                                              \
    struct id *: value_id, const struct id *: value_id,                                            \
    struct statement_value: value_itself)(x),

#define STATEMENT_VALUES_0()
#define STATEMENT_VALUES_1(x)       STATEMENT_VALUE(x)
#define STATEMENT_VALUES_2(x, ...)  STATEMENT_VALUE(x) STATEMENT_VALUES_1(__VA_ARGS__)
#define STATEMENT_VALUES_3(x, ...)  STATEMENT_VALUE(x) STATEMENT_VALUES_2(__VA_ARGS__)
#define STATEMENT_VALUES_4(x, ...)  STATEMENT_VALUE(x) STATEMENT_VALUES_3(__VA_ARGS__)
#define STATEMENT_VALUES_5(x, ...)  STATEMENT_VALUE(x) STATEMENT_VALUES_4(__VA_ARGS__)
#define STATEMENT_VALUES_6(x, ...)  STATEMENT_VALUE(x) STATEMENT_VALUES_5(__VA_ARGS__)
#define STATEMENT_VALUES_7(x, ...)  STATEMENT_VALUE(x) STATEMENT_VALUES_6(__VA_ARGS__)
#define STATEMENT_VALUES_8(x, ...)  STATEMENT_VALUE(x) STATEMENT_VALUES_7(__VA_ARGS__)
#define STATEMENT_VALUES_9(x, ...)  STATEMENT_VALUE(x) STATEMENT_VALUES_8(__VA_ARGS__)
#define STATEMENT_VALUES_10(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_9(__VA_ARGS__)
#define STATEMENT_VALUES_11(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_10(__VA_ARGS__)
#define STATEMENT_VALUES_12(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_11(__VA_ARGS__)
#define STATEMENT_VALUES_13(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_12(__VA_ARGS__)
#define STATEMENT_VALUES_14(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_13(__VA_ARGS__)
#define STATEMENT_VALUES_15(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_14(__VA_ARGS__)
#define STATEMENT_VALUES_16(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_15(__VA_ARGS__)
#define STATEMENT_VALUES_17(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_16(__VA_ARGS__)
#define STATEMENT_VALUES_18(x, ...) STATEMENT_VALUE(x) STATEMENT_VALUES_17(__VA_ARGS__)
#define STATEMENT_PICK(_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16,  \
                       _17, _18, n, ...) STATEMENT_VALUES_##n
#define STATEMENT_VALUES(...)                                                                      \
    STATEMENT_PICK(__VA_ARGS__, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
/* clang-format on */

/* sqlite3_stmt *statement_begin(struct store *, struct statement *, struct error *, values …);
 *
 * Returns the statement with its values bound, or NULL. The statement must not be in use: a
 * callback must not call the function that called it. */
#define statement_begin(store, statement, error, ...)                                              \
    statement_begin_with(store, statement, error,                                                  \
                         (const struct statement_value[]){                                         \
                             STATEMENT_VALUES(0, ##__VA_ARGS__)(__VA_ARGS__){.type = VALUE_END}})
sqlite3_stmt *statement_begin_with(struct store *store, struct statement *statement,
                                   struct error *error, const struct statement_value *values);

/* ---- Row by row ---- */

/* Moves to the next row. Returns false if there is none, or on error ("cannot <what>: …"). */
bool statement_step(struct store *store, sqlite3_stmt *statement, const char *what,
                    struct error *error);
/* Ends the statement at any row. Returns -1 if the statement or its statement_begin failed. */
int statement_end(sqlite3_stmt *statement);

/* Columns are counted from 0. Text and bytes are borrowed until the next step. */
static inline struct id column_id(sqlite3_stmt *statement, int place)
{
    struct id id = {{0}};
    const void *data = sqlite3_column_blob(statement, place);
    if (data && sqlite3_column_bytes(statement, place) == (int)sizeof(id.bytes))
        memcpy(id.bytes, data, sizeof(id.bytes));
    return id;
}

static inline int64_t column_int(sqlite3_stmt *statement, int place)
{
    return sqlite3_column_int64(statement, place);
}

/* Never returns NULL. */
static inline const char *column_text(sqlite3_stmt *statement, int place)
{
    const unsigned char *text = sqlite3_column_text(statement, place);
    return text ? (const char *)text : "";
}

/* ---- In one call: each of these also ends the statement ---- */

/* Reads the first column of the only row. Returns 1, 0 if there is no row, or -1 on error. */
int statement_find(struct store *store, sqlite3_stmt *statement, const char *what, int64_t *value,
                   struct error *error);
/* Runs a statement that returns no rows. */
int statement_run(struct store *store, sqlite3_stmt *statement, const char *what,
                  struct error *error);
/* Runs a statement that changes one row. Returns 1, 0 if there is no such row, or -1 on error. */
int statement_change(struct store *store, sqlite3_stmt *statement, const char *what,
                     struct error *error);
/* Runs an INSERT. If such a row already exists, sets ERROR_CONFLICT with the message `conflict`. */
int statement_insert(struct store *store, sqlite3_stmt *statement, const char *what,
                     const char *conflict, struct error *error);

/* ---- Failures ---- */

/* Sets *error to the connection's last error: "cannot <what>: …". Always returns -1. */
int statement_failed(sqlite3 *db, const char *what, struct error *error);
/* Returns the kind of error for an SQLite code; errnum is the system's error behind it, or 0. */
enum error_kind statement_error_kind(int extended_code, int errnum);

#endif
