/* Turns headers into the JSON object that is stored with a run. Called by hooks/request on the hook
 * workers. */
#include "hooks/headers.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "hooks/own_secrets.h"
#include "base/utf8.h"

/* In order of preference. */
static const char *const event_names[] = {"X-GitHub-Event", "X-Gitlab-Event", "X-Event-Key",
                                          "Ce-Type"};

#define SIMPLE_MAX 48

struct header {
    const char *name, *value; /* libmicrohttpd's */
    size_t name_bytes, value_bytes;
};

/* The usual request: few headers, no name twice, values of plain ASCII. */
struct simple_headers {
    struct header list[SIMPLE_MAX];
    size_t count, bytes;
    bool is_simple;
};

struct collection {
    json_t *object;
    json_t **withheld;
    struct stored_headers *stored;
    size_t event_rank; /* of the event found so far */
    struct simple_headers simple;
};

char *headers_to_utf8(const char *text)
{
    size_t bytes = strlen(text);
    return utf8_is_valid(text, bytes) ? memory_string_n(text, bytes) : utf8_from_latin1(text);
}

/* "x-github-event" → "X-Github-Event". */
static void make_canonical(char *name)
{
    bool first = true;
    for (; *name; name++) {
        *name = (char)(first ? toupper((unsigned char)*name) : tolower((unsigned char)*name));
        first = *name == '-';
    }
}

static void note_event(struct collection *collection, const char *name, const char *value)
{
    for (size_t rank = 0; rank < collection->event_rank; rank++) {
        if (strcasecmp(name, event_names[rank]) == 0) {
            char *utf8 = headers_to_utf8(value);
            size_t bytes = strlen(utf8);
            if (bytes < HEADERS_EVENT_BYTES) {
                memcpy(collection->stored->event, utf8, bytes + 1);
                collection->event_rank = rank;
            }
            free(utf8);
            return;
        }
    }
}

static void add_value(json_t *object, const char *name, const char *value)
{
    json_t *text = json_string(value);
    if (!text) { /* not UTF-8 */
        char *utf8 = headers_to_utf8(value);
        text = json_string(utf8);
        free(utf8);
    }
    json_t *list = json_object_get(object, name);
    if (list)
        json_array_append_new(list, text);
    else
        json_object_set_new_nocheck(object, name, json_pack("[o]", text));
}

/* Whether the text is ASCII that needs no escape in JSON. */
static bool is_plain(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            return false;
    }
    return true;
}

static void note_simple(struct simple_headers *simple, const char *name, const char *value)
{
    struct header header = {name, value, strlen(name), strlen(value)};
    if (simple->count == SIMPLE_MAX || !is_plain(value, header.value_bytes)) {
        simple->is_simple = false;
        return;
    }
    for (size_t i = 0; i < simple->count; i++) {
        const struct header *other = &simple->list[i];
        if (other->name_bytes == header.name_bytes && strcasecmp(other->name, name) == 0) {
            simple->is_simple = false;
            return;
        }
    }
    simple->list[simple->count++] = header;
    simple->bytes += header.name_bytes + header.value_bytes + sizeof("\"\":[\"\"],");
}

/* Writes what jansson would write, but without a tree, because nearly every request comes here.
 * Returns NULL if there is no memory. */
static char *write_simple(const struct simple_headers *simple, size_t *bytes)
{
    char *text = malloc(simple->bytes + sizeof("{}"));
    char *to = text;
    if (!text)
        return NULL;
    *to++ = '{';
    for (size_t i = 0; i < simple->count; i++) {
        const struct header *header = &simple->list[i];
        to = stpcpy(to, i > 0 ? ",\"" : "\"");
        char *name = to;
        to = stpcpy(to, header->name);
        make_canonical(name);
        to = stpcpy(to, "\":[\"");
        to = mempcpy(to, header->value, header->value_bytes);
        to = stpcpy(to, "\"]");
    }
    to = stpcpy(to, "}");
    *bytes = (size_t)(to - text);
    return text;
}

static int look(void *context, const char *name, const char *value)
{
    struct collection *collection = context;
    if (strcasecmp(name, "Host") == 0)
        return 0;
    if (own_secrets_in_header(name, value))
        collection->simple.is_simple = false;
    note_event(collection, name, value);
    if (collection->simple.is_simple)
        note_simple(&collection->simple, name, value);
    return 0;
}

/* Adds one header of a request that is not simple. */
static int collect(void *context, const char *name, const char *value)
{
    struct collection *collection = context;
    if (strcasecmp(name, "Host") == 0)
        return 0;
    bool is_secret = own_secrets_in_header(name, value);
    char *rest = is_secret ? own_secrets_rest(name, value) : NULL;
    char *canonical = memory_string(name);
    make_canonical(canonical);
    if (is_secret)
        own_secrets_note(collection->withheld, canonical);
    if (!is_secret || rest)
        add_value(collection->object, canonical, rest ? rest : value);
    free(canonical);
    free(rest);
    return 0;
}

static char *write_any(struct collection *collection, struct http_exchange *exchange, size_t *bytes)
{
    collection->object = json_object();
    http_each_header(exchange, collect, collection);
    char *text = json_dumps(collection->object, JSON_COMPACT);
    json_decref(collection->object);
    *bytes = text ? strlen(text) : 0;
    return text;
}

void headers_collect(struct http_exchange *exchange, struct stored_headers *stored,
                     json_t **withheld)
{
    stored->json = NULL;
    stored->host = headers_to_utf8(http_host(exchange));
    stored->bytes = 0;
    stored->event[0] = '\0';
    struct collection collection;
    collection.stored = stored;
    collection.withheld = withheld;
    collection.event_rank = ARRAY_COUNT(event_names);
    collection.simple.count = collection.simple.bytes = 0;
    collection.simple.is_simple = true;
    http_each_header(exchange, look, &collection);
    if (collection.simple.is_simple)
        stored->json = write_simple(&collection.simple, &stored->bytes);
    else
        stored->json = write_any(&collection, exchange, &stored->bytes);
}
