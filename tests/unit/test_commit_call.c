/* commit_call: callers that wait for a function called inside the transaction. Each call's
 * operation is on its caller's stack, which the sanitizers watch. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "queue/commit.h"
#include "store/fleets.h"
#include "support/store_fixture.h"
#include "support/suite.h"

#define CALLERS       8
#define CALLS_OF_EACH 100

static struct store_fixture fixture;
static struct commit_queue *queue;

static void begin(void)
{
    struct error error = ERROR_INIT;
    store_fixture_open(&fixture, NULL);
    store_close(fixture.store);
    fixture.store = NULL;
    const struct commit_options options = {.store = fixture.options, .max_queued = 1000};
    queue = commit_start(&options, &error);
    ck_assert_msg(queue, "%s", error.message);
}

static void finish(void)
{
    commit_stop(queue);
    store_fixture_close(&fixture);
}

/* ---- one caller ---- */

struct call {
    char name[32];
    enum error_kind refusal;
    int applied, told;
    struct error error; /* as `done` received it */
    bool was_durable;   /* when `done` was called */
};

static int apply(void *context, struct store *store, struct error *error)
{
    struct call *call = context;
    struct id id;
    call->applied++;
    if (store_create_org(store, call->name, 1, &id, error) != 0)
        return -1;
    return call->refusal == ERROR_NONE ? 0 : error_set(error, call->refusal, "refused");
}

struct search {
    const char *name;
    bool found;
};

static int find(void *context, const struct org_row *row)
{
    struct search *search = context;
    search->found |= strcmp(row->name, search->name) == 0;
    return 0;
}

static bool is_there(const char *name)
{
    struct error error = ERROR_INIT;
    struct store_options options = fixture.options;
    options.mode = STORE_READ;
    struct store *store = store_open(&options, &error);
    ck_assert_msg(store, "%s", error.message);
    struct search search = {.name = name};
    ck_assert_int_eq(store_list_orgs(store, find, &search, &error), 0);
    store_close(store);
    return search.found;
}

static void done(void *context, const struct error *error)
{
    struct call *call = context;
    call->told++;
    if (error)
        call->error = *error;
    call->was_durable = is_there(call->name);
}

static int make(struct call *call, struct error *error)
{
    const struct commit_call what = {
        .name = "test", .bytes = 100, .apply = apply, .done = done, .context = call};
    return commit_call(queue, &what, error);
}

/* Invariant 1. */
TEST(call_returns_after_the_change_is_durable_and_done_was_called)
{
    begin();
    struct error error = ERROR_INIT;
    struct call call = {.name = "durable"};
    ck_assert_int_eq(make(&call, &error), 0);
    ck_assert_int_eq(call.applied, 1);
    ck_assert_int_eq(call.told, 1);
    ck_assert(call.was_durable);
    ck_assert(!error_is_set(&call.error));
    finish();
}

/* Invariant 5. */
TEST(refusal_returns_its_reason_and_undoes_the_change)
{
    static const enum error_kind kinds[] = {ERROR_CONFLICT, ERROR_STALE, ERROR_UNAVAILABLE,
                                            ERROR_INTERNAL};
    begin();
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct error error = ERROR_INIT;
        struct call call = {.name = "refused", .refusal = kinds[i]};
        ck_assert_int_eq(make(&call, &error), -1);
        ck_assert_int_eq(error.kind, kinds[i]);
        ck_assert_str_eq(error.message, "refused");
        ck_assert_int_eq(call.applied, 1); /* a request is not retried */
        ck_assert_int_eq(call.told, 1);
        ck_assert_int_eq(call.error.kind, kinds[i]);
        ck_assert(!call.was_durable);
    }
    finish();
}

TEST(call_without_done_is_accepted)
{
    begin();
    struct error error = ERROR_INIT;
    struct call call = {.name = "quiet"};
    const struct commit_call what = {.name = "test", .apply = apply, .context = &call};
    ck_assert_int_eq(commit_call(queue, &what, &error), 0);
    ck_assert(is_there("quiet"));
    finish();
}

TEST(call_after_the_drain_is_refused_without_calling_done)
{
    begin();
    struct error error = ERROR_INIT;
    struct call call = {.name = "late"};
    commit_drain(queue);
    ck_assert_int_eq(make(&call, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    ck_assert_int_eq(call.applied + call.told, 0);
    finish();
}

/* ---- many concurrent callers ---- */

struct caller {
    pthread_t thread;
    int number, refused;
};

static void quick_done(void *context, const struct error *error)
{
    struct call *call = context;
    call->told++;
    if (error)
        call->error = *error;
}

/* Every second call is refused. */
static void *call_again_and_again(void *argument)
{
    struct caller *caller = argument;
    for (int i = 0; i < CALLS_OF_EACH; i++) {
        struct error error = ERROR_INIT;
        struct call call = {.refusal = i % 2 == 0 ? ERROR_NONE : ERROR_CONFLICT};
        snprintf(call.name, sizeof(call.name), "caller %d-%d", caller->number, i);
        const struct commit_call what = {
            .name = "test", .apply = apply, .done = quick_done, .context = &call};
        int result = commit_call(queue, &what, &error);
        ck_assert_int_eq(result, call.refusal == ERROR_NONE ? 0 : -1);
        ck_assert_int_eq(call.told, 1);
        ck_assert_int_eq(call.error.kind, call.refusal);
        caller->refused += result != 0;
    }
    return NULL;
}

static int count(void *context, const struct org_row *row)
{
    *(int *)context += strncmp(row->name, "caller ", 7) == 0;
    return 0;
}

TEST(many_concurrent_callers_each_get_their_own_answer)
{
    static struct caller callers[CALLERS];
    begin();
    for (int i = 0; i < CALLERS; i++) {
        callers[i].number = i;
        ck_assert_int_eq(
            pthread_create(&callers[i].thread, NULL, call_again_and_again, &callers[i]), 0);
    }
    int refused = 0, stored = 0;
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        refused += callers[i].refused;
    }
    struct error error = ERROR_INIT;
    commit_stop(queue);
    queue = NULL;
    struct store *store = store_open(&fixture.options, &error);
    ck_assert_int_eq(store_list_orgs(store, count, &stored, &error), 0);
    store_close(store);
    ck_assert_int_eq(refused, CALLERS * CALLS_OF_EACH / 2);
    ck_assert_int_eq(stored, CALLERS * CALLS_OF_EACH / 2);
    finish();
}
