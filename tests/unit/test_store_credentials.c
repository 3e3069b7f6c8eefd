/* The store's credentials: their bounds, and what becomes of them with their organization. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "store/credentials.h"
#include "support/store_fixture.h"
#include "support/suite.h"

#define BYTES (SECRET_SEAL_BYTES + 4)

static struct store_fixture fixture;

static int count_credential(void *count, const struct credential_row *row)
{
    ck_assert_ptr_null(row->sealed);
    ++*(int *)count;
    return 0;
}

static int count_sealed(void *count, const struct sealed_row *row)
{
    ck_assert_uint_eq(row->sealed_bytes, BYTES);
    ck_assert_int_eq(strncmp(row->place, "credential/", 11), 0);
    ++*(int *)count;
    return 0;
}

static int keep_row(void *context, const struct credential_row *row)
{
    ck_assert_uint_eq(row->sealed_bytes, BYTES);
    struct credential_row *kept = context;
    *kept = *row;
    kept->sealed = NULL;
    kept->changed_by = NULL;
    return 0;
}

static struct reference name_of(int number)
{
    struct reference name;
    (void)snprintf(name.group, sizeof(name.group), "G%d", number / 100);
    (void)snprintf(name.item, sizeof(name.item), "I%d", number);
    return name;
}

/* Returns whether the credential is new; expects an error of this kind. */
static bool set(const struct id *org_id, int number, int64_t now_ms, enum error_kind expected)
{
    static const uint8_t sealed[BYTES] = {1};
    struct error error = ERROR_INIT;
    const struct credential_value value = {.name = name_of(number),
                                           .sealed = sealed,
                                           .sealed_bytes = sizeof(sealed),
                                           .changed_by = "user root"};
    bool is_new = false;
    int result = store_set_credential(fixture.store, org_id, &value, now_ms, &is_new, &error);
    ck_assert_int_eq(error.kind, expected);
    ck_assert_int_eq(result, expected == ERROR_NONE ? 0 : -1);
    return is_new;
}

static struct id make_org(const char *name)
{
    struct error error = ERROR_INIT;
    struct id id;
    ck_assert_int_eq(store_create_org(fixture.store, name, 1, &id, &error), 0);
    return id;
}

static int count(const struct id *org_id)
{
    struct error error = ERROR_INIT;
    int number = 0;
    ck_assert_int_eq(
        store_list_credentials(fixture.store, org_id, count_credential, &number, &error), 0);
    return number;
}

static int count_all_sealed(void)
{
    struct error error = ERROR_INIT;
    int number = 0;
    ck_assert_int_eq(store_list_sealed(fixture.store, count_sealed, &number, &error), 0);
    return number;
}

TEST(an_organization_has_a_bounded_number_of_credentials_of_its_own)
{
    store_fixture_open(&fixture, NULL);
    store_fixture_begin(&fixture);
    struct id org = make_org("acme"), other = make_org("other"), nobody = id_random();
    for (int i = 0; i < STORE_MAX_CREDENTIALS; i++)
        ck_assert(set(&org, i, 1, ERROR_NONE));
    set(&org, STORE_MAX_CREDENTIALS, 1, ERROR_CONFLICT);
    ck_assert(!set(&org, 0, 2, ERROR_NONE)); /* replacing needs no room */
    ck_assert(set(&other, 0, 1, ERROR_NONE));
    set(&nobody, 0, 1, ERROR_NOT_FOUND);
    ck_assert_int_eq(count(&org), STORE_MAX_CREDENTIALS);
    ck_assert_int_eq(count(&other), 1);
    ck_assert_int_eq(count_all_sealed(), STORE_MAX_CREDENTIALS + 1);
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

TEST(a_credential_keeps_its_creation_and_notes_change_and_use)
{
    struct error error = ERROR_INIT;
    struct credential_row row;
    store_fixture_open(&fixture, NULL);
    store_fixture_begin(&fixture);
    struct id org = make_org("acme");
    struct reference name = name_of(7);
    set(&org, 7, 10, ERROR_NONE);
    set(&org, 7, 20, ERROR_NONE);
    ck_assert_int_eq(store_touch_credential(fixture.store, &org, &name, 30, &error), 0);
    ck_assert_int_eq(store_find_credential(fixture.store, &org, &name, keep_row, &row, &error), 0);
    ck_assert_int_eq(row.created_ms, 10);
    ck_assert_int_eq(row.changed_ms, 20);
    ck_assert_int_eq(row.last_used_ms, 30);
    ck_assert_int_eq(store_remove_credential(fixture.store, &org, &name, &error), 0);
    ck_assert_int_eq(store_touch_credential(fixture.store, &org, &name, 40, &error), 0);
    ck_assert_int_eq(store_remove_credential(fixture.store, &org, &name, &error), -1);
    ck_assert_str_eq(error.message, "credential G0.I7 does not exist");
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}

TEST(credentials_go_with_their_organization)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_fixture_begin(&fixture);
    struct id org = make_org("acme");
    set(&org, 1, 1, ERROR_NONE);
    ck_assert_int_eq(store_delete_org(fixture.store, &org, &error), 0);
    ck_assert_int_eq(count_all_sealed(), 0);
    store_fixture_commit(&fixture);
    store_fixture_close(&fixture);
}
