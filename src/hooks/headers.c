/* Turns headers into the JSON object that is stored with a run. Called by hooks/request on the hook
 * workers. */
#include "hooks/headers.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/own_secrets.h"

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
    struct simple_headers simple;
};

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
        run_headers_make_canonical(name);
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
    run_headers_note_event(&collection->stored->event, name, value);
    if (collection->simple.is_simple)
        note_simple(&collection->simple, name, value);
    return 0;
}

/* Adds one header of a request that is not simple. */
static int collect(void *context, const char *name, const char *value)
{
    struct collection *collection = context;
    run_headers_add(collection->object, collection->withheld, name, value);
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
    stored->host = utf8_from_any(http_host(exchange));
    stored->bytes = 0;
    run_headers_event_init(&stored->event);
    struct collection collection;
    collection.stored = stored;
    collection.withheld = withheld;
    collection.simple.count = collection.simple.bytes = 0;
    collection.simple.is_simple = true;
    http_each_header(exchange, look, &collection);
    if (collection.simple.is_simple)
        stored->json = write_simple(&collection.simple, &stored->bytes);
    else
        stored->json = write_any(&collection, exchange, &stored->bytes);
}
