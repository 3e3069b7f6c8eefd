/* Hidden values in the store: their seals, and what applying a definition does with them. */
#include "store/hidden.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/fleets.h"
#include "store/sqlite/connection.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;

/* ---- seals ---- */

static struct secret_key some_key(void)
{
    struct error error = ERROR_INIT;
    ck_assert_int_eq(secret_init(&error), 0);
    struct secret_key key = {.present = true};
    secret_random(key.bytes, sizeof(key.bytes));
    return key;
}

TEST(a_value_opens_with_its_key_and_at_its_place_only)
{
    struct secret_key key = some_key(), other_key = some_key();
    const struct hidden_place place = {id_random(), id_random(), "SALT"};
    static const char *const values[] = {"secret", "", "ä\n"};
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        struct sealed_value sealed = store_seal_hidden(&key, &place, values[i]);
        ck_assert(strlen(values[i]) == 0 ||
                  !memmem(sealed.bytes, sealed.count, values[i], strlen(values[i])));
        char *opened = store_open_hidden(&key, &place, &sealed);
        ck_assert_str_eq(opened, values[i]);
        store_free_hidden(opened);
        const struct hidden_place others[] = {
            {id_random(), place.vessel_id, place.name},
            {place.fleet_id, id_random(), place.name},
            {place.vessel_id, place.fleet_id, place.name},
            {place.fleet_id, place.vessel_id, "SAL"},
        };
        for (size_t j = 0; j < ARRAY_COUNT(others); j++)
            ck_assert_ptr_null(store_open_hidden(&key, &others[j], &sealed));
        ck_assert_ptr_null(store_open_hidden(&other_key, &place, &sealed));
        sealed.bytes[sealed.count - 1] ^= 1;
        ck_assert_ptr_null(store_open_hidden(&key, &place, &sealed));
        sealed.count = SECRET_SEAL_BYTES - 1;
        ck_assert_ptr_null(store_open_hidden(&key, &place, &sealed));
        free(sealed.bytes);
    }
}

TEST(the_place_of_the_longest_name_is_whole)
{
    char name[DEFINITION_HIDDEN_NAME_BYTES + 1], text[STORE_HIDDEN_PLACE_BYTES];
    memset(name, 'N', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    const struct hidden_place place = {id_random(), id_random(), name};
    store_hidden_place(&place, text);
    ck_assert_str_eq(strrchr(text, '/') + 1, name);
}

/* ---- applying ---- */

struct missing {
    int tries, count;
    size_t vessel, entry;
};

static void start(void *context)
{
    struct missing *missing = context;
    missing->tries++;
    missing->count = 0;
}

static void note_missing(void *context, size_t vessel, size_t entry)
{
    struct missing *missing = context;
    missing->count++;
    missing->vessel = vessel;
    missing->entry = entry;
}

/* Applies the fixture's definition with this value of a hidden variable of its second vessel, or
 * with none. Returns what store_apply_fleet returned. */
static int apply(const struct secret_key *key, const char *value, struct missing *missing,
                 struct apply_result *result, struct error *error)
{
    struct definition definition = store_fixture_definition("Hide");
    struct environment_entry entry = {(char[]){"SALT"}, memory_string(value ? value : ""), true};
    definition.vessels[1].environment = &entry;
    definition.vessels[1].environment_count = value ? 1 : 0;
    const struct hidden_terms terms = {
        .key = key, .start = start, .missing = note_missing, .context = missing};
    const struct fleet_application application = {.project_id = &fixture.project_id,
                                                  .definition = &definition,
                                                  .file = "x",
                                                  .file_bytes = 1,
                                                  .hidden = &terms};
    store_fixture_begin(&fixture);
    int status = store_apply_fleet(fixture.store, &application, 1000, result, error);
    if (status == 0)
        store_fixture_commit(&fixture);
    else
        transaction_rollback(fixture.store);
    definition.vessels[1].environment = NULL;
    definition.vessels[1].environment_count = 0;
    free(entry.value);
    return status;
}

static int count_row(void *context, const struct hidden_row *row)
{
    int *count = context;
    (*count)++;
    ck_assert_str_eq(row->name, "SALT");
    return 0;
}

static int count_hidden(const struct id *fleet_id, int version, const struct id *vessel_id)
{
    struct error error = ERROR_INIT;
    const struct hidden_version which = {*fleet_id, version, vessel_id};
    int count = 0;
    ck_assert_int_eq(store_list_hidden(fixture.store, &which, count_row, &count, &error), 0);
    return count;
}

TEST(each_version_has_its_own_values_and_a_kept_one_is_sealed_again)
{
    struct secret_key key = some_key();
    struct missing missing = {0};
    struct apply_result result;
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    ck_assert_int_eq(apply(&key, "one", &missing, &result, &error), 0);
    ck_assert_int_eq(apply(&key, "one", &missing, &result, &error), 0);
    ck_assert_int_eq(result.outcome, APPLY_UNCHANGED);
    ck_assert_int_eq(apply(&key, DEFINITION_HIDDEN, &missing, &result, &error), 0);
    ck_assert_int_eq(result.outcome, APPLY_UNCHANGED);
    ck_assert_int_eq(apply(&key, "two", &missing, &result, &error), 0);
    ck_assert_int_eq(result.outcome, APPLY_UPDATED);
    ck_assert_int_eq(result.version, 2);
    ck_assert_int_eq(apply(&key, NULL, &missing, &result, &error), 0);
    ck_assert_int_eq(missing.tries, 4); /* a definition without hidden values asks for none */
    for (int version = 1; version <= 3; version++)
        ck_assert_int_eq(count_hidden(&result.fleet_id, version, NULL), version < 3);
    const struct id other = id_random();
    ck_assert_int_eq(count_hidden(&result.fleet_id, 2, &other), 0);
    store_fixture_close(&fixture);
}

TEST(a_value_that_is_not_stored_or_does_not_open_is_missing)
{
    struct secret_key key = some_key(), other_key = some_key();
    struct missing missing = {0};
    struct apply_result result;
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    ck_assert_int_eq(apply(&key, DEFINITION_HIDDEN, &missing, &result, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_int_eq(missing.count, 1);
    ck_assert_uint_eq(missing.vessel, 1);
    ck_assert_uint_eq(missing.entry, 0);
    error_clear(&error);
    ck_assert_int_eq(apply(&key, "one", &missing, &result, &error), 0);
    ck_assert_int_eq(missing.count, 0);
    ck_assert_int_eq(apply(&other_key, DEFINITION_HIDDEN, &missing, &result, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_int_eq(missing.count, 1);
    store_fixture_close(&fixture);
}
