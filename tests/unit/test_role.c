/* What each role may call, by the table of routes, and the fleets that a bound key may use. Calls
 * of the test's own show what ADMIN_TRIGGER does. */
#include "admin/role.h"

#include <stdlib.h>
#include <string.h>

#include "admin/routes.h"
#include "base/memory.h"
#include "store/fleets.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static const struct admin_call for_owners = {.body = ADMIN_BODY_JSON};
static const struct admin_call for_triggers = {.body = ADMIN_BODY_JSON, ADMIN_TRIGGER};
static const struct admin_call for_everyone = {ADMIN_OPEN};

TEST(call_without_a_flag_is_for_owners_only)
{
    ck_assert(role_may_call(ROLE_OWNER, &for_owners));
    ck_assert(!role_may_call(ROLE_TRIGGER, &for_owners));
    ck_assert(!role_may_call(ROLE_NONE, &for_owners));
}

TEST(flag_lets_trigger_keys_and_owners_call)
{
    ck_assert(role_may_call(ROLE_OWNER, &for_triggers));
    ck_assert(role_may_call(ROLE_TRIGGER, &for_triggers));
    ck_assert(!role_may_call(ROLE_NONE, &for_triggers));
    ck_assert(!role_may_call((enum api_key_role)(ROLE_TRIGGER + 32), &for_triggers));
}

TEST(open_call_needs_no_role)
{
    for (enum api_key_role role = ROLE_NONE; role <= ROLE_TRIGGER; role++)
        ck_assert(role_may_call(role, &for_everyone));
}

TEST(only_owners_learn_that_a_path_does_not_exist)
{
    ck_assert(role_may_call(ROLE_OWNER, NULL));
    ck_assert(!role_may_call(ROLE_TRIGGER, NULL));
    ck_assert(!role_may_call(ROLE_NONE, NULL));
}

TEST(nobody_without_a_role_may_call_a_route_that_needs_a_key)
{
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_call *call = admin_routes[i].target;
        ck_assert_msg(role_may_call(ROLE_OWNER, call), "%s", admin_routes[i].pattern);
        ck_assert_msg(role_may_call(ROLE_NONE, call) == (call->access != ADMIN_ACCESS_KEY), "%s",
                      admin_routes[i].pattern);
    }
}

/* ---- bound keys ---- */

struct house {
    struct store_fixture fixture;
    struct id org_id, own, other, foreign; /* fleets; the last is in another organization */
};

static int keep_org(void *context, const struct project_row *row)
{
    ((struct house *)context)->org_id = row->org_id;
    return 0;
}

static struct id apply_in(struct house *house, const struct id *project_id, const char *name)
{
    struct error error = ERROR_INIT;
    struct apply_result result;
    const struct definition definition = store_fixture_definition(name);
    const struct fleet_application application = {
        .project_id = project_id, .definition = &definition, .file = ""};
    ck_assert_msg(store_apply_fleet(house->fixture.store, &application, 1, &result, &error) == 0,
                  "%s", error.message);
    return result.fleet_id;
}

static void house_open(struct house *house)
{
    struct error error = ERROR_INIT;
    struct id org_id, project_id;
    struct store_fixture *fixture = &house->fixture;
    store_fixture_open(fixture, NULL);
    ck_assert_int_eq(store_list_projects(fixture->store, NULL, keep_org, house, &error), 0);
    store_fixture_begin(fixture);
    ck_assert_int_eq(store_create_org(fixture->store, "acme", 1, &org_id, &error), 0);
    ck_assert_int_eq(store_create_project(fixture->store, &org_id, "web", 1, &project_id, &error),
                     0);
    house->own = apply_in(house, &fixture->project_id, "Own");
    house->other = apply_in(house, &fixture->project_id, "Other");
    house->foreign = apply_in(house, &project_id, "Foreign");
    store_fixture_commit(fixture);
}

/* Returns the result for a key with this binding, and the error's text. */
static int check(struct house *house, struct key_binding binding, const struct id *fleet_id,
                 struct error *error)
{
    struct admin_request request = {
        .store = house->fixture.store,
        .caller = {.role = ROLE_TRIGGER, .binding = binding},
    };
    error_clear(error);
    return role_check_fleet(&request, fleet_id, error);
}

static void expect_absent(struct house *house, struct key_binding binding,
                          const struct id *fleet_id)
{
    struct error error = ERROR_INIT, absent = ERROR_INIT;
    char text[ID_TEXT_BYTES],
        *expected = memory_format("there is no fleet %s", id_format(fleet_id, text));
    ck_assert_int_eq(check(house, binding, fleet_id, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    ck_assert_str_eq(error.message, expected);
    /* The same words as for a fleet that does not exist. */
    struct id nowhere = id_random();
    ck_assert_int_eq(check(house, binding, &nowhere, &absent), -1);
    ck_assert_int_eq(absent.kind, ERROR_NOT_FOUND);
    ck_assert_int_eq(strncmp(absent.message, expected, strlen("there is no fleet ")), 0);
    ck_assert_uint_eq(strlen(absent.message), strlen(expected));
    free(expected);
}

TEST(key_that_is_bound_to_a_fleet_sees_no_other)
{
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house);
    const struct key_binding binding = {.has_fleet = true, .fleet_id = house.own};
    ck_assert_int_eq(check(&house, binding, &house.own, &error), 0);
    expect_absent(&house, binding, &house.other);
    expect_absent(&house, binding, &house.foreign);
    store_fixture_close(&house.fixture);
}

TEST(key_that_is_bound_to_an_organization_sees_only_its_fleets)
{
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house);
    const struct key_binding binding = {.has_org = true, .org_id = house.org_id};
    ck_assert_int_eq(check(&house, binding, &house.own, &error), 0);
    ck_assert_int_eq(check(&house, binding, &house.other, &error), 0);
    expect_absent(&house, binding, &house.foreign);
    store_fixture_close(&house.fixture);
}

TEST(key_that_is_not_bound_may_use_every_fleet_without_a_look_into_the_store)
{
    struct error error = ERROR_INIT;
    struct id anywhere = id_random();
    struct admin_request request = {.caller = {.role = ROLE_TRIGGER}}; /* has no store */
    ck_assert_int_eq(role_check_fleet(&request, &anywhere, &error), 0);
}

TEST(key_of_a_deleted_fleet_may_use_none)
{
    struct house house;
    struct error error = ERROR_INIT;
    house_open(&house);
    const struct key_binding binding = {.has_fleet = true, .fleet_id = house.own};
    store_fixture_begin(&house.fixture);
    ck_assert_int_eq(store_delete_fleet(house.fixture.store, &house.own, 9, &error), 0);
    store_fixture_commit(&house.fixture);
    expect_absent(&house, binding, &house.own);
    expect_absent(&house, binding, &house.other);
    store_fixture_close(&house.fixture);
}
