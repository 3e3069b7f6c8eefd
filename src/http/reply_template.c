/* An envelope whose data consists of ids only, for the answer to every accepted request. jansson
 * writes it once; each answer is a copy of that text with other ids in the same places. Created at
 * start; filled in on any handler's thread. */
#include "http/reply_template.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define ID_CHARS (ID_TEXT_BYTES - 1)

struct http_reply_template {
    size_t count;                               /* number of ids; the request's is the first */
    size_t places[HTTP_REPLY_TEMPLATE_IDS + 1]; /* where each begins */
    size_t bytes;
    char text[HTTP_REPLY_TEMPLATE_BYTES];
};

/* Returns a placeholder id, a different one for each index. It occurs once in the text and so shows
 * where the id of this index goes. */
static struct id placeholder(size_t index)
{
    struct id id = {{0}};
    id.bytes[15] = (uint8_t)index;
    return id;
}

static json_t *placeholder_text(size_t index)
{
    char text[ID_TEXT_BYTES];
    struct id id = placeholder(index);
    return json_string(id_format(&id, text));
}

static size_t find_place(const struct http_reply_template *template, size_t index)
{
    char text[ID_TEXT_BYTES];
    struct id id = placeholder(index);
    const char *place = strstr(template->text, id_format(&id, text));
    assert(place);
    return (size_t)(place - template->text);
}

struct http_reply_template *http_reply_template_new(const char *const names[], size_t count)
{
    struct http_reply_template *template = memory_alloc(sizeof(*template));
    assert(count <= HTTP_REPLY_TEMPLATE_IDS);
    json_t *data = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new(data, names[i], placeholder_text(i + 1));
    json_t *envelope =
        json_pack("{s:{s:o}, s:o}", "request", "id", placeholder_text(0), "data", data);
    template->count = count + 1;
    template->bytes =
        json_dumpb(envelope, template->text, sizeof(template->text) - 1, JSON_COMPACT);
    assert(template->bytes > 0 && template->bytes < sizeof(template->text));
    json_decref(envelope);
    for (size_t i = 0; i < template->count; i++)
        template->places[i] = find_place(template, i);
    return template;
}

void http_reply_template_free(struct http_reply_template *template)
{
    free(template);
}

static void put_id(char *text, size_t place, const struct id *id)
{
    char chars[ID_TEXT_BYTES];
    memcpy(text + place, id_format(id, chars), ID_CHARS);
}

size_t http_reply_template_write(const struct http_reply_template *template,
                                 const struct id *request_id, const struct id *const ids[],
                                 char text[HTTP_REPLY_TEMPLATE_BYTES])
{
    memcpy(text, template->text, template->bytes);
    put_id(text, template->places[0], request_id);
    for (size_t i = 1; i < template->count; i++)
        put_id(text, template->places[i], ids[i - 1]);
    return template->bytes;
}
