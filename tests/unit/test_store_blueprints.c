/* The store's blueprints: their versions, their bounds, and who uses them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/blueprints.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;

static int keep_org(void *context, const struct project_row *row)
{
    *(struct id *)context = row->org_id;
    return 1;
}

static struct id default_org(void)
{
    struct error error = ERROR_INIT;
    struct id id;
    ck_assert_int_eq(store_list_projects(fixture.store, NULL, keep_org, &id, &error), 0);
    return id;
}

/* Returns the blueprint on static memory. `synopsis` tells versions apart. */
static struct blueprint *make(const char *name, const char *synopsis)
{
    static struct blueprint blueprint;
    static char texts[2][64], file[] = "main.sh", content[] = "exit 0\n";
    snprintf(texts[0], sizeof(texts[0]), "%s", name);
    snprintf(texts[1], sizeof(texts[1]), "%s", synopsis);
    blueprint = (struct blueprint){.name = texts[0],
                                   .synopsis = texts[1],
                                   .code = {.name = texts[0],
                                            .file_name = file,
                                            .file_content = content,
                                            .file_to_run = file,
                                            .guardrails = {.retry_count = 3, .cutoff_ms = 1000}}};
    return &blueprint;
}

static struct blueprint_result apply(const struct id *org_id, const struct blueprint *blueprint,
                                     enum error_kind expected)
{
    struct error error = ERROR_INIT;
    struct blueprint_result result = {APPLY_UNCHANGED, {{0}}, 0};
    char *definition = blueprint_json_write(blueprint),
         *inputs = inputs_json_write(&blueprint->inputs);
    char *head = blueprint_head_write(blueprint);
    const struct blueprint_application application = {org_id, blueprint, definition, inputs,
                                                      head,   "file",    4};
    int status = store_apply_blueprint(fixture.store, &application, 1, &result, &error);
    free(definition);
    free(inputs);
    free(head);
    ck_assert_int_eq(error.kind, expected);
    ck_assert_int_eq(status, expected == ERROR_NONE ? 0 : -1);
    return result;
}

static enum error_kind delete_it(const struct id *id)
{
    struct error error = ERROR_INIT;
    (void)store_delete_blueprint(fixture.store, id, 5, &error);
    return error.kind;
}

static int keep_row(void *context, const struct blueprint_row *row)
{
    struct blueprint_row *kept = context;
    *kept = *row;
    kept->name = kept->org_name = kept->synopsis = NULL;
    return 0;
}

static int count_version(void *context, const struct blueprint_version_row *row)
{
    ck_assert_uint_eq(row->file_bytes, 4);
    ++*(int *)context;
    return 0;
}

static int count_inputs(void *context, const struct blueprint_inputs *inputs)
{
    *(int *)context += inputs->inputs_json ? 1 : 100;
    return 0;
}

static int look(const struct id *org_id, const char *name, int version)
{
    struct error error = ERROR_INIT;
    const struct blueprint_query query = {*org_id, name, version};
    int found = 0;
    ck_assert_int_eq(
        store_find_blueprint_inputs(fixture.store, &query, count_inputs, &found, &error), 0);
    return found;
}

TEST(an_equal_blueprint_is_unchanged_and_a_different_one_is_a_new_version)
{
    struct error error = ERROR_INIT;
    struct blueprint_row row;
    char text[ID_TEXT_BYTES];
    int versions = 0, version = 0;
    store_fixture_open(&fixture, NULL);
    struct id org = default_org(), other;
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_create_org(fixture.store, "other", 1, &other, &error), 0);
    struct blueprint_result one = apply(&org, make("Mail", "one"), ERROR_NONE);
    ck_assert_int_eq((int)one.outcome, APPLY_CREATED);
    ck_assert_int_eq((int)apply(&org, make("Mail", "one"), ERROR_NONE).outcome, APPLY_UNCHANGED);
    struct blueprint_result two = apply(&org, make("Mail", "two"), ERROR_NONE);
    ck_assert_int_eq((int)two.outcome, APPLY_UPDATED);
    ck_assert_int_eq(two.version, 2);
    ck_assert(id_equal(&one.blueprint_id, &two.blueprint_id));
    struct blueprint *renamed = make("Post", "two");
    renamed->id = one.blueprint_id;
    ck_assert_int_eq(apply(&org, renamed, ERROR_NONE).version, 3);
    apply(&other, renamed, ERROR_CONFLICT);
    ck_assert_int_eq((int)apply(&other, make("Post", "x"), ERROR_NONE).outcome, APPLY_CREATED);
    store_fixture_commit(&fixture);
    ck_assert_int_eq(store_get_blueprint(fixture.store, &one.blueprint_id, keep_row, &row, &error),
                     0);
    ck_assert_int_eq(row.version, 3);
    ck_assert_int_eq(store_list_blueprint_versions(fixture.store, &one.blueprint_id, count_version,
                                                   &versions, &error),
                     0);
    ck_assert_int_eq(versions, 3);
    ck_assert_int_eq(look(&org, "Mail", 0), 0);
    ck_assert_int_eq(look(&org, "Post", 0), 1);
    ck_assert_int_eq(look(&org, id_format(&one.blueprint_id, text), 2), 1);
    ck_assert_int_eq(look(&org, "Post", 4), 100); /* no such version */
    ck_assert_int_eq(look(&other, text, 0), 0);
    char *head = store_get_blueprint_head(fixture.store, &one.blueprint_id, &version, &error);
    ck_assert_int_eq(version, 3);
    ck_assert_ptr_nonnull(strstr(head, "\"retry_count\":3"));
    free(head);
    store_fixture_close(&fixture);
}

TEST(an_organization_has_a_bounded_number_of_blueprints)
{
    store_fixture_open(&fixture, NULL);
    struct id org = default_org();
    struct blueprint_result first = {APPLY_UNCHANGED, {{0}}, 0};
    store_fixture_begin(&fixture);
    for (int i = 0; i < STORE_MAX_BLUEPRINTS; i++) {
        char name[20];
        snprintf(name, sizeof(name), "B%d", i);
        first = apply(&org, make(name, "s"), ERROR_NONE);
    }
    apply(&org, make("more", "s"), ERROR_CONFLICT);
    apply(&org, make("B0", "new"), ERROR_NONE); /* a new version needs no room */
    ck_assert_int_eq(delete_it(&first.blueprint_id), ERROR_NONE);
    apply(&org, make("more", "s"), ERROR_NONE);
    struct blueprint *back = make("back", "s");
    back->id = first.blueprint_id;
    apply(&org, back, ERROR_CONFLICT);
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

static struct definition using(const char *name, const struct id *blueprint_id)
{
    struct definition definition = store_fixture_definition(name);
    for (int i = 0; blueprint_id && i < 2; i++) {
        definition.vessels[i].kind = VESSEL_BLUEPRINT;
        definition.vessels[i].file_name = definition.vessels[i].file_to_run = NULL;
        definition.vessels[i].file_content = NULL;
        definition.vessels[i].blueprint_id = *blueprint_id;
    }
    return definition;
}

static int count_user(void *context, const struct definition_row *row)
{
    ck_assert_str_eq(row->fleet_name, "user");
    ++*(int *)context;
    return 0;
}

static int users_of(const struct id *id)
{
    struct error error = ERROR_INIT;
    int count = 0;
    ck_assert_int_eq(store_list_blueprint_users(fixture.store, id, count_user, &count, &error), 0);
    return count;
}

/* A blueprint is in use as long as the current version of a fleet has it. */
TEST(a_blueprint_in_use_cannot_be_deleted)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id org = default_org();
    store_fixture_begin(&fixture);
    struct id id = apply(&org, make("Mail", "one"), ERROR_NONE).blueprint_id;
    store_fixture_commit(&fixture);
    struct definition definition = using("user", &id);
    struct apply_result fleet = store_fixture_apply(&fixture, &definition);
    ck_assert_int_eq(users_of(&id), 1);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(delete_it(&id), ERROR_CONFLICT);
    store_fixture_commit(&fixture);
    definition = using("user", NULL);
    store_fixture_apply(&fixture, &definition);
    ck_assert_int_eq(users_of(&id), 0);
    definition = using("user", &id);
    store_fixture_apply(&fixture, &definition);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_fleet(fixture.store, &fleet.fleet_id, 9, &error), 0);
    ck_assert_int_eq(delete_it(&id), ERROR_NONE);
    ck_assert_int_eq(delete_it(&id), ERROR_NOT_FOUND);
    store_fixture_commit(&fixture);
    int versions = 0; /* runs of the fleet may still execute them */
    ck_assert_int_eq(
        store_get_blueprint_version(fixture.store, &id, 1, count_version, &versions, &error), 0);
    ck_assert_int_eq(versions, 1);
    store_fixture_close(&fixture);
}

TEST(a_fleet_cannot_begin_to_use_a_blueprint_that_was_deleted_or_is_foreign)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct id org = default_org(), other;
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_create_org(fixture.store, "other", 1, &other, &error), 0);
    struct id gone = apply(&org, make("Gone", "s"), ERROR_NONE).blueprint_id;
    struct id foreign = apply(&other, make("Foreign", "s"), ERROR_NONE).blueprint_id;
    ck_assert_int_eq(delete_it(&gone), ERROR_NONE);
    for (int i = 0; i < 2; i++) {
        struct definition definition = using("user", i == 0 ? &gone : &foreign);
        struct apply_result result;
        const struct fleet_application application = {.project_id = &fixture.project_id,
                                                      .definition = &definition,
                                                      .file = "f",
                                                      .file_bytes = 1};
        ck_assert_int_eq(store_apply_fleet(fixture.store, &application, 1, &result, &error), -1);
        ck_assert_int_eq(error.kind, ERROR_CONFLICT);
        error_clear(&error);
    }
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

static int check_vessel(void *context, const struct vessel_row *row)
{
    ck_assert_int_eq(row->blueprint_version, *(int *)context);
    return 0;
}

TEST(a_vessel_run_records_the_version_of_its_blueprint)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_fleet(&fixture, "user", 1);
    struct id blueprint = id_random(), ids[2] = {id_random(), id_random()};
    for (int version = 0; version < 8; version += 7) {
        struct run_ids run = store_fixture_accept(&fixture, 1);
        struct definition definition = using("user", version > 0 ? &blueprint : NULL);
        definition.vessels[0].blueprint_version = definition.vessels[1].blueprint_version = version;
        store_fixture_begin(&fixture);
        ck_assert_int_eq(sqlite_start_run(fixture.store, id_run_number(&run.run_id), &definition,
                                          ids, 1, &error),
                         0);
        store_fixture_commit(&fixture);
        ck_assert_int_eq(
            store_list_vessels(fixture.store, &run.run_id, check_vessel, &version, &error), 0);
    }
    store_fixture_close(&fixture);
}
