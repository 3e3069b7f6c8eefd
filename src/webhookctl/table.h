/* Tables for people: aligned columns, and text of unknown origin shown so that it cannot act on
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

/* The next cell, row by row, left to right. NULL and "" are shown as "-". */
void table_add(struct table *table, const char *text);
void table_take(struct table *table, char *text); /* the same, and frees text */

/* The titles and all whole rows, two spaces between columns, nothing behind the last. */
void table_write(const struct table *table, FILE *file);

/* Appends the text with everything that a terminal would act on instead of showing (control
 * characters, line ends, marks that turn the direction of writing, marks without a width) and
 * what is no UTF-8 as \n, \x1b, \u202e. */
void table_escape(struct buffer *into, const char *text);

#endif
