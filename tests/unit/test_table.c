/* webhookctl's tables and their treatment of hostile text. The program's own folder is not in the
 * library, so the test includes the source file. */
#include "webhookctl/table.c"

#include <locale.h>

#include "support/suite.h"

static const struct table_column columns[] = {{"NAME", TABLE_LEFT}, {"N", TABLE_RIGHT}};
#define COLUMNS ARRAY_COUNT(columns)

/* Returns what table_write writes. Free it. */
static char *written(const struct table *table)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    ck_assert_ptr_nonnull(file);
    table_write(table, file);
    ck_assert_int_eq(fclose(file), 0);
    return text;
}

static void assert_escapes(const char *text, const char *expected)
{
    struct buffer safe = BUFFER_INIT;
    table_escape(&safe, text);
    ck_assert_str_eq(buffer_text(&safe), expected);
    buffer_free(&safe);
}

TEST(columns_are_as_wide_as_their_widest_cell)
{
    struct table *table = table_new(columns, COLUMNS);
    table_add(table, "a");
    table_add(table, "1000");
    table_add(table, "longer name");
    table_add(table, "7");
    char *text = written(table);
    ck_assert_str_eq(text, "NAME            N\n"
                           "a            1000\n"
                           "longer name     7\n");
    free(text);
    table_free(table);
}

TEST(no_line_ends_in_spaces)
{
    static const struct table_column left[] = {{"A", TABLE_LEFT}, {"LAST", TABLE_LEFT}};
    struct table *table = table_new(left, ARRAY_COUNT(left));
    table_add(table, "x");
    table_add(table, "y");
    char *text = written(table);
    ck_assert_str_eq(text, "A  LAST\nx  y\n");
    free(text);
    table_free(table);
}

TEST(absent_and_empty_cells_are_dashes)
{
    struct table *table = table_new(columns, COLUMNS);
    table_add(table, NULL);
    table_add(table, "");
    char *text = written(table);
    ck_assert_str_eq(text, "NAME  N\n-     -\n");
    free(text);
    table_free(table);
}

TEST(table_without_rows_has_only_its_titles)
{
    struct table *table = table_new(columns, COLUMNS);
    char *text = written(table);
    ck_assert_str_eq(text, "NAME  N\n");
    free(text);
    table_free(table);
}

TEST(incomplete_row_is_not_written)
{
    struct table *table = table_new(columns, COLUMNS);
    table_add(table, "a");
    table_add(table, "1");
    table_add(table, "a much longer name");
    char *text = written(table);
    ck_assert_str_eq(text, "NAME  N\na     1\n");
    free(text);
    table_free(table);
}

TEST(many_rows_are_all_written)
{
    struct table *table = table_new(columns, COLUMNS);
    for (int i = 0; i < 1000; i++) {
        table_add(table, "row");
        table_take(table, memory_format("%d", i));
    }
    char *text = written(table);
    size_t lines = 0;
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    ck_assert_uint_eq(lines, 1001);
    ck_assert_ptr_nonnull(strstr(text, "\nrow   999\n"));
    free(text);
    table_free(table);
}

TEST(widths_count_characters_not_bytes)
{
    struct table *table = table_new(columns, COLUMNS);
    table_add(table, "Grüße");
    table_add(table, "1");
    table_add(table, "abcdef");
    table_add(table, "2");
    char *text = written(table);
    ck_assert_str_eq(text, "NAME    N\n"
                           "Grüße   1\n"
                           "abcdef  2\n");
    free(text);
    table_free(table);
}

TEST(wide_and_combining_characters_take_the_columns_that_a_terminal_gives_them)
{
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        test_skip("the locale C.UTF-8 is missing");
        return;
    }
    ck_assert_uint_eq(table_width("日本"), 4);
    ck_assert_uint_eq(table_width("e\xcc\x81"), 1);
}

TEST(harmless_text_stays_unchanged)
{
    assert_escapes("", "");
    assert_escapes("plain text, \"quotes\" and \\ too", "plain text, \"quotes\" and \\ too");
    assert_escapes("Grüße 日本 🚢", "Grüße 日本 🚢");
}

TEST(control_characters_cannot_reach_a_terminal)
{
    assert_escapes("a\nb\rc\td", "a\\nb\\rc\\td");
    assert_escapes("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07");
    assert_escapes("\x7f", "\\x7f");
    assert_escapes("\xc2\x9b", "\\u009b"); /* CSI as one character */
}

TEST(characters_that_reverse_or_hide_text_are_escaped)
{
    assert_escapes("a\xe2\x80\xae"
                   "b",
                   "a\\u202eb");
    assert_escapes("\xe2\x81\xa6", "\\u2066");
    assert_escapes("\xe2\x80\x8b", "\\u200b");
    assert_escapes("\xe2\x80\xa8", "\\u2028");
    assert_escapes("\xef\xbb\xbf", "\\ufeff");
}

TEST(bytes_that_are_not_utf8_are_escaped_one_by_one)
{
    assert_escapes("\xff\xfe", "\\xff\\xfe");
    assert_escapes("\xc3", "\\xc3");
    assert_escapes("\xe6\x97", "\\xe6\\x97");
    assert_escapes("\xc0\xaf", "\\xc0\\xaf");          /* an overlong slash */
    assert_escapes("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* half of a surrogate pair */
}

TEST(cells_are_escaped_before_they_are_measured)
{
    struct table *table = table_new(columns, COLUMNS);
    table_add(table, "a\x1b");
    table_add(table, "1");
    char *text = written(table);
    ck_assert_str_eq(text, "NAME   N\na\\x1b  1\n");
    free(text);
    table_free(table);
}
