/* See hidden.h. Called by apply.c. No value ever appears in a message (docs/architecture.md,
 * invariant 7). */
#include "admin/hidden.h"

#include <stdlib.h>

#include "admin/seal.h"
#include "base/memory.h"

int hidden_read_source(struct admin_request *request, struct hidden_file *hidden,
                       struct error *error)
{
    char text[ID_TEXT_BYTES];
    int64_t version = 0;
    int found = request_query(request, "from_fleet", text, sizeof(text), error);
    if (found < 0 ||
        request_query_number(request, "from_version", 1, INT32_MAX, &version, error) != 0)
        return -1;
    if (found > 0 && id_parse(text, &hidden->terms.from_fleet_id) != 0)
        return request_invalid(request, "from_fleet", error, "not the id of a fleet");
    if ((found > 0) != (version > 0))
        return request_invalid(request, found > 0 ? "from_version" : "from_fleet", error,
                               "from_fleet and from_version are only accepted together");
    hidden->terms.from_version = (int)version;
    return 0;
}

/* ---- missing values: on the committer's thread, while the request waits ---- */

static void start_try(void *context)
{
    struct hidden_file *hidden = context;
    hidden->missing_count = 0;
}

static void note_missing(void *context, size_t vessel, size_t entry)
{
    struct hidden_file *hidden = context;
    hidden->missing[hidden->missing_count].vessel = vessel;
    hidden->missing[hidden->missing_count++].entry = entry;
}

void hidden_refuse_missing(const struct hidden_file *hidden, struct fleet_problems *problems)
{
    for (size_t i = 0; i < hidden->missing_count; i++)
        fleet_hidden_refuse(&hidden->list, hidden->missing[i].vessel, hidden->missing[i].entry,
                            problems);
}

/* ---- the whole ---- */

static bool has_new_value(const struct hidden_file *hidden, const struct definition *definition)
{
    for (size_t i = 0; i < hidden->list.count; i++) {
        const struct fleet_hidden *place = &hidden->list.items[i];
        if (!definition_lacks_value(&definition->vessels[place->vessel].environment[place->entry]))
            return true;
    }
    return false;
}

/* Without a key and anything sealed, a check and a file that only keeps values use a key that is on
 * no disk: the first stores nothing, and the second finds nothing to keep. */
static int find_key(struct admin_request *request, bool may_create, struct hidden_file *hidden,
                    struct error *error)
{
    struct error why = ERROR_INIT;
    if (seal_key(request->admin, request->store, may_create, &hidden->key, &why) == 0)
        return 0;
    if (why.kind != ERROR_NOT_FOUND)
        return error_set(error, why.kind, "%s", why.message);
    secret_random(hidden->key.bytes, sizeof(hidden->key.bytes));
    hidden->key.present = true;
    return 0;
}

int hidden_begin(struct admin_request *request, const struct definition *definition,
                 const struct fleet_file_options *options, bool check_only,
                 struct hidden_file *hidden, struct error *error)
{
    if (!definition_has_hidden(definition))
        return 0;
    fleet_file_find_hidden(request->body.data, request->body.bytes, options, &hidden->list);
    hidden->text = fleet_hidden_mask(&hidden->list, definition, &hidden->bytes, error);
    if (!hidden->text)
        return -1;
    hidden->missing = memory_array(NULL, hidden->list.count, sizeof(hidden->missing[0]));
    hidden->terms.key = &hidden->key;
    hidden->terms.start = start_try;
    hidden->terms.missing = note_missing;
    hidden->terms.context = hidden;
    return find_key(request, !check_only && has_new_value(hidden, definition), hidden, error);
}

void hidden_end(struct hidden_file *hidden)
{
    secret_wipe(&hidden->key, sizeof(hidden->key));
    fleet_hidden_free(&hidden->list);
    free(hidden->missing);
    free(hidden->text);
}
