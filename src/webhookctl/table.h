/* Tables for people: aligned columns, and text of unknown origin escaped so that it cannot affect
 * the terminal. One thread. */
#ifndef WEBHOOKCTL_TABLE_H
#define WEBHOOKCTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/buffer.h"

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *title;
    enum table_align align;
};

struct table;

/* The columns are borrowed until table_free. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table); /* NULL is fine */

/* Adds the next cell, row by row, left to right. NULL and "" are shown as "-". */
void table_add(struct table *table, const char *text);
void table_take(struct table *table, char *text); /* the same, and frees text */

/* Writes the titles and all complete rows: two spaces between columns, none after the last. */
void table_write(const struct table *table, FILE *file);

/* Appends the text. Escapes, as in \n, \x1b or \u202e, invalid UTF-8 and all characters on which a
 * terminal would act instead of showing them: control characters, line ends, marks that change the
 * direction of writing, marks without a width. */
void table_escape(struct buffer *into, const char *text);

#endif
