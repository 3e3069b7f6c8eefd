/* Hidden values of a fleet's versions: reading them, and what applying a definition does with them.
 * Reads run on any connection's thread; the rest runs on the committer's, inside its transaction.
 * No value ever appears in a message (docs/architecture.md, invariant 7). */
#include "store/sqlite/hidden.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/sqlite/connection.h"

/* ---- reading ---- */

int sqlite_list_hidden(struct store *store, const struct hidden_version *version,
                       int (*each)(void *, const struct hidden_row *), void *context,
                       struct error *error)
{
    static struct statement list = {
        .sql = "SELECT h.vessel_id, h.name, h.sealed FROM fleet f "
               "JOIN hidden_value h ON h.fleet_no = f.no WHERE f.id = ?1 AND h.version = ?2 "
               "AND h.vessel_id = ifnull(?3, h.vessel_id)"};
    sqlite3_stmt *s = statement_begin(store, &list, error, &version->fleet_id, version->version,
                                      version->vessel_id);
    while (statement_step(store, s, "read hidden values", error)) {
        /* `each` only reads the sealed bytes. */
        const struct hidden_row row = {.vessel_id = column_id(s, 0),
                                       .name = column_text(s, 1),
                                       .sealed = {(uint8_t *)(uintptr_t)sqlite3_column_blob(s, 2),
                                                  (size_t)sqlite3_column_bytes(s, 2)}};
        if (each(context, &row) != 0)
            break;
    }
    return statement_end(s);
}

int hidden_list_sealed(struct store *store, int (*each)(void *, const struct sealed_row *),
                       void *context, bool *is_over, struct error *error)
{
    static struct statement list = {.sql = "SELECT f.id, h.vessel_id, h.name, h.sealed "
                                           "FROM hidden_value h JOIN fleet f ON f.no = h.fleet_no"};
    char text[STORE_HIDDEN_PLACE_BYTES];
    sqlite3_stmt *s = statement_begin(store, &list, error);
    while (!*is_over && statement_step(store, s, "list the hidden values' seals", error)) {
        const struct hidden_place place = {column_id(s, 0), column_id(s, 1), column_text(s, 2)};
        const struct sealed_row row = {.place = store_hidden_place(&place, text),
                                       .sealed = sqlite3_column_blob(s, 3),
                                       .sealed_bytes = (size_t)sqlite3_column_bytes(s, 3)};
        *is_over = each(context, &row) != 0;
    }
    return statement_end(s);
}

/* ---- the values of a stored version, opened ---- */

struct opened {
    const struct secret_key *key;
    const struct id *fleet_id;
    struct {
        struct id vessel_id;
        char *name, *value;
    } * items;
    size_t count;
};

/* Leaves out a value that does not open: it is as if it were not stored. */
static int keep_opened(void *context, const struct hidden_row *row)
{
    struct opened *opened = context;
    const struct hidden_place place = {*opened->fleet_id, row->vessel_id, row->name};
    char *value = store_open_hidden(opened->key, &place, &row->sealed);
    if (!value)
        return 0;
    if ((opened->count & (opened->count - 1)) == 0) /* room for 1, 2, 4, … */
        opened->items = memory_array(opened->items, opened->count == 0 ? 1 : 2 * opened->count,
                                     sizeof(opened->items[0]));
    opened->items[opened->count].vessel_id = row->vessel_id;
    opened->items[opened->count].name = memory_string(row->name);
    opened->items[opened->count++].value = value;
    return 0;
}

static const char *find_opened(const struct opened *opened, const struct id *vessel_id,
                               const char *name)
{
    for (size_t i = 0; i < opened->count; i++)
        if (id_equal(&opened->items[i].vessel_id, vessel_id) &&
            strcmp(opened->items[i].name, name) == 0)
            return opened->items[i].value;
    return NULL;
}

static void free_opened(struct opened *opened)
{
    for (size_t i = 0; i < opened->count; i++) {
        free(opened->items[i].name);
        store_free_hidden(opened->items[i].value);
    }
    free(opened->items);
}

/* ---- what becomes of a definition's hidden values ---- */

/* Returns the vessel of `from` that is the complete definition's vessel at `place`: the one with
 * its id, else the one with its name, unless that one is now another vessel. */
static const struct definition_vessel *find_vessel(const struct definition *from,
                                                   const struct definition *complete, size_t place)
{
    const struct definition_vessel *vessel = &complete->vessels[place], *named = NULL;
    for (size_t i = 0; i < from->vessel_count; i++) {
        if (id_equal(&from->vessels[i].id, &vessel->id))
            return &from->vessels[i];
        if (strcmp(from->vessels[i].name, vessel->name) == 0)
            named = &from->vessels[i];
    }
    for (size_t i = 0; named && i < complete->vessel_count; i++)
        if (id_equal(&complete->vessels[i].id, &named->id))
            return NULL;
    return named;
}

struct resolver {
    const struct hidden_source *source;
    const struct hidden_terms *terms;
    const struct definition *complete;
    struct opened current, kept; /* of the current version, and of the one whose values are kept */
    struct hidden_values *values;
    size_t missing;
};

/* Returns the value that a variable of the definition has from now on, or NULL. Borrowed. */
static const char *value_of(const struct resolver *resolver, size_t vessel,
                            const struct environment_entry *entry)
{
    if (!definition_lacks_value(entry))
        return entry->value;
    const struct definition *from = resolver->source->kept;
    const struct definition_vessel *old =
        from ? find_vessel(from, resolver->complete, vessel) : NULL;
    return old ? find_opened(&resolver->kept, &old->id, entry->name) : NULL;
}

static void resolve_entry(struct resolver *resolver, size_t vessel, size_t entry)
{
    const struct definition_vessel *owner = &resolver->complete->vessels[vessel];
    const struct environment_entry *variable = &owner->environment[entry];
    struct hidden_values *values = resolver->values;
    const char *value = value_of(resolver, vessel, variable);
    if (!value) {
        resolver->terms->missing(resolver->terms->context, vessel, entry);
        resolver->missing++;
        return;
    }
    const char *before = find_opened(&resolver->current, &owner->id, variable->name);
    if (!before || strcmp(before, value) != 0)
        values->have_changed = true;
    const struct hidden_place place = {resolver->complete->id, owner->id, variable->name};
    values->items[values->count].vessel_id = owner->id;
    values->items[values->count].name = variable->name;
    values->items[values->count++].sealed = store_seal_hidden(resolver->terms->key, &place, value);
}

static size_t count_hidden(const struct definition *definition)
{
    size_t count = 0;
    for (size_t i = 0; i < definition->vessel_count; i++)
        for (size_t j = 0; j < definition->vessels[i].environment_count; j++)
            count += definition->vessels[i].environment[j].hidden;
    return count;
}

static int resolve_all(struct resolver *resolver, struct error *error)
{
    const struct definition *complete = resolver->complete;
    for (size_t i = 0; i < complete->vessel_count; i++)
        for (size_t j = 0; j < complete->vessels[i].environment_count; j++)
            if (complete->vessels[i].environment[j].hidden)
                resolve_entry(resolver, i, j);
    if (resolver->missing == 0)
        return 0;
    return error_set(error, ERROR_INVALID, "there is no stored value to keep");
}

int hidden_resolve(struct store *store, const struct hidden_source *source,
                   const struct hidden_terms *terms, const struct definition *complete,
                   struct hidden_values *values, struct error *error)
{
    *values = (struct hidden_values){NULL, 0, false};
    size_t count = count_hidden(complete);
    if (count == 0)
        return 0;
    if (!terms)
        return error_set(error, ERROR_INTERNAL, "a definition has hidden values, but no key");
    terms->start(terms->context);
    values->items = memory_array(NULL, count, sizeof(values->items[0]));
    struct resolver resolver = {.source = source,
                                .terms = terms,
                                .complete = complete,
                                .current = {.key = terms->key, .fleet_id = &complete->id},
                                .kept = {.key = terms->key, .fleet_id = &complete->id},
                                .values = values};
    const struct hidden_version current = {complete->id, source->current_version, NULL};
    const struct hidden_version kept = {complete->id, source->kept_version, NULL};
    int result = store_list_hidden(store, &current, keep_opened, &resolver.current, error);
    if (result == 0)
        result = store_list_hidden(store, &kept, keep_opened, &resolver.kept, error);
    if (result == 0)
        result = resolve_all(&resolver, error);
    free_opened(&resolver.current);
    free_opened(&resolver.kept);
    return result;
}

int hidden_write(struct store *store, int64_t fleet_no, int version,
                 const struct hidden_values *values, struct error *error)
{
    static struct statement insert = {
        .sql = "INSERT INTO hidden_value (fleet_no, version, vessel_id, name, sealed) "
               "VALUES (?1, ?2, ?3, ?4, ?5)"};
    for (size_t i = 0; i < values->count; i++) {
        const struct sealed_value *sealed = &values->items[i].sealed;
        sqlite3_stmt *s =
            statement_begin(store, &insert, error, fleet_no, version, &values->items[i].vessel_id,
                            values->items[i].name, value_blob(sealed->bytes, sealed->count));
        if (statement_run(store, s, "write a hidden value", error) != 0)
            return -1;
    }
    return 0;
}

void hidden_free(struct hidden_values *values)
{
    for (size_t i = 0; i < values->count; i++)
        free(values->items[i].sealed.bytes);
    free(values->items);
}

int hidden_forget(struct store *store, int64_t fleet_no, struct error *error)
{
    static struct statement forget = {.sql = "DELETE FROM hidden_value WHERE fleet_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &forget, error, fleet_no);
    return statement_run(store, s, "delete the hidden values of a fleet", error);
}
