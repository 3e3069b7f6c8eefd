/* The checks before a run is stored, on a real listener, queue and store: the outcome of each
 * verdict at each stage, and what happens when the store reports stale checks. */
#include "support/suite.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "hooks/checks.h"
#include "hooks/hooks.h"
#include "store/webhooks.h"
#include "support/http.h"
#include "support/runner_house.h"

#define SMALL 100
#define LARGE (600 * 1024) /* three pieces */

/* ---- the store while an administrator changes a webhook ---- */

static atomic_int stale_times, accept_calls;

int __real_sqlite_accept_hook(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                              const struct run_input *input, struct run_ids *ids,
                              struct error *error);
int __wrap_sqlite_accept_hook(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                              const struct run_input *input, struct run_ids *ids,
                              struct error *error);

int __wrap_sqlite_accept_hook(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                              const struct run_input *input, struct run_ids *ids,
                              struct error *error)
{
    atomic_fetch_add(&accept_calls, 1);
    if (atomic_load(&stale_times) == 0)
        return __real_sqlite_accept_hook(store, hash, input, ids, error);
    atomic_fetch_sub(&stale_times, 1);
    return error_set(error, ERROR_STALE, "the webhook was changed");
}

/* ---- a check of the test's own, after those of every request ---- */

static struct verdict wanted;
static enum check_stage wanted_stage;
static int wanted_from_call; /* the first call that gets `wanted`; the others pass */
static atomic_int judge_calls;
static char seen[SMALL]; /* the whole body as the check saw it */

static struct verdict judge_as_wanted(const struct check_input *input)
{
    int call = atomic_fetch_add(&judge_calls, 1) + 1;
    if (wanted_stage == CHECK_BODY && input->body)
        memcpy(seen, input->body, SMALL);
    return call >= wanted_from_call ? wanted : (struct verdict){.kind = VERDICT_PASS};
}

static struct check checks[16];

static void put_check(enum check_stage stage, bool needs_token)
{
    size_t count = 0;
    for (; checks_all[count].name; count++)
        checks[count] = checks_all[count];
    ck_assert_uint_lt(count + 1, ARRAY_COUNT(checks));
    checks[count] = (struct check){"the test's", stage, needs_token, judge_as_wanted};
    checks[count + 1] = (struct check){.name = NULL};
    wanted_stage = stage;
}

/* ---- the listener ---- */

static struct house house;
static struct hooks *hooks;
static struct spool *spool;
static struct tally *tally;
static char *url, *strange_url;

static const char fleet_file[] = "name: Greet\nvessels:\n  a:\n    source:\n      type: CODE\n"
                                 "      language: BASH\n      file_to_run: x.sh\n"
                                 "      file: { name: x.sh, content: 'exit 0' }\n";

struct new_webhook {
    struct id fleet_id;
    struct webhook_token token;
};

static int create_webhook(void *context, struct store *store, struct error *error)
{
    const struct new_webhook *webhook = context;
    return store_create_webhook(store, &webhook->fleet_id, &webhook->token, 1, error);
}

static void begin(enum check_stage stage, bool needs_token)
{
    struct error error = ERROR_INIT;
    char token[SECRET_TOKEN_CHARS + 1], stranger[SECRET_TOKEN_CHARS + 1];
    house_open(&house, "");
    put_check(stage, needs_token);
    wanted = (struct verdict){.kind = VERDICT_PASS};
    wanted_from_call = 1;
    atomic_store(&judge_calls, 0);
    secret_mint_token(token);
    secret_mint_token(stranger);
    struct new_webhook webhook = {.fleet_id = house_apply(&house, fleet_file)};
    secret_hash(token, SECRET_TOKEN_CHARS, webhook.token.hash);
    const struct commit_call call = {
        .name = "webhook", .apply = create_webhook, .context = &webhook};
    commit_call(house.queue, &call, &error);
    house_check(&error);
    spool = spool_start(house.state_fd, &house.store_options, &error);
    tally = tally_start(house.queue, &error);
    house_check(&error);
    struct hooks_options options = {.config = house.config,
                                    .listen_fd = http_listen("127.0.0.1:0", &error),
                                    .queue = house.queue,
                                    .spool = spool,
                                    .tally = tally,
                                    .checks = checks};
    char address[HTTP_ADDRESS_BYTES];
    http_listen_address(options.listen_fd, address);
    url = memory_format("http://%s/hooks/%s", address, token);
    strange_url = memory_format("http://%s/hooks/%s", address, stranger);
    hooks = hooks_start(&options, &error);
    house_check(&error);
}

static void finish(void)
{
    hooks_quiesce(hooks);
    ck_assert_int_eq(hooks_stop(hooks, 10000), 0);
    tally_stop(tally);
    commit_drain(house.queue);
    hooks_free(hooks);
    spool_stop(spool);
    free(url);
    free(strange_url);
    house_close(&house);
}

static int post(const char *to, size_t bytes, const char *header, const char *message)
{
    struct response response;
    char *body = memory_alloc(bytes + 1);
    memset(body, 'b', bytes);
    http_post(to, NULL, body, bytes, &response);
    if (header)
        ck_assert_msg(strcasestr(response.headers, header), "%s", response.headers);
    if (message)
        ck_assert_msg(strstr(response.body, message), "%s", response.body);
    int status = response.status;
    response_free(&response);
    free(body);
    return status;
}

static int64_t count_runs(void)
{
    struct error error = ERROR_INIT;
    struct run_counts counts;
    ck_assert_int_eq(store_count_open_runs(house.store, &counts, &error), 0);
    return counts.scheduled;
}

/* ---- verdicts ---- */

TEST(a_check_that_passes_changes_nothing)
{
    begin(CHECK_BODY, true);
    ck_assert_int_eq(post(url, SMALL, NULL, "fleet_run_id"), 201);
    ck_assert_int_eq(judge_calls, 1);
    ck_assert(memchr(seen, 'b', 1) && !memchr(seen, '\0', SMALL));
    ck_assert_int_eq(post(url, LARGE, NULL, NULL), 201);
    ck_assert_int_eq(post(strange_url, SMALL, NULL, "\"data\":null"), 400);
    ck_assert_int_eq(count_runs(), 2);
    finish();
}

TEST(a_refusal_of_each_stage_is_the_answer_and_leaves_no_run)
{
    static const enum check_stage stages[] = {CHECK_HEADERS, CHECK_PIECE, CHECK_BODY};
    for (size_t i = 0; i < ARRAY_COUNT(stages); i++) {
        begin(stages[i], true);
        wanted = (struct verdict){.kind = VERDICT_REFUSE,
                                  .status = 429,
                                  .message = "more than 60/m",
                                  .retry_after_s = 17};
        ck_assert_int_eq(post(url, SMALL, "Retry-After: 17", "more than 60/m"), 429);
        ck_assert_int_eq(post(url, LARGE, "Retry-After: 17", "more than 60/m"), 429);
        ck_assert_int_eq(count_runs(), 0);
        finish();
    }
}

TEST(an_answer_of_each_stage_is_sent_unchanged_and_leaves_no_run)
{
    static const enum check_stage stages[] = {CHECK_HEADERS, CHECK_PIECE, CHECK_BODY};
    for (size_t i = 0; i < ARRAY_COUNT(stages); i++) {
        begin(stages[i], true);
        wanted = (struct verdict){.kind = VERDICT_ANSWER,
                                  .status = 200,
                                  .content_type = "text/plain",
                                  .body = "the challenge",
                                  .body_bytes = 13};
        ck_assert_int_eq(post(url, SMALL, "Content-Type: text/plain", "the challenge"), 200);
        ck_assert_int_eq(post(url, LARGE, NULL, "the challenge"), 200);
        ck_assert_int_eq(count_runs(), 0);
        finish();
    }
}

TEST(a_verdict_that_needs_the_token_is_hidden_from_unknown_callers)
{
    static const enum check_stage stages[] = {CHECK_HEADERS, CHECK_PIECE, CHECK_BODY};
    for (size_t i = 0; i < ARRAY_COUNT(stages); i++) {
        begin(stages[i], true);
        wanted = (struct verdict){.kind = VERDICT_REFUSE, .status = 401, .message = "wrong"};
        ck_assert_int_eq(post(strange_url, SMALL, NULL, "\"data\":null"), 400);
        ck_assert_int_eq(post(url, SMALL, NULL, "wrong"), 401);
        ck_assert_int_eq(count_runs(), 0);
        finish();
    }
}

TEST(a_verdict_that_needs_no_token_is_sent_to_everybody)
{
    begin(CHECK_HEADERS, false);
    wanted = (struct verdict){.kind = VERDICT_REFUSE, .status = 405, .message = "not now"};
    ck_assert_int_eq(post(strange_url, SMALL, "Allow: POST", "not now"), 405);
    finish();
}

TEST(a_refusal_without_a_status_closes_the_connection)
{
    begin(CHECK_PIECE, true);
    wanted = (struct verdict){.kind = VERDICT_REFUSE, .message = "it grew"};
    struct response response;
    char *body = memory_alloc(LARGE);
    http_post_chunked(url, body, LARGE, &response);
    ck_assert_int_eq(response.status, 0);
    response_free(&response);
    free(body);
    ck_assert_int_eq(count_runs(), 0);
    finish();
}

/* ---- stale checks ---- */

TEST(a_stale_request_is_judged_again_and_stored_once)
{
    for (int times = 1; times <= 3; times++) {
        begin(CHECK_BODY, true);
        atomic_store(&stale_times, times);
        atomic_store(&accept_calls, 0);
        ck_assert_int_eq(post(url, SMALL, NULL, "fleet_run_id"), 201);
        ck_assert_int_eq(accept_calls, times + 1);
        ck_assert_int_eq(judge_calls, times + 1);
        atomic_store(&stale_times, times);
        ck_assert_int_eq(post(url, LARGE, NULL, "fleet_run_id"), 201);
        ck_assert_int_eq(count_runs(), 2);
        finish();
    }
}

TEST(a_request_that_stays_stale_is_refused)
{
    begin(CHECK_BODY, true);
    atomic_store(&stale_times, 1000);
    atomic_store(&accept_calls, 0);
    ck_assert_int_eq(post(url, SMALL, "Retry-After: 5", "being changed"), 503);
    ck_assert_int_eq(accept_calls, 4);
    ck_assert_int_eq(post(url, LARGE, "Retry-After: 5", "being changed"), 503);
    atomic_store(&stale_times, 0);
    ck_assert_int_eq(count_runs(), 0);
    ck_assert_int_eq(post(url, SMALL, NULL, NULL), 201);
    finish();
}

TEST(a_stale_request_that_no_longer_passes_is_refused)
{
    begin(CHECK_HEADERS, true);
    wanted = (struct verdict){.kind = VERDICT_REFUSE, .status = 401, .message = "wrong"};
    wanted_from_call = 2;
    atomic_store(&stale_times, 1);
    ck_assert_int_eq(post(url, SMALL, NULL, "wrong"), 401);
    ck_assert_int_eq(count_runs(), 0);
    atomic_store(&stale_times, 0);
    finish();
}
