/* Package locks in the store. */
#include "store/package_locks.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/fleets.h"
#include "store/sqlite/connection.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;
static int64_t fleet_no;
static struct id fleet_id;

/* Opens a store that has a fleet in two versions. */
static void open_fleet(void)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    struct definition definition = store_fixture_definition("Locks");
    fleet_id = store_fixture_apply(&fixture, &definition).fleet_id;
    definition.max_concurrent_runs = 3;
    ck_assert_int_eq(store_fixture_apply(&fixture, &definition).version, 2);
    ck_assert_int_eq(fleets_find(fixture.store, &fleet_id, &fleet_no, &error), 0);
}

static int set(const struct id *vessel_id, int version, const char *request, const char *text,
               struct error *error)
{
    const struct package_lock_place place = {fleet_no, *vessel_id, version};
    struct package_lock lock = {memory_string(request), memory_string("cpython-311"),
                                memory_string(text), 5};
    store_fixture_begin(&fixture);
    int result = store_set_package_lock(fixture.store, &place, &lock, error);
    store_fixture_commit(&fixture);
    store_free_package_lock(&lock);
    return result;
}

/* Expects this lock, NULL = none. */
static void expect(const struct id *vessel_id, int version, const char *request, const char *text)
{
    struct error error = ERROR_INIT;
    const struct package_lock_place place = {fleet_no, *vessel_id, version};
    struct package_lock found;
    int result = store_find_package_lock(fixture.store, &place, request, &found, &error);
    ck_assert_msg(result == (text ? 1 : 0), "%s", error.message);
    if (text) {
        ck_assert_str_eq(found.lock, text);
        ck_assert_str_eq(found.request, request);
        ck_assert_str_eq(found.interpreter, "cpython-311");
        ck_assert_int_eq(found.locked_ms, 5);
    }
    store_free_package_lock(&found);
}

TEST(a_version_uses_the_lock_of_the_nearest_earlier_one_that_asks_for_the_same)
{
    struct error error = ERROR_INIT;
    struct id vessel = id_random(), other = id_random();
    open_fleet();
    expect(&vessel, 1, "httpx", NULL);
    ck_assert_int_eq(set(&vessel, 1, "httpx", "one", &error), 0);
    expect(&vessel, 1, "httpx", "one");
    expect(&vessel, 2, "httpx", "one");
    expect(&vessel, 2, "httpx\nflask", NULL);
    expect(&other, 2, "httpx", NULL);
    ck_assert_int_eq(set(&vessel, 2, "httpx", "two", &error), 0);
    expect(&vessel, 1, "httpx", "one");
    expect(&vessel, 2, "httpx", "two");
    ck_assert_int_eq(set(&vessel, 2, "flask", "three", &error), 0);
    expect(&vessel, 2, "httpx", NULL);
    expect(&vessel, 2, "flask", "three");
    store_fixture_close(&fixture);
}

TEST(a_lock_needs_its_version_and_goes_with_its_fleet)
{
    struct error error = ERROR_INIT;
    struct id vessel = id_random();
    open_fleet();
    ck_assert_int_eq(set(&vessel, 3, "httpx", "none", &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    ck_assert_int_eq(set(&vessel, 1, "httpx", "one", &error), 0);
    store_fixture_begin(&fixture);
    ck_assert_int_eq(store_delete_fleet(fixture.store, &fleet_id, 9, &error), 0);
    store_fixture_commit(&fixture);
    expect(&vessel, 1, "httpx", NULL);
    ck_assert_int_eq(set(&vessel, 1, "httpx", "one", &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    store_fixture_close(&fixture);
}
