/* Prints the API's objects as text for people, or as JSON. Called by the commands; the program has
 * one thread. */
#include "webhookctl/show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/memory.h"

#define NAME_WIDTH 12

/* JSON may contain unescaped characters that a terminal acts on (U+009B begins a control sequence).
 * The escaped form means the same to a JSON parser. */
int show_json(const json_t *value)
{
    size_t flags =
        JSON_INDENT(2) | JSON_ENCODE_ANY | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0);
    json_dumpf(value, stdout, flags);
    putchar('\n');
    return 0;
}

const char *show_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

long long show_integer(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

void show_cell(struct table *table, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value))
        table_take(table, memory_format("%lld", (long long)json_integer_value(value)));
    else if (json_is_boolean(value))
        table_add(table, json_is_true(value) ? "yes" : "no");
    else
        table_add(table, json_string_value(value));
}

void show_time_cell(struct table *table, const json_t *object, const char *key)
{
    table_take(table, show_time(show_text(object, key), false));
}

void show_duration_cell(struct table *table, const json_t *run)
{
    const char *started = show_text(run, "started_at"), *ended = show_text(run, "ended_at");
    char text[DURATION_TEXT_BYTES];
    int64_t from = 0, to = clock_wall_ms();
    if (!started || clock_parse(started, &from) != 0 || (ended && clock_parse(ended, &to) != 0))
        table_add(table, NULL);
    else
        table_add(table, duration_format_short(to - from, text));
}

char *show_time(const char *rfc3339, bool milliseconds)
{
    int64_t wall_ms = 0;
    struct tm local;
    char day[64], offset[16];
    if (!rfc3339)
        return NULL;
    if (clock_parse(rfc3339, &wall_ms) != 0)
        return memory_string(rfc3339);
    time_t seconds = (time_t)(wall_ms / 1000);
    if (!localtime_r(&seconds, &local) ||
        strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &local) == 0 ||
        strftime(offset, sizeof(offset), "%z", &local) != 5)
        return memory_string(rfc3339);
    char fraction[8] = "";
    if (milliseconds)
        snprintf(fraction, sizeof(fraction), ".%03d", (int)(wall_ms % 1000));
    return memory_format("%s%s%.3s:%s", day, fraction, offset, offset + 3);
}

char *show_fleet_path(const json_t *object)
{
    const char *org = show_text(object, "org_name"), *project = show_text(object, "project_name");
    const char *name = show_text(object, "fleet_name");
    if (!name)
        name = show_text(object, "name");
    return memory_format("%s/%s/%s", org ? org : "?", project ? project : "?", name ? name : "?");
}

int show_file(const json_t *version, struct error *error)
{
    const json_t *file = json_object_get(version, "file");
    if (!json_is_string(file))
        return error_set(error, ERROR_INTERNAL,
                         "this version has no file as text (--json shows its definition)");
    fwrite(json_string_value(file), 1, json_string_length(file), stdout);
    return 0;
}

void show_line(const char *name, const char *value)
{
    struct buffer safe = BUFFER_INIT;
    table_escape(&safe, value && value[0] != '\0' ? value : "-");
    printf("%-*s%s\n", NAME_WIDTH, name, buffer_text(&safe));
    buffer_free(&safe);
}

void show_line_take(const char *name, char *value)
{
    show_line(name, value);
    free(value);
}

void show_names(const char *name, const json_t *names)
{
    struct buffer text = BUFFER_INIT;
    for (size_t i = 0; i < json_array_size(names); i++)
        buffer_append_format(&text, "%s%s", i > 0 ? ", " : "",
                             json_string_value(json_array_get(names, i)));
    if (text.bytes > 0)
        show_line(name, buffer_text(&text));
    buffer_free(&text);
}

/* ---- lists ---- */

void show_rows(const struct show_listing *listing, const json_t *rows)
{
    struct table *table = table_new(listing->columns, listing->column_count);
    for (size_t i = 0; i < json_array_size(rows); i++)
        listing->add(table, json_array_get(rows, i));
    table_write(table, stdout);
    table_free(table);
}

int show_list(const struct show_listing *listing, bool as_json, json_t *data)
{
    if (!data)
        return -1;
    if (as_json)
        show_json(data);
    else
        show_rows(listing, json_object_get(data, listing->member));
    json_decref(data);
    return 0;
}
