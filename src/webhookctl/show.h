/* Prints the API's objects as text for people, or as JSON. One thread. */
#ifndef WEBHOOKCTL_SHOW_H
#define WEBHOOKCTL_SHOW_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "webhookctl/table.h"

/* Prints the value as JSON on stdout, without taking ownership. Always returns 0, for `return`. */
int show_json(const json_t *value);

/* Returns a member's text, borrowed; NULL if the member is absent or not a string. */
const char *show_text(const json_t *object, const char *key);
long long show_integer(const json_t *object, const char *key); /* 0 if it is not an integer */

/* Adds the member as a cell: text, number, yes or no; "-" for null. */
void show_cell(struct table *table, const json_t *object, const char *key);
/* The same for a time: local, whole seconds, with offset. */
void show_time_cell(struct table *table, const json_t *object, const char *key);
/* Adds how long a run or a vessel run took, or has taken so far. */
void show_duration_cell(struct table *table, const json_t *run);

/* How an array of objects is shown as a table, with one line for each object. */
struct show_listing {
    const char *member; /* the member of the answer's data that holds the array */
    const struct table_column *columns;
    size_t column_count;
    void (*add)(struct table *table, const json_t *row); /* adds a cell for each column */
};
void show_rows(const struct show_listing *listing, const json_t *rows);
/* Prints an answer's data as JSON or as the listing's table. Takes ownership of data. Returns 0, or
 * -1 if data is NULL. */
int show_list(const struct show_listing *listing, bool as_json, json_t *data);

/* Returns local time with its offset, "2026-11-23T11:51:48+01:00"; NULL for NULL. Free it. */
char *show_time(const char *rfc3339, bool milliseconds);
/* Returns "org/project/name" of a fleet or a webhook. Free it. */
char *show_fleet_path(const json_t *object);

/* Prints the file of a version as it was applied, byte for byte except for hidden values, so that
 * it can be changed and applied again. Returns 0, or -1 and *error. */
int show_file(const json_t *version, struct error *error);

/* Prints "Name      value" on stdout, escaped; "-" for NULL or "". */
void show_line(const char *name, const char *value);
void show_line_take(const char *name, char *value); /* the same, and frees value */
/* Prints the list of texts on such a line, or nothing if it is NULL or empty. */
void show_names(const char *name, const json_t *names);

#endif
