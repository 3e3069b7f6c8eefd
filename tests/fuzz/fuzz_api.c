/* The admin API, from a request's headers to the JSON of its answer, on a store with one fleet, one
 * run and one key. The input is a request: "GET /api/v1/orgs HTTP/1.1", lines of "Name: value", an
 * empty line, and the body. It comes over TCP if it has a header that matters only there.
 *
 * Every change is made and then undone, so that each input finds the same store. To the handlers,
 * the commit queue is the functions here (the Makefile has the linker wrap them). */
#include "fuzz/fuzz.h"

#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/caller.h"
#include "admin/instance.h"
#include "admin/service.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/resources.h"
#include "config/bounds.h"
#include "fuzz/api_store.h"
#include "fuzz/fake_request.h"
#include "store/sqlite/connection.h"

static struct api_store store;
static struct admin *admin;
static struct http_server *server;

/* ---- the commit queue ---- */

int __wrap_commit_call(struct commit_queue *queue, const struct commit_call *call,
                       struct error *error);
int __wrap_commit_submit(struct commit_queue *queue, struct commit_op *op, struct error *error);
int __wrap_commit_has_room(struct commit_queue *queue, int64_t body_bytes, struct error *error);
int __wrap_commit_is_ready(struct commit_queue *queue, struct error *error);
void __wrap_commit_get_metrics(struct commit_queue *queue, struct commit_metrics *metrics);
int __wrap_commit_backup(struct commit_queue *queue, const struct store_backup_guard *guard,
                         struct error *error);

int __wrap_commit_call(struct commit_queue *queue, const struct commit_call *call,
                       struct error *error)
{
    (void)queue;
    FUZZ_CHECK(transaction_begin(store.store, error) == 0);
    int result = call->apply(call->context, store.store, error);
    FUZZ_CHECK((result != 0) == error_is_set(error));
    transaction_rollback(store.store);
    if (call->done)
        call->done(call->context, result == 0 ? NULL : error);
    return result;
}

int __wrap_commit_submit(struct commit_queue *queue, struct commit_op *op, struct error *error)
{
    (void)queue, (void)op;
    return error_set(error, ERROR_UNAVAILABLE, "the queue is full");
}

int __wrap_commit_has_room(struct commit_queue *queue, int64_t body_bytes, struct error *error)
{
    (void)queue, (void)body_bytes, (void)error;
    return 0;
}

int __wrap_commit_is_ready(struct commit_queue *queue, struct error *error)
{
    (void)queue, (void)error;
    return 0;
}

void __wrap_commit_get_metrics(struct commit_queue *queue, struct commit_metrics *metrics)
{
    (void)queue;
    *metrics = (struct commit_metrics){0};
}

int __wrap_commit_backup(struct commit_queue *queue, const struct store_backup_guard *guard,
                         struct error *error)
{
    (void)queue, (void)guard;
    return error_set(error, ERROR_UNAVAILABLE, "there is no store to copy");
}

/* ---- the instance ---- */

static void clean_up(void)
{
    installer_stop(admin->options.installer);
    readers_free(admin->readers);
    sign_in_limit_free(admin->sign_in_limit);
    admin_events_free(admin->options.events);
    fleet_sections_free(admin->fleet_sections);
    config_release(admin->config);
    api_store_close(&store);
    free(admin);
    free(server);
}

/* Once, for all inputs. */
static void open_admin(void)
{
    static const struct resources plenty = {
        .files.amount = INT64_MAX, .tasks.amount = INT64_MAX, .memory.amount = INT64_MAX};
    struct error error = ERROR_INIT;
    struct config_report report = {0};
    FUZZ_CHECK(secret_init(&error) == 0);
    log_set_level(LOG_LEVEL_ERROR);
    admin = memory_alloc(sizeof(*admin));
    api_store_open(&store);
    pthread_mutex_init(&admin->config_lock, NULL);
    pthread_mutex_init(&admin->key_lock, NULL);
    /* The installer refuses all work, and its folder cannot be created. */
    static const char text[] =
        "packages {\n enabled = false\n dir = \"/nonexistent/packages\"\n}\n";
    admin->config = config_parse(text, strlen(text), "w.conf", &report);
    FUZZ_CHECK(config_bounds_apply(admin->config, &plenty, &error) == 0);
    admin->fleet_sections = fleet_sections_new(admin->config);
    admin->options.store = store.options;
    admin->options.events = admin_events_new();
    admin->options.state_fd = store.folder_fd;
    const struct installer_options installer = {
        .config = admin->config, .supervisor_path = "", .store = store.options};
    admin->options.installer = installer_start(&installer);
    admin->readers = readers_new(&store.options);
    admin->sign_in_limit = sign_in_limit_new();
    admin->tcp = (struct admin_listener){.admin = admin, .over_tcp = true, .listen_fd = -1};
    admin->local = (struct admin_listener){.admin = admin, .over_tcp = false, .listen_fd = -1};
    server = memory_alloc(sizeof(*server));
    server->options.service = &admin_service;
    atexit(clean_up);
}

/* ---- a request ---- */

static bool comes_over_tcp(const struct fake_request *request)
{
    static const char *const names[] = {"Authorization", "Cookie", "Origin", "Sec-Fetch-Site"};
    for (size_t i = 0; i < request->header_count; i++)
        for (size_t k = 0; k < ARRAY_COUNT(names); k++)
            if (strcasecmp(request->headers[i].name, names[k]) == 0)
                return true;
    return false;
}

/* Calls the steps as libmicrohttpd would. */
static void serve(struct fake_request *request, const uint8_t *body, size_t bytes)
{
    struct http_exchange *exchange = &request->exchange;
    size_t none = 0;
    enum MHD_Result result = exchange_continue(exchange, NULL, &none);
    if (result == MHD_YES && exchange->stage == EXCHANGE_BODY) {
        int64_t length = exchange->content_length > 0 ? exchange->content_length : 0;
        size_t count = exchange->chunked || (uint64_t)length > bytes ? bytes : (size_t)length;
        if (count > 0)
            result = exchange_continue(exchange, (const char *)body, &count);
        FUZZ_CHECK(count == 0);
    }
    if (result == MHD_YES && exchange->stage == EXCHANGE_BODY)
        result = exchange_continue(exchange, NULL, &none);
    FUZZ_CHECK(result == MHD_YES && exchange->stage == EXCHANGE_REPLIED && request->is_answered);
}

/* Every JSON answer is an envelope (docs/openapi.yaml). */
static void check_envelope(const struct fake_request *request)
{
    json_error_t why;
    json_t *answer = json_loads(request->answer, JSON_REJECT_DUPLICATES, &why);
    struct id id;
    const char *text = json_string_value(json_object_get(json_object_get(answer, "request"), "id"));
    FUZZ_CHECK(text && id_parse(text, &id) == 0 && id_equal(&id, &request->exchange.id));
    FUZZ_CHECK(json_object_get(answer, "data"));
    const json_t *error = json_object_get(answer, "error");
    FUZZ_CHECK((request->status >= 400) == (error != NULL));
    if (error) {
        FUZZ_CHECK(json_is_null(json_object_get(answer, "data")));
        FUZZ_CHECK(fuzz_is_message(json_string_value(json_object_get(error, "message"))));
    }
    /* What the caller was not let in with is not told to anyone. */
    FUZZ_CHECK(request->status != 401 || !strstr(request->answer, API_STORE_KEY));
    json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct sockaddr_in peer = {.sin_family = AF_INET};
    if (!admin)
        open_admin();
    struct fake_request request;
    fake_request_open(&request, &data, &bytes);
    char *path = request.exchange.target;
    api_store_put_ids(&store, path);
    api_store_put_ids(&store, path + (request.exchange.query - path));
    bool over_tcp = comes_over_tcp(&request);
    server->options.context = over_tcp ? &admin->tcp : &admin->local;
    request.peer = over_tcp ? (const struct sockaddr *)&peer : NULL;
    struct http_connection *connection = connection_new(server, -1, clock_monotonic_ms());
    request.exchange.connection = connection;
    serve(&request, data, bytes);
    FUZZ_CHECK(request.status >= 200 && request.status < 600);
    if (request.answer && strcmp(request.content_type, "application/json") == 0)
        check_envelope(&request);
    exchange_close(&request.exchange);
    FUZZ_CHECK(atomic_load(&admin->held_bytes) == 0);
    connection_free(connection);
    fake_request_close(&request);
    return 0;
}
