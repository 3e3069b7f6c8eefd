/* Tables for people. Called by webhookctl's commands and, for table_escape, by all code that writes
 * a message; the program has one thread.
 *
 * Names, reasons and headers can come from strangers. They are escaped when a cell is added, so the
 * column widths are those of the escaped text. */
#include "webhookctl/table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/utf8.h"

#define COLUMN_GAP 2

struct table {
    const struct table_column *columns;
    size_t column_count;
    char **cells; /* row after row, escaped */
    size_t cell_count;
    size_t cell_room;
};

/* ---- text ---- */

/* Whether the character is invisible or makes the text around it look different from what it is. */
static bool misleads(uint32_t code_point)
{
    return code_point == 0x00ad || code_point == 0x061c || code_point == 0x180e ||
           (code_point >= 0x200b && code_point <= 0x200f) ||
           (code_point >= 0x2028 && code_point <= 0x202e) ||
           (code_point >= 0x2060 && code_point <= 0x206f) || code_point == 0xfeff;
}

static void escape_code_point(struct buffer *into, uint32_t code_point)
{
    switch (code_point) {
    case '\n':
        buffer_append_text(into, "\\n");
        break;
    case '\r':
        buffer_append_text(into, "\\r");
        break;
    case '\t':
        buffer_append_text(into, "\\t");
        break;
    default:
        buffer_append_format(into, code_point < 0x80 ? "\\x%02x" : "\\u%04x", code_point);
    }
}

void table_escape(struct buffer *into, const char *text)
{
    while (*text != '\0') {
        uint32_t code_point = 0;
        size_t bytes = utf8_decode(text, &code_point);
        if (bytes == 0) {
            buffer_append_format(into, "\\x%02x", (unsigned)(unsigned char)*text);
            bytes = 1;
        } else if (utf8_is_control(code_point) || misleads(code_point)) {
            escape_code_point(into, code_point);
        } else {
            buffer_append(into, text, bytes);
        }
        text += bytes;
    }
}

/* Returns how many columns of a terminal the text takes: wcwidth(3) if LC_CTYPE knows the
 * character, else one column for each. */
static size_t table_width(const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        uint32_t code_point = 0;
        size_t bytes = utf8_decode(text, &code_point);
        int columns = bytes > 0 ? wcwidth((wchar_t)code_point) : 1;
        width += columns < 0 ? 1 : (size_t)columns;
        text += bytes > 0 ? bytes : 1;
    }
    return width;
}

/* ---- the table ---- */

struct table *table_new(const struct table_column *columns, size_t count)
{
    assert(count > 0);
    struct table *table = memory_alloc(sizeof(*table));
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

void table_add(struct table *table, const char *text)
{
    if (table->cell_count == table->cell_room) {
        table->cell_room = table->cell_room ? 2 * table->cell_room : 64;
        table->cells = memory_array(table->cells, table->cell_room, sizeof(*table->cells));
    }
    struct buffer safe = BUFFER_INIT;
    table_escape(&safe, text && text[0] != '\0' ? text : "-");
    char *cell = safe.failed ? NULL : buffer_take(&safe);
    if (!cell)
        abort();
    table->cells[table->cell_count++] = cell;
}

void table_take(struct table *table, char *text)
{
    table_add(table, text);
    free(text);
}

static void write_spaces(FILE *file, size_t count)
{
    while (count-- > 0)
        putc(' ', file);
}

static void write_row(const struct table *table, char *const *cells, const size_t *widths,
                      FILE *file)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const char *text = cells ? cells[i] : table->columns[i].title;
        size_t padding = widths[i] - table_width(text);
        if (table->columns[i].align == TABLE_RIGHT)
            write_spaces(file, padding);
        fputs(text, file);
        if (i + 1 == table->column_count)
            break;
        write_spaces(file, COLUMN_GAP + (table->columns[i].align == TABLE_LEFT ? padding : 0));
    }
    putc('\n', file);
}

void table_write(const struct table *table, FILE *file)
{
    size_t rows = table->cell_count / table->column_count;
    size_t *widths = memory_array(NULL, table->column_count, sizeof(*widths));
    for (size_t i = 0; i < table->column_count; i++)
        widths[i] = table_width(table->columns[i].title);
    for (size_t i = 0; i < rows * table->column_count; i++) {
        size_t width = table_width(table->cells[i]);
        if (width > widths[i % table->column_count])
            widths[i % table->column_count] = width;
    }
    write_row(table, NULL, widths, file);
    for (size_t row = 0; row < rows; row++)
        write_row(table, table->cells + row * table->column_count, widths, file);
    free(widths);
}
