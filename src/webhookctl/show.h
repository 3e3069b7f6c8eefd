/* The API's objects as text for people, and as JSON. One thread. */
#ifndef WEBHOOKCTL_SHOW_H
#define WEBHOOKCTL_SHOW_H

#include <jansson.h>
#include <stdbool.h>

#include "webhookctl/table.h"

/* The value as JSON on stdout: always 0, for `return`. Takes nothing. */
int show_json(const json_t *value);

/* A member's text, borrowed; NULL if it is null, absent or no string. */
const char *show_text(const json_t *object, const char *key);
long long show_integer(const json_t *object, const char *key); /* 0 if it is none */

/* Adds the member as a cell: text, number, yes or no; "-" for null. */
void show_cell(struct table *table, const json_t *object, const char *key);
/* The same for a time: local, whole seconds, with offset. */
void show_time_cell(struct table *table, const json_t *object, const char *key);
/* How long a run or a vessel run took, or has taken so far. */
void show_duration_cell(struct table *table, const json_t *run);

/* How an array of objects is shown as a table, a line each. */
struct show_listing {
    const char *member; /* where the answer's data has the array */
    const struct table_column *columns;
    size_t column_count;
    void (*add)(struct table *table, const json_t *row); /* a cell for each column */
};
void show_rows(const struct show_listing *listing, const json_t *rows);
/* An answer's data, as it came or as the table of its listing. Takes data; 0, or -1 if it is NULL. */
int show_list(const struct show_listing *listing, bool as_json, json_t *data);

/* Each of these is the caller's to free. */
char *show_time(const char *rfc3339,
                bool milliseconds);          /* "2026-11-23T11:51:48+01:00"; NULL for NULL */
char *show_fleet_path(const json_t *object); /* "org/project/name" of a fleet or a webhook */

/* "Name      value" on stdout, escaped; "-" for NULL. */
void show_line(const char *name, const char *value);
void show_line_take(const char *name, char *value); /* and frees value */

#endif
