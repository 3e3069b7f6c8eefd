/* Idempotency-Key on the API trigger: however often a request is repeated, by however many
 * connections, and whatever happens to webhookd in between, one fleet run is started. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/janitor.h"
#include "support/suite.h"

#define REPLAYED "Idempotent-Replayed: true\r\n"
#define PROD                                                                                       \
    "{\"vessel_overrides\":[{\"name\":\"main\",\"environment_variable_overrides\":"                \
    "{\"STAGE\":\"prod\"}}]}"

static const char FLEET[] = "name: %s\nvessels: { main: { source: { type: CODE, language: BASH, "
                            "file: { name: x, content: 'echo $STAGE' }, "
                            "environment: { STAGE: test } } } }\n";

/* A daemon that starts no vessel, so that all runs stay scheduled. */
static const struct daemon_options idle = {.runner = "enabled = false"};

struct house {
    struct daemon daemon;
    char *path;      /* of the trigger */
    char *other;     /* of another fleet's */
    char *reference; /* of the first one's, at the address of the reference platform */
};

static void create(struct daemon *daemon, const char *name)
{
    char *file = memory_format(FLEET, name);
    free(daemon_fleet(daemon, file)); /* with a webhook, so that there is a secret.key */
    free(file);
}

static void begin(struct house *house)
{
    daemon_begin(&house->daemon, &idle);
    create(&house->daemon, "One");
    create(&house->daemon, "Two");
    json_t *data = api_get(&house->daemon, "/fleets");
    const json_t *list = json_object_get(data, "fleets"), *one = api_find(list, "name", "One");
    house->path = memory_format("/api/v1/fleets/%s/trigger", api_text(one, "id"));
    house->other =
        memory_format("/api/v1/fleets/%s/trigger", api_text(api_find(list, "name", "Two"), "id"));
    house->reference =
        memory_format("/orgs/%s/projects/%s/fleets/%s/fleetruns", api_text(one, "org_id"),
                      api_text(one, "project_id"), api_text(one, "id"));
    json_decref(data);
}

static void end(struct house *house)
{
    free(house->path);
    free(house->other);
    free(house->reference);
    daemon_finish(&house->daemon);
}

static long long count_runs(struct house *house)
{
    json_t *data = api_get(&house->daemon, "/fleets");
    long long waiting = 0;
    size_t i;
    const json_t *fleet;
    json_array_foreach(json_object_get(data, "fleets"), i, fleet) waiting +=
        json_integer_value(json_object_get(fleet, "waiting"));
    json_decref(data);
    return waiting;
}

/* Triggers over the socket with this value of the header (NULL: without). */
static void call(struct house *house, const char *path, const char *value, const char *body,
                 struct response *response)
{
    char *url = memory_format("http://localhost%s", path);
    char *header = memory_format("Idempotency-Key: %s", value ? value : "");
    const char *const headers[] = {header, NULL};
    http_request_over(house->daemon.socket, "POST", url, value ? headers : NULL, body, strlen(body),
                      response);
    free(header);
    free(url);
}

/* Returns the run's id; fails unless the answer is 201 and says whether it is repeated. */
static char *start(struct house *house, const char *path, const char *value, const char *body,
                   bool is_repeated)
{
    struct response response;
    call(house, path, value, body, &response);
    ck_assert_msg(response.status == 201, "%d: %s", response.status, response.body);
    ck_assert_msg((strstr(response.headers, REPLAYED) != NULL) == is_repeated, "%s",
                  response.headers);
    char *id = memory_string(response.run_id);
    response_free(&response);
    return id;
}

static void expect_repeated(struct house *house, const char *path, const char *value,
                            const char *body, const char *expected)
{
    char *id = start(house, path, value, body, true);
    ck_assert_str_eq(id, expected);
    free(id);
}

static void expect_status(struct house *house, const char *path, const char *value,
                          const char *body, int status, const char *message)
{
    struct response response;
    call(house, path, value, body, &response);
    ck_assert_msg(response.status == status, "%d: %s", response.status, response.body);
    ck_assert_msg(strstr(response.body, message) != NULL, "%s", response.body);
    ck_assert_ptr_null(strstr(response.headers, "Idempotent-Replayed"));
    response_free(&response);
}

TEST(a_repeated_request_is_answered_with_the_first_run_and_an_id_of_its_own)
{
    struct house house;
    struct response first, second;
    begin(&house);
    call(&house, house.path, "\"k1\"", PROD, &first);
    call(&house, house.path, "\"k1\"", PROD, &second);
    ck_assert(first.status == 201 && second.status == 201);
    ck_assert_ptr_null(strstr(first.headers, "Idempotent-Replayed"));
    ck_assert_ptr_nonnull(strstr(second.headers, REPLAYED));
    json_t *one = api_parse(first.body), *two = api_parse(second.body);
    ck_assert(json_equal(json_object_get(one, "data"), json_object_get(two, "data")));
    ck_assert(!json_equal(json_object_get(one, "request"), json_object_get(two, "request")));
    /* The quotes are not a part of the key, and the address is not a part of the request. */
    expect_repeated(&house, house.path, "k1", PROD, first.run_id);
    expect_repeated(&house, house.reference, "k1", PROD, first.run_id);
    ck_assert_int_eq(count_runs(&house), 1);
    free(start(&house, house.path, "k2", PROD, false));
    free(start(&house, house.path, NULL, PROD, false));
    free(start(&house, house.path, NULL, PROD, false));
    ck_assert_int_eq(count_runs(&house), 4);
    char *audit = ctl_ok(&house.daemon, "audit", "--action", "run.start", "--json", NULL);
    json_t *entries = api_parse(audit);
    ck_assert_uint_eq(json_array_size(json_object_get(entries, "entries")), 4);
    json_decref(entries);
    free(audit);
    json_decref(one);
    json_decref(two);
    response_free(&first);
    response_free(&second);
    end(&house);
}

TEST(another_body_or_another_fleet_with_the_same_key_gets_422)
{
    struct house house;
    begin(&house);
    char *id = start(&house, house.path, "k1", PROD, false);
    expect_status(&house, house.path, "k1", "{}", 422, "was used for another body");
    expect_status(&house, house.path, "k1", PROD " ", 422, "was used for another body");
    expect_status(&house, house.reference, "k1", "", 422, "was used for another body");
    expect_status(&house, house.other, "k1", PROD, 422, "or another fleet");
    expect_repeated(&house, house.path, "k1", PROD, id);
    ck_assert_int_eq(count_runs(&house), 1);
    free(id);
    end(&house);
}

TEST(a_malformed_key_gets_422_and_starts_no_run)
{
    static const char *const values[] = {"\"", "\"a", "a b", "\"a\", \"b\"", "\xc3\xa9"};
    static const char empty[] = "\r\nX: y";
    struct house house;
    begin(&house);
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        expect_status(&house, house.path, values[i], "{}", 422, "Idempotency-Key is malformed");
    expect_status(&house, house.path, empty, "{}", 422, "Idempotency-Key is malformed");
    char long_value[300] = "";
    memset(long_value, 'x', 256);
    expect_status(&house, house.reference, long_value, "{}", 422, "1 to 255 visible");
    expect_status(&house, house.path, "a\r\nIdempotency-Key: a", "{}", 422, "more than one");
    ck_assert_int_eq(count_runs(&house), 0);
    end(&house);
}

/* Only a request that has started a run is remembered. */
TEST(a_refused_request_can_be_corrected_under_the_same_key)
{
    struct house house;
    begin(&house);
    expect_status(&house, house.path, "k1", "{\"x\":1}", 422, "unknown key");
    char *id = start(&house, house.path, "k1", PROD, false);
    expect_repeated(&house, house.path, "k1", PROD, id);
    free(id);
    end(&house);
}

/* The answer was lost; the fleet and the key are different now, but the run was started. */
TEST(a_repeated_request_is_answered_although_it_could_not_be_started_any_more)
{
    static const char without[] =
        "name: One\nvessels: { new: { source: { type: CODE, language: BASH, "
        "file: { name: x, content: 'true' } } } }\n";
    struct house house;
    begin(&house);
    char *id = start(&house, house.path, "k1", PROD, false);
    char *key = memory_format("%s/secret.key", house.daemon.state_dir);
    ck_assert_int_eq(unlink(key), 0);
    expect_status(&house, house.path, "k2", PROD, 503, "");
    expect_repeated(&house, house.path, "k1", PROD, id);
    char *file = daemon_write_file(&house.daemon, "one.yaml", without, strlen(without));
    free(ctl_ok(&house.daemon, "fleet", "apply", file, NULL));
    expect_repeated(&house, house.path, "k1", PROD, id);
    free(file);
    free(key);
    free(id);
    end(&house);
}

/* ---- callers ---- */

static char *start_with_key(struct house *house, const char *key, const char *path, const char *id)
{
    char *url = memory_format("http://127.0.0.1:%u%s", house->daemon.admin_port, path);
    char *bearer = memory_format("Authorization: Bearer %s", key);
    char *header = memory_format("Idempotency-Key: %s", id);
    const char *const headers[] = {bearer, header, NULL};
    struct response response;
    http_request("POST", url, headers, PROD, strlen(PROD), &response);
    ck_assert_msg(response.status == 201, "%d: %s", response.status, response.body);
    char *run_id = memory_string(response.run_id);
    response_free(&response);
    free(header);
    free(bearer);
    free(url);
    return run_id;
}

TEST(each_api_key_and_each_user_of_the_socket_has_keys_of_its_own)
{
    struct house house;
    begin(&house);
    char *owner = ctl_ok(&house.daemon, "key", "create", "deploy", NULL);
    char *bound =
        ctl_ok(&house.daemon, "key", "create", "ci", "--role", "trigger", "--fleet", "One", NULL);
    char *ids[] = {
        start_with_key(&house, owner, house.path, "k1"),
        start_with_key(&house, bound, house.path, "k1"),
        start(&house, house.path, "k1", PROD, false),
    };
    ck_assert_int_eq(count_runs(&house), 3);
    char *again[] = {
        start_with_key(&house, owner, house.reference, "k1"),
        start_with_key(&house, bound, house.reference, "k1"),
        start(&house, house.reference, "k1", PROD, true),
    };
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
        ck_assert_str_eq(ids[i], again[i]);
    /* A new key has nothing of a revoked one with the same name. */
    free(ctl_ok(&house.daemon, "key", "revoke", "deploy", NULL));
    char *renewed = ctl_ok(&house.daemon, "key", "create", "deploy", NULL);
    char *id = start_with_key(&house, renewed, house.path, "k1");
    ck_assert_str_ne(id, ids[0]);
    ck_assert_int_eq(count_runs(&house), 4);
    free(id);
    free(renewed);
    for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
        free(ids[i]);
        free(again[i]);
    }
    free(bound);
    free(owner);
    end(&house);
}

TEST(webhookctl_repeats_a_request_with_its_key)
{
    struct house house;
    char *out, *err;
    begin(&house);
    char *first =
        ctl_ok(&house.daemon, "run", "trigger", "One", "--idempotency-key", "nightly-1", NULL);
    char *second =
        ctl_ok(&house.daemon, "run", "trigger", "One", "--idempotency-key", "nightly-1", NULL);
    ck_assert_str_eq(first, second);
    ck_assert_int_eq(count_runs(&house), 1);
    static const char *const bad[] = {"", "a b", "a\nX: y"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        int status = ctl(&house.daemon, &out, NULL, &err, "run", "trigger", "One",
                         "--idempotency-key", bad[i], NULL);
        ck_assert_msg(status == 2 && strstr(err, "--idempotency-key is malformed"), "%s", err);
        free(out);
        free(err);
    }
    free(first);
    free(second);
    end(&house);
}

/* ---- many at a time ---- */

#define THREADS 64
#define COPIES  5

/* Threads send each of `ids` keys COPIES times; the copies of one key are sent at about the same
 * time. */
struct crowd {
    struct house *house;
    const char *prefix;
    int ids;
    atomic_int next; /* request */
    sem_t answered;
    char (*runs)[40]; /* of each request; "" if it was not answered */
};

static void *send_copies(void *argument)
{
    struct crowd *crowd = argument;
    for (int i; (i = atomic_fetch_add(&crowd->next, 1)) < crowd->ids * COPIES;) {
        char value[32];
        struct response response;
        snprintf(value, sizeof(value), "%s-%d", crowd->prefix, i / COPIES);
        call(crowd->house, crowd->house->path, value, PROD, &response);
        if (response.status == 201)
            memcpy(crowd->runs[i], response.run_id, sizeof(response.run_id));
        response_free(&response);
        sem_post(&crowd->answered);
    }
    return NULL;
}

static void crowd_begin(struct crowd *crowd, pthread_t threads[THREADS])
{
    sem_init(&crowd->answered, 0, 0);
    crowd->runs = memory_array(NULL, (size_t)(crowd->ids * COPIES), sizeof(*crowd->runs));
    memset(crowd->runs, 0, (size_t)(crowd->ids * COPIES) * sizeof(*crowd->runs));
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_copies, crowd), 0);
}

static void crowd_join(struct crowd *crowd, pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    sem_destroy(&crowd->answered);
}

TEST(of_concurrent_copies_one_starts_a_run_and_all_name_it)
{
    struct house house;
    pthread_t threads[THREADS];
    struct crowd crowd = {.house = &house, .prefix = "c", .ids = 400};
    begin(&house);
    crowd_begin(&crowd, threads);
    crowd_join(&crowd, threads);
    for (int i = 0; i < crowd.ids * COPIES; i++) {
        ck_assert_msg(crowd.runs[i][0] != '\0', "request %d", i);
        ck_assert_str_eq(crowd.runs[i], crowd.runs[i / COPIES * COPIES]);
    }
    ck_assert_int_eq(count_runs(&house), crowd.ids);
    free(crowd.runs);
    end(&house);
}

/* After a crash the same requests are sent again: each key has one run, and it is the one that was
 * answered before. */
TEST(a_sigkill_between_copies_leaves_one_run_for_each_key)
{
    struct house house;
    begin(&house);
    for (int round = 0; round < 3; round++) {
        char prefix[16];
        pthread_t threads[THREADS];
        snprintf(prefix, sizeof(prefix), "r%d", round);
        struct crowd before = {.house = &house, .prefix = prefix, .ids = 200};
        long long runs = count_runs(&house);
        crowd_begin(&before, threads);
        for (int i = 0; i < 100 * (round + 1); i++)
            sem_wait(&before.answered);
        daemon_kill(&house.daemon);
        crowd_join(&before, threads);
        daemon_restart(&house.daemon);
        struct crowd after = {.house = &house, .prefix = prefix, .ids = before.ids};
        crowd_begin(&after, threads);
        crowd_join(&after, threads);
        for (int i = 0; i < after.ids * COPIES; i++) {
            const char *run = after.runs[i / COPIES * COPIES];
            ck_assert_msg(after.runs[i][0] != '\0', "request %d", i);
            ck_assert_str_eq(after.runs[i], run);
            ck_assert(before.runs[i][0] == '\0' || strcmp(before.runs[i], run) == 0);
        }
        ck_assert_int_eq(count_runs(&house), runs + after.ids);
        free(before.runs);
        free(after.runs);
    }
    end(&house);
}
