/* Statements: how values are bound, the effect of a failure, and sharing among threads. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/connection.h"
#include "support/store_fixture.h"
#include "support/suite.h"

static struct store_fixture fixture;

static void set_up(void)
{
    store_fixture_open(&fixture, NULL);
}

TEST(a_value_is_bound_according_to_its_type)
{
    static struct statement types = {
        .sql = "SELECT typeof(?1), ?1, typeof(?2), ?2, typeof(?3), ?3, typeof(?4), ?4, "
               "typeof(?5), ?5, typeof(?6), ?6, typeof(?7), ?7"};
    struct error error = ERROR_INIT;
    set_up();
    struct id id = id_random();
    enum run_status status = RUN_TERMINATED;
    uint8_t hash[SECRET_HASH_BYTES];
    memset(hash, 7, sizeof(hash));
    sqlite3_stmt *s = statement_begin(fixture.store, &types, &error, -5, status, (size_t)1 << 40,
                                      "text", value_text("textile", 4), &id, value_hash(hash));
    ck_assert(statement_step(fixture.store, s, "look", &error));
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(column_text(s, 2 * i), "integer");
    ck_assert_int_eq(column_int(s, 1), -5);
    ck_assert_int_eq(column_int(s, 3), RUN_TERMINATED);
    ck_assert_int_eq(column_int(s, 5), INT64_C(1) << 40);
    for (int i = 3; i < 5; i++) {
        ck_assert_str_eq(column_text(s, 2 * i), "text");
        ck_assert_str_eq(column_text(s, 2 * i + 1), "text");
    }
    for (int i = 5; i < 7; i++)
        ck_assert_str_eq(column_text(s, 2 * i), "blob");
    struct id same = column_id(s, 11);
    ck_assert(id_equal(&same, &id));
    ck_assert_int_eq(sqlite3_column_bytes(s, 13), SECRET_HASH_BYTES);
    ck_assert_mem_eq(sqlite3_column_blob(s, 13), hash, sizeof(hash));
    ck_assert(!statement_step(fixture.store, s, "look", &error));
    ck_assert_int_eq(statement_end(s), 0);
    store_fixture_close(&fixture);
}

TEST(a_null_pointer_is_bound_as_null)
{
    static struct statement types = {.sql = "SELECT typeof(?1) || typeof(?2) || typeof(?3) || "
                                            "typeof(?4) || (?5 IS NULL) || coalesce(?6, 'x')"};
    struct error error = ERROR_INIT;
    set_up();
    const char *no_text = NULL;
    const struct id *no_id = NULL;
    /* Twice, so that the second use shows that nothing of the first is left. */
    for (int i = 0; i < 2; i++) {
        sqlite3_stmt *s =
            statement_begin(fixture.store, &types, &error, no_text, no_id, value_blob(NULL, 3),
                            value_blob("", 0), value_null(), i == 0 ? value_int(5) : value_null());
        ck_assert(statement_step(fixture.store, s, "look", &error));
        ck_assert_str_eq(column_text(s, 0), i == 0 ? "nullnullnullblob15" : "nullnullnullblob1x");
        ck_assert_int_eq(statement_end(s), 0);
    }
    store_fixture_close(&fixture);
}

static bool is_aborted(struct statement *statement, bool with_two)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct error error = ERROR_INIT;
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        if (with_two)
            statement_begin(fixture.store, statement, &error, 1, 2);
        else
            statement_begin(fixture.store, statement, &error);
        _exit(0);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

TEST(a_wrong_number_of_values_fails_an_assertion)
{
    static struct statement none = {.sql = "SELECT 1"}, one = {.sql = "SELECT ?1"},
                            two = {.sql = "SELECT ?1, ?2"};
    set_up();
    ck_assert(!is_aborted(&none, false));
    ck_assert(!is_aborted(&two, true));
    ck_assert(is_aborted(&one, true));
    ck_assert(is_aborted(&one, false));
    ck_assert(is_aborted(&none, true));
    store_fixture_close(&fixture);
}

TEST(a_statement_that_does_not_begin_fails_everywhere)
{
    static struct statement wrong = {.sql = "SELECT name FROM nowhere"};
    set_up();
    for (int i = 0; i < 5; i++) {
        struct error error = ERROR_INIT;
        int64_t value = 77;
        sqlite3_stmt *s = statement_begin(fixture.store, &wrong, &error);
        ck_assert_ptr_null(s);
        ck_assert(!statement_step(fixture.store, s, "look", &error));
        int result = i == 0   ? statement_end(s)
                     : i == 1 ? statement_find(fixture.store, s, "look", &value, &error)
                     : i == 2 ? statement_run(fixture.store, s, "look", &error)
                     : i == 3 ? statement_change(fixture.store, s, "look", &error)
                              : statement_insert(fixture.store, s, "look", "conflict", &error);
        ck_assert_int_eq(result, -1);
        ck_assert_int_eq(value, 77);
        ck_assert_int_eq(error.kind, ERROR_INTERNAL);
        ck_assert_str_eq(error.message, "cannot prepare a statement: no such table: nowhere (1)");
    }
    store_fixture_close(&fixture);
}

TEST(a_failed_step_makes_the_end_fail)
{
    static struct statement overflow = {.sql = "SELECT abs(?1)"};
    struct error error = ERROR_INIT, second = ERROR_INIT;
    int64_t value = 0;
    set_up();
    sqlite3_stmt *s = statement_begin(fixture.store, &overflow, &error, INT64_MIN);
    ck_assert_int_eq(statement_find(fixture.store, s, "count", &value, &error), -1);
    ck_assert_str_eq(error.message, "cannot count: integer overflow (1)");
    /* The statement can be used again. */
    s = statement_begin(fixture.store, &overflow, &second, -3);
    ck_assert_int_eq(statement_find(fixture.store, s, "count", &value, &second), 1);
    ck_assert_int_eq(value, 3);
    store_fixture_close(&fixture);
}

TEST(changes_and_conflicts_are_reported)
{
    static struct statement insert = {.sql = "INSERT INTO org (id, name, created_ms) "
                                             "VALUES (?1, ?2, 1)"};
    static struct statement change = {.sql = "UPDATE org SET created_ms = 2 WHERE name = ?1"};
    static struct statement find = {.sql = "SELECT created_ms FROM org WHERE name = ?1"};
    struct error error = ERROR_INIT;
    struct store *store;
    int64_t created_ms = 0;
    struct id id = id_random();
    set_up();
    store = fixture.store;
    store_fixture_begin(&fixture);
    sqlite3_stmt *s = statement_begin(store, &insert, &error, &id, "a");
    ck_assert_int_eq(statement_insert(store, s, "insert", "taken", &error), 0);
    s = statement_begin(store, &change, &error, "a");
    ck_assert_int_eq(statement_change(store, s, "change", &error), 1);
    s = statement_begin(store, &change, &error, "b");
    ck_assert_int_eq(statement_change(store, s, "change", &error), 0);
    s = statement_begin(store, &find, &error, "a");
    ck_assert_int_eq(statement_find(store, s, "find", &created_ms, &error), 1);
    ck_assert_int_eq(created_ms, 2);
    s = statement_begin(store, &find, &error, "b");
    ck_assert_int_eq(statement_find(store, s, "find", &created_ms, &error), 0);
    ck_assert(!error_is_set(&error));
    s = statement_begin(store, &insert, &error, &id, "a");
    ck_assert_int_eq(statement_insert(store, s, "insert", "taken", &error), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    ck_assert_str_eq(error.message, "taken");
    transaction_rollback(store);
    store_fixture_close(&fixture);
}

/* ---- threads ---- */

enum { THREADS = 4, STATEMENTS = 60 };

/* All threads use each statement for the first time at the same moment. */
static struct statement shared[STATEMENTS];
static char texts[STATEMENTS][32];
static pthread_barrier_t barrier;

static void *use_all(void *store)
{
    struct error error = ERROR_INIT;
    intptr_t wrong = 0;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 3 * STATEMENTS; i++) {
        int64_t value = -1;
        sqlite3_stmt *s = statement_begin(store, &shared[i % STATEMENTS], &error, i);
        wrong += statement_find(store, s, "add", &value, &error) != 1;
        wrong += value != i + i % STATEMENTS;
    }
    return (void *)wrong;
}

TEST(connections_on_several_threads_share_a_statement)
{
    pthread_t threads[THREADS];
    struct store *stores[THREADS];
    set_up();
    for (int i = 0; i < STATEMENTS; i++) {
        snprintf(texts[i], sizeof(texts[i]), "SELECT ?1 + %d", i);
        shared[i].sql = texts[i];
    }
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        struct error error = ERROR_INIT;
        struct store_options options = fixture.options;
        options.mode = STORE_READ;
        stores[i] = store_open(&options, &error);
        ck_assert_msg(stores[i], "%s", error.message);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_all, stores[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        ck_assert_ptr_null(wrong);
        store_close(stores[i]);
    }
    for (int i = 0; i < STATEMENTS; i++)
        for (int j = 0; j < i; j++)
            ck_assert_int_ne(shared[i].index, shared[j].index);
    pthread_barrier_destroy(&barrier);
    store_fixture_close(&fixture);
}
