/* Headers → the JSON object that is stored with a run. Called by hooks/request on the hook workers. */
#include "hooks/headers.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "model/name.h"

/* In the order in which they are preferred. */
static const char *const event_names[] = {"X-GitHub-Event", "X-Gitlab-Event", "X-Event-Key",
                                          "Ce-Type"};

struct collection {
    json_t *object;
    struct stored_headers *stored;
    size_t event_rank; /* of the event found so far */
};

char *headers_to_utf8(const char *text)
{
    size_t bytes = strlen(text);
    if (name_is_utf8(text, bytes))
        return memory_string_n(text, bytes);
    char *utf8 = memory_alloc(2 * bytes + 1);
    char *to = utf8;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x80) {
            *to++ = (char)c;
        } else {
            *to++ = (char)(0xc0 | c >> 6);
            *to++ = (char)(0x80 | (c & 0x3f));
        }
    }
    return utf8;
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

static int collect(void *context, const char *name, const char *value)
{
    struct collection *collection = context;
    size_t bytes = strlen(name);
    char canonical[256];
    if (strcasecmp(name, "Host") == 0) {
        if (!collection->stored->host)
            collection->stored->host = headers_to_utf8(value);
        return 0;
    }
    char *copy = bytes < sizeof(canonical) ? memcpy(canonical, name, bytes + 1)
                                           : memory_string_n(name, bytes);
    make_canonical(copy);
    add_value(collection->object, copy, value);
    if (copy != canonical)
        free(copy);
    note_event(collection, name, value);
    return 0;
}

void headers_collect(const struct http_exchange *exchange, struct stored_headers *stored)
{
    *stored = (struct stored_headers){0};
    struct collection collection = {json_object(), stored, ARRAY_COUNT(event_names)};
    http_each_header(exchange, collect, &collection);
    stored->json = json_dumps(collection.object, JSON_COMPACT);
    stored->bytes = stored->json ? strlen(stored->json) : 0;
    json_decref(collection.object);
    if (!stored->host)
        stored->host = memory_string("");
}
