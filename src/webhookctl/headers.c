/* The option --header. Called by runs.c; the program has one thread. */
#include "webhookctl/headers.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

#define BLANKS " \t"

static void append(json_t *headers, const char *name, const char *value)
{
    json_t *values = json_object_get(headers, name);
    if (!values) {
        values = json_array();
        if (json_object_set_new(headers, name, values) != 0)
            abort();
    }
    if (json_array_append_new(values, json_string(value)) != 0)
        abort();
}

/* Adds "NAME: VALUE", without the blanks around the value. webhookd checks both. Bytes that are not
 * UTF-8 are read as ISO-8859-1, as in a request. */
static int add(json_t *headers, const char *text, struct error *error)
{
    const char *colon = strchr(text, ':');
    if (!colon || colon == text)
        return error_set(error, ERROR_INVALID,
                         "--header must be a name, a colon and a value, such as \"X-Event: push\"");
    const char *start = colon + 1 + strspn(colon + 1, BLANKS);
    size_t bytes = strlen(start);
    while (bytes > 0 && strchr(BLANKS, start[bytes - 1]))
        bytes--;
    char *raw_name = memory_string_n(text, (size_t)(colon - text)), *name = utf8_from_any(raw_name);
    char *raw_value = memory_string_n(start, bytes), *value = utf8_from_any(raw_value);
    append(headers, name, value);
    free(value);
    free(raw_value);
    free(name);
    free(raw_name);
    return 0;
}

int headers_line(const struct options *options, char **line, struct error *error)
{
    *line = NULL;
    if (options->header_count == 0)
        return 0;
    int result = 0;
    json_t *headers = json_object();
    for (size_t i = 0; i < options->header_count && result == 0; i++)
        result = add(headers, options->headers[i], error);
    if (result == 0) {
        char *object = json_dumps(headers, JSON_COMPACT | JSON_ENSURE_ASCII);
        if (!object)
            abort();
        *line = memory_format("X-Webhookd-Headers: %s", object);
        free(object);
    }
    json_decref(headers);
    return result == 0 ? 0 : CTL_MISTAKE;
}
