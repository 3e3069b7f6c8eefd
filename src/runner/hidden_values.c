/* See hidden_values.h. Called by vessel_values.c. */
#include "runner/hidden_values.h"

#include <string.h>

#include "base/state_dir.h"
#include "store/hidden.h"

struct search {
    const struct run *run;
    const struct definition_vessel *vessel;
    const struct secret_key *key;
    char **values;
    const char *closed; /* the variable of a value that is stored but does not open */
};

static int open_row(void *context, const struct hidden_row *row)
{
    struct search *search = context;
    const struct definition_vessel *vessel = search->vessel;
    for (size_t i = 0; i < vessel->environment_count; i++) {
        const struct environment_entry *entry = &vessel->environment[i];
        if (!entry->hidden || strcmp(entry->name, row->name) != 0)
            continue;
        const struct hidden_place place = {search->run->work->ids.fleet_id, vessel->id,
                                           entry->name};
        search->values[i] = store_open_hidden(search->key, &place, &row->sealed);
        if (!search->values[i])
            search->closed = entry->name;
    }
    return 0;
}

int hidden_values_open(const struct run *run, const struct definition_vessel *vessel,
                       const struct secret_key *key, char **values, struct error *error)
{
    const struct run_work *work = run->work;
    const struct hidden_version version = {work->ids.fleet_id, work->version, &vessel->id};
    struct search search = {.run = run, .vessel = vessel, .key = key, .values = values};
    for (size_t i = 0; i < vessel->environment_count; i++)
        values[i] = NULL;
    if (store_list_hidden(run->runner->store, &version, open_row, &search, error) != 0)
        return -1;
    if (search.closed)
        return error_set(
            error, ERROR_INVALID,
            "the hidden value of %s cannot be opened: it is damaged, or " STATE_DIR_SECRET
            " is not the key that sealed it",
            search.closed);
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (vessel->environment[i].hidden && !values[i])
            return error_set(error, ERROR_INVALID,
                             "the hidden value of %s is not stored: apply the fleet file with the "
                             "real value",
                             vessel->environment[i].name);
    return 0;
}
