/* See run_headers.h. Called on the hook workers, for every request, and on admin workers'
 * threads. */
#include "model/run_headers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/own_secrets.h"

/* In order of preference. */
static const char *const event_names[] = {"X-GitHub-Event", "X-Gitlab-Event", "X-Event-Key",
                                          "Ce-Type"};

void run_headers_make_canonical(char *name)
{
    bool first = true;
    for (; *name; name++) {
        *name = (char)(first ? toupper((unsigned char)*name) : tolower((unsigned char)*name));
        first = *name == '-';
    }
}

static void add_value(json_t *object, const char *name, const char *value)
{
    json_t *text = json_string(value);
    if (!text) { /* not UTF-8 */
        char *utf8 = utf8_from_any(value);
        text = json_string(utf8);
        free(utf8);
    }
    json_t *list = json_object_get(object, name);
    if (list)
        json_array_append_new(list, text);
    else
        json_object_set_new_nocheck(object, name, json_pack("[o]", text));
}

void run_headers_add(json_t *object, json_t **withheld, const char *name, const char *value)
{
    if (strcasecmp(name, "Host") == 0)
        return;
    bool is_secret = own_secrets_in_header(name, value);
    char *rest = is_secret ? own_secrets_rest(name, value) : NULL;
    char *canonical = memory_string(name);
    run_headers_make_canonical(canonical);
    if (is_secret)
        own_secrets_note(withheld, canonical);
    if (!is_secret || rest)
        add_value(object, canonical, rest ? rest : value);
    free(canonical);
    free(rest);
}

void run_headers_event_init(struct run_headers_event *event)
{
    event->text[0] = '\0';
    event->rank = ARRAY_COUNT(event_names);
}

void run_headers_note_event(struct run_headers_event *event, const char *name, const char *value)
{
    for (size_t rank = 0; rank < event->rank; rank++) {
        if (strcasecmp(name, event_names[rank]) == 0) {
            char *utf8 = utf8_from_any(value);
            size_t bytes = strlen(utf8);
            if (bytes < sizeof(event->text)) {
                memcpy(event->text, utf8, bytes + 1);
                event->rank = rank;
            }
            free(utf8);
            return;
        }
    }
}
