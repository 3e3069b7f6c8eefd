/* The format of a log line. Called by log.c, on the thread that logs or on the log writer's. Values
 * can come from strangers (a request's Origin header, libmicrohttpd's messages about bytes that it
 * cannot parse) and from fleet files (the names of vessels): a character is copied only if it is
 * valid UTF-8 and not a control character, so that no value can end its line, forge another line or
 * move a cursor. */
#include "base/log_line.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Reserved for the text that closes a line that is cut. */
enum { TAIL_BYTES = 32 };

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static const char *const priorities[] = {
    [LOG_LEVEL_ERROR] = "<3>",
    [LOG_LEVEL_WARNING] = "<4>",
    [LOG_LEVEL_INFO] = "<6>",
    [LOG_LEVEL_DEBUG] = "<7>",
};

static void put_all(struct log_line *line, const char *data, size_t bytes)
{
    memcpy(line->data + line->bytes, data, bytes);
    line->bytes += bytes;
}

static size_t room_bytes(const struct log_line *line)
{
    size_t limit_bytes = sizeof(line->data) - TAIL_BYTES;
    return line->bytes < limit_bytes ? limit_bytes - line->bytes : 0;
}

/* Appends all of it or nothing. After the first piece that does not fit, appends nothing more. */
static void put(struct log_line *line, const char *data, size_t bytes)
{
    if (line->cut || bytes > room_bytes(line)) {
        line->cut = true;
        return;
    }
    put_all(line, data, bytes);
}

static void put_text(struct log_line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* For text that must be present even if the line is cut; counted in TAIL_BYTES. */
static void put_tail(struct log_line *line, const char *text)
{
    put_all(line, text, strlen(text));
}

static void put_bytes_escaped(struct log_line *line, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char escape[8];
        (void)snprintf(escape, sizeof(escape), "\\x%02x", (unsigned)(uint8_t)text[i]);
        put_text(line, escape);
    }
}

static void put_code_point_escaped(struct log_line *line, uint32_t code_point)
{
    char escape[8];
    (void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(code_point & 0xffff));
    put_text(line, escape);
}

static bool put_common_escape(struct log_line *line, uint32_t code_point)
{
    switch (code_point) {
    case '"':
        put_text(line, "\\\"");
        return true;
    case '\\':
        put_text(line, "\\\\");
        return true;
    case '\n':
        put_text(line, "\\n");
        return true;
    case '\r':
        put_text(line, "\\r");
        return true;
    case '\t':
        put_text(line, "\\t");
        return true;
    }
    return false;
}

/* Counts the leading characters that have no special meaning in quotes, between fields or to a
 * terminal. */
static size_t plain_bytes(const char *text)
{
    size_t bytes = 0;
    while (text[bytes] > ' ' && text[bytes] < 0x7f && text[bytes] != '"' && text[bytes] != '=' &&
           text[bytes] != '\\')
        bytes++;
    return bytes;
}

static void put_escaped(struct log_line *line, const char *text, enum log_format format)
{
    while (*text != '\0' && !line->cut) {
        size_t plain = plain_bytes(text);
        if (plain > 0) {
            size_t room = room_bytes(line);
            /* A value that is cut still shows how it begins. */
            size_t bytes = room > 0 && room < plain ? room : plain;
            put(line, text, bytes);
            text += bytes;
            continue;
        }
        uint32_t code_point;
        size_t bytes = utf8_decode(text, &code_point);
        size_t step = bytes > 0 ? bytes : 1;
        bool shown = bytes > 0 && !utf8_is_control(code_point);
        text += step;
        if (bytes > 0 && put_common_escape(line, code_point))
            continue;
        if (shown)
            put(line, text - step, step);
        else if (format == LOG_FORMAT_TEXT)
            put_bytes_escaped(line, text - step, step);
        else
            put_code_point_escaped(line, bytes > 0 ? code_point : 0xfffd);
    }
}

static bool needs_quotes(const char *text)
{
    if (*text == '\0')
        return true;
    while (*(text += plain_bytes(text)) != '\0') {
        uint32_t code_point;
        size_t bytes = utf8_decode(text, &code_point);
        if (bytes == 0 || utf8_is_control(code_point) || strchr(" \"=\\", *text))
            return true;
        text += bytes;
    }
    return false;
}

static void put_quoted(struct log_line *line, const char *text, enum log_format format)
{
    put_text(line, "\"");
    if (line->cut)
        return;
    put_escaped(line, text, format);
    put_tail(line, "\"");
}

static void put_string(struct log_line *line, const char *text, enum log_format format)
{
    if (format == LOG_FORMAT_TEXT && !needs_quotes(text))
        put_escaped(line, text, format);
    else
        put_quoted(line, text, format);
}

static bool is_left_out(const struct log_field *field)
{
    return (field->type == LOG_VALUE_TEXT && !field->text) ||
           (field->type == LOG_VALUE_ID && !field->id);
}

/* A name without room for even a short value after it would leave invalid JSON, so it is not
 * written. */
static bool has_room_for_name(struct log_line *line, const char *name)
{
    if (strlen(name) + ID_TEXT_BYTES + 8 > room_bytes(line))
        line->cut = true;
    return !line->cut;
}

/* Every request's line contains several integers, so this avoids the cost of printf. */
static void put_int(struct log_line *line, int64_t number)
{
    char text[24];
    char *from = text + sizeof(text);
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        *--from = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        *--from = '-';
    put(line, from, (size_t)(text + sizeof(text) - from));
}

static void put_field(struct log_line *line, const struct log_field *field, enum log_format format)
{
    if (is_left_out(field) || line->cut || !has_room_for_name(line, field->name))
        return;
    put_text(line, format == LOG_FORMAT_TEXT ? " " : ",\"");
    put_text(line, field->name);
    put_text(line, format == LOG_FORMAT_TEXT ? "=" : "\":");

    char text[ID_TEXT_BYTES];
    switch (field->type) {
    case LOG_VALUE_TEXT:
        put_string(line, field->text, format);
        break;
    case LOG_VALUE_INT:
        put_int(line, field->number);
        break;
    case LOG_VALUE_ID:
        if (format == LOG_FORMAT_TEXT)
            put(line, id_format(field->id, text), ID_TEXT_BYTES - 1);
        else
            put_string(line, id_format(field->id, text), format);
        break;
    }
}

void log_line_format(struct log_line *line, const struct log_event *event, enum log_format format,
                     bool with_priority)
{
    line->bytes = 0;
    line->cut = false;
    if (with_priority)
        put_text(line, priorities[event->level]);
    if (format == LOG_FORMAT_TEXT) {
        put_text(line, level_names[event->level]);
        put_text(line, ": ");
        put_escaped(line, event->name, format);
    } else {
        char time[CLOCK_TEXT_BYTES];
        put_text(line, "{\"time\":\"");
        put_text(line, clock_format_ms(event->wall_ms, time));
        put_text(line, "\",\"level\":\"");
        put_text(line, level_names[event->level]);
        put_text(line, "\",\"event\":");
        put_quoted(line, event->name, format);
    }
    for (int i = 0; i < event->count; i++)
        put_field(line, &event->fields[i], format);
    if (line->cut)
        put_tail(line, format == LOG_FORMAT_TEXT ? " cut=true" : ",\"cut\":true");
    put_tail(line, format == LOG_FORMAT_TEXT ? "\n" : "}\n");
}
