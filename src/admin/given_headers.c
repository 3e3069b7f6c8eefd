/* See given_headers.h. Called by run_start.c. */
#include "admin/given_headers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "http/field.h"

/* These belong to a connection or to one transfer (RFC 9110 section 7.6.1, RFC 9112 section 6) and
 * say nothing about a run. Host is not among a run's headers. */
static const char *const forbidden[] = {"Connection", "Content-Length",   "Host",
                                        "Keep-Alive", "Proxy-Connection", "TE",
                                        "Trailer",    "Upgrade",          "Transfer-Encoding"};

/* ---- the object ---- */

static int check_name(const char *name, struct error *error)
{
    if (!http_is_token(name, strlen(name)))
        return error_set(error, ERROR_INVALID,
                         "a name in " GIVEN_HEADERS_NAME
                         " is empty or contains a character that is not allowed");
    for (size_t i = 0; i < ARRAY_COUNT(forbidden); i++)
        if (strcasecmp(name, forbidden[i]) == 0)
            return error_set(error, ERROR_INVALID,
                             GIVEN_HEADERS_NAME
                             " must not contain %s, which belongs to a connection, not to a run",
                             forbidden[i]);
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* `name` has been checked. */
static int check_value(const char *name, const json_t *value, struct error *error)
{
    const char *text = json_string_value(value);
    if (!text)
        return error_set(error, ERROR_INVALID,
                         "the value of %.200s in " GIVEN_HEADERS_NAME
                         " must be a string or a list of strings",
                         name);
    size_t bytes = strlen(text);
    if (http_has_control_bytes(text, bytes))
        return error_set(error, ERROR_INVALID, "the value of %.200s contains a control character",
                         name);
    if (bytes > 0 && (is_blank(text[0]) || is_blank(text[bytes - 1])))
        return error_set(error, ERROR_INVALID, "the value of %.200s begins or ends with a blank",
                         name);
    return 0;
}

static int add(json_t *headers, json_t **withheld, struct given_headers *given, const char *name,
               const json_t *value, struct error *error)
{
    if (check_value(name, value, error) != 0)
        return -1;
    run_headers_add(headers, withheld, name, json_string_value(value));
    run_headers_note_event(&given->event, name, json_string_value(value));
    return 0;
}

/* Returns the object, or NULL and *error. */
static json_t *load(const char *text, struct error *error)
{
    json_error_t why;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!object)
        error_set(error, ERROR_INVALID, GIVEN_HEADERS_NAME " is not JSON: %s (column %d)", why.text,
                  why.column);
    else if (!json_is_object(object))
        error_set(error, ERROR_INVALID,
                  GIVEN_HEADERS_NAME " must be an object of names and values");
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static int add_all(json_t *headers, json_t **withheld, struct given_headers *given, json_t *object,
                   struct error *error)
{
    const char *name;
    json_t *value, *one;
    json_object_foreach(object, name, value)
    {
        size_t i;
        if (check_name(name, error) != 0)
            return -1;
        if (!json_is_array(value) && add(headers, withheld, given, name, value, error) != 0)
            return -1;
        json_array_foreach(value, i, one)
        {
            if (add(headers, withheld, given, name, one, error) != 0)
                return -1;
        }
    }
    return 0;
}

/* ---- the headers of a run ---- */

static char *dump(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    if (!text)
        abort();
    return text;
}

int given_headers_parse(const char *type, const char *object, struct given_headers *given,
                        struct error *error)
{
    given->json = given->withheld_json = NULL;
    run_headers_event_init(&given->event);
    json_t *given_object = object ? load(object, error) : json_object();
    if (!given_object)
        return -1;
    json_t *headers = json_object(), *withheld = NULL, *no_names = json_array();
    int result = add_all(headers, &withheld, given, given_object, error);
    if (result == 0 && type && !json_object_get(headers, "Content-Type"))
        run_headers_add(headers, &withheld, "Content-Type", type);
    if (result == 0) {
        given->json = dump(headers);
        given->withheld_json = dump(withheld ? withheld : no_names);
    }
    json_decref(no_names);
    json_decref(withheld);
    json_decref(headers);
    json_decref(given_object);
    return result;
}

struct found {
    const char *object;
    int count;
};

static int find(void *context, const char *name, const char *value)
{
    struct found *found = context;
    if (strcasecmp(name, GIVEN_HEADERS_NAME) == 0) {
        found->object = value;
        found->count++;
    }
    return 0;
}

int given_headers_read(struct admin_request *request, struct given_headers *given,
                       struct error *error)
{
    struct found found = {NULL, 0};
    http_each_header(request->exchange, find, &found);
    if (found.count > 1)
        return request_invalid(request, GIVEN_HEADERS_NAME, error,
                               "more than one " GIVEN_HEADERS_NAME " header");
    const char *type = http_header(request->exchange, "Content-Type");
    if (given_headers_parse(type, found.object, given, error) == 0)
        return 0;
    request->answer.field = memory_string(GIVEN_HEADERS_NAME);
    return -1;
}

void given_headers_free(struct given_headers *given)
{
    free(given->json);
    free(given->withheld_json);
}
