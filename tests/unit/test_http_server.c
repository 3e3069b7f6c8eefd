/* http/server with a service of the test's own: deadlines, and which connection is closed when
 * there are too many. Clients are silent, and deadlines take a few milliseconds; nothing here
 * depends on how fast anything is. */
#include "http/server.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/http.h"
#include "support/suite.h"

#define LONG_MS  600000
#define SHORT_MS 50

struct service {
    struct http_server *server;
    unsigned port;
    int64_t finish_takes_ms;
    atomic_int begun;    /* requests */
    atomic_int pieces;   /* of bodies */
    atomic_int finished; /* requests */
    /* As long as it is set, requests for /hold stay in `begin` and those for /work in `finish`. */
    atomic_bool holds;
};

static void hold(const struct service *service, const struct http_exchange *exchange,
                 const char *path)
{
    while (strcmp(http_path(exchange), path) == 0 && atomic_load(&service->holds))
        usleep(1000);
}

static enum http_step begin(struct http_exchange *exchange, void *context)
{
    struct service *service = context;
    atomic_fetch_add(&service->begun, 1);
    hold(service, exchange, "/hold");
    if (strcmp(http_path(exchange), "/early") == 0)
        return http_reply_data(exchange, 200, NULL);
    return HTTP_CONTINUE;
}

static enum http_step data(struct http_exchange *exchange, const void *bytes, size_t count,
                           size_t *consumed, void *context)
{
    (void)exchange;
    (void)bytes;
    struct service *service = context;
    atomic_fetch_add(&service->pieces, 1);
    *consumed = count;
    return HTTP_CONTINUE;
}

static enum http_step finish(struct http_exchange *exchange, void *context)
{
    struct service *service = context;
    atomic_fetch_add(&service->finished, 1);
    hold(service, exchange, "/work");
    usleep((useconds_t)service->finish_takes_ms * 1000);
    return http_reply_data(exchange, 200, NULL);
}

static void end(struct http_exchange *exchange, void *context)
{
    (void)exchange;
    (void)context;
}

static const struct http_service steps = {
    .begin = begin, .data = data, .finish = finish, .end = end};

/* Starts a server with a thread for each connection, as the admin API has it. */
static void service_start(struct service *service, const struct http_options *wishes)
{
    struct error error = ERROR_INIT;
    char address[HTTP_ADDRESS_BYTES];
    struct http_options options = *wishes;
    options.name = "test";
    options.listen_fd = http_listen("127.0.0.1:0", &error);
    ck_assert_msg(options.listen_fd >= 0, "%s", error.message);
    options.service = &steps;
    options.context = service;
    if (options.max_connections == 0)
        options.max_connections = 100;
    int64_t *const timeouts[] = {&options.header_timeout_ms, &options.body_timeout_ms,
                                 &options.idle_timeout_ms};
    for (size_t i = 0; i < 3; i++)
        if (*timeouts[i] == 0)
            *timeouts[i] = LONG_MS;
    http_listen_address(options.listen_fd, address);
    service->port = (unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10);
    service->server = http_server_start(&options, &error);
    ck_assert_msg(service->server, "%s", error.message);
}

static void service_stop(struct service *service)
{
    ck_assert_int_eq(http_server_stop(service->server, LONG_MS), 0);
    http_server_free(service->server);
}

static void await_closed(int fd)
{
    int closed = 0;
    free(raw_receive(fd, 20000, &closed));
    ck_assert_int_eq(closed, 1);
}

static bool is_open(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

TEST(an_answer_may_take_longer_than_a_body)
{
    struct service service = {.finish_takes_ms = 10 * SHORT_MS};
    struct response response;
    char url[64];
    service_start(&service, &(struct http_options){.body_timeout_ms = SHORT_MS});
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", service.port);
    http_request("POST", url, NULL, "body", 4, &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    http_request("GET", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    struct http_metrics metrics;
    http_server_get_metrics(service.server, &metrics);
    ck_assert_uint_eq(metrics.closed_deadline, 0);
    service_stop(&service);
}

static bool takes_mounted(void *context, const char *method, const char *path)
{
    (void)context;
    return strcmp(method, "POST") == 0 && strcmp(path, "/mounted") == 0;
}

static int status_of(const struct service *service, const char *method, const char *path)
{
    struct response response;
    char *url = memory_format("http://127.0.0.1:%u%s", service->port, path);
    bool is_post = strcmp(method, "POST") == 0;
    http_request(method, url, NULL, is_post ? "body" : NULL, is_post ? 4 : 0, &response);
    int status = response.status;
    response_free(&response);
    free(url);
    return status;
}

TEST(a_mounted_service_gets_all_steps_of_its_requests_and_no_others)
{
    for (unsigned workers = 0; workers <= 1; workers++) {
        struct service main_service = {.finish_takes_ms = 0}, mounted = {.finish_takes_ms = 0};
        const struct http_mount mount = {takes_mounted, &steps, &mounted};
        service_start(&main_service, &(struct http_options){.workers = workers, .mount = &mount});
        ck_assert_int_eq(status_of(&main_service, "POST", "/mounted?x=/"), 200);
        ck_assert(mounted.begun == 1 && mounted.pieces == 1 && mounted.finished == 1);
        ck_assert_int_eq(main_service.begun, 0);
        ck_assert_int_eq(status_of(&main_service, "GET", "/mounted"), 200);
        ck_assert_int_eq(status_of(&main_service, "POST", "/mounted/"), 200);
        ck_assert(mounted.begun == 1 && main_service.begun == 2 && main_service.finished == 2);
        service_stop(&main_service);
    }
}

TEST(each_phase_has_its_deadline)
{
    static const struct {
        struct http_options options;
        const char *sent;
    } cases[] = {
        {{.header_timeout_ms = SHORT_MS}, "POST / HTTP/1.1\r\nHost: "},
        {{.body_timeout_ms = SHORT_MS},
         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123"},
        {{.idle_timeout_ms = SHORT_MS}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct service service = {.finish_takes_ms = 0};
        struct http_metrics metrics;
        service_start(&service, &cases[i].options);
        int fd = raw_connect(service.port);
        ck_assert_int_eq(raw_send(fd, cases[i].sent, strlen(cases[i].sent)), 0);
        await_closed(fd);
        close(fd);
        http_server_get_metrics(service.server, &metrics);
        ck_assert_uint_eq(metrics.closed_deadline, 1);
        service_stop(&service);
    }
}

/* Waits until the server has accepted this many connections. */
static void await_accepted(const struct service *service, uint64_t count)
{
    struct http_metrics metrics;
    do
        http_server_get_metrics(service->server, &metrics);
    while (metrics.accepted < count && usleep(1000) == 0);
}

TEST(the_longest_idle_connection_is_closed_when_there_are_too_many)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", part[] = "GET / HT";
    struct service service = {.finish_takes_ms = 0};
    struct http_metrics metrics;
    service_start(&service, &(struct http_options){.max_connections = 3});
    int fds[5], closed;
    for (int i = 0; i < 3; i++) {
        fds[i] = raw_connect(service.port);
        await_accepted(&service, (uint64_t)i + 1);
    }
    ck_assert_int_eq(raw_send(fds[0], part, strlen(part)), 0);
    for (int i = 1; i < 3; i++) { /* these get a response and are idle afterwards */
        ck_assert_int_eq(raw_send(fds[i], request, strlen(request)), 0);
        int answers = 0;
        while (answers == 0) {
            char *answer = raw_receive(fds[i], 200, &closed);
            answers = count_answers(answer);
            free(answer);
            ck_assert_int_eq(closed, 0);
        }
        ck_assert_int_eq(answers, 1);
    }
    fds[3] = raw_connect(service.port);
    await_closed(fds[1]);
    ck_assert(is_open(fds[0]) && is_open(fds[2]));
    fds[4] = raw_connect(service.port);
    await_closed(fds[2]);
    ck_assert(is_open(fds[0]) && is_open(fds[3]));
    http_server_get_metrics(service.server, &metrics);
    ck_assert_uint_eq(metrics.closed_idle_for_room, 2);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    service_stop(&service);
}

/* Whoever has just connected is not closed for the next one as long as there are older strangers,
 * whatever these have sent. */
TEST(a_fresh_connection_is_not_closed_before_older_strangers)
{
    static const char half[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345";
    struct service service = {.finish_takes_ms = 0};
    service_start(&service, &(struct http_options){.max_connections = 3});
    int fds[4];
    for (int i = 0; i < 2; i++) {
        fds[i] = raw_connect(service.port);
        ck_assert_int_eq(raw_send(fds[i], half, strlen(half)), 0);
    }
    while (atomic_load(&service.pieces) < 2)
        usleep(1000);
    usleep(10000); /* the clock of their age counts milliseconds */
    for (int i = 2; i < 4; i++) {
        fds[i] = raw_connect(service.port);
        await_accepted(&service, (uint64_t)i + 1);
    }
    struct pollfd old[] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
    ck_assert_int_eq(poll(old, 2, 20000), 1);
    ck_assert(is_open(fds[2]) && is_open(fds[3]));
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    service_stop(&service);
}

/* A few clients with half a body each must not lock out everybody else. */
TEST(a_connection_with_a_stalled_body_makes_room)
{
    static const char half[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345";
    struct service service = {.finish_takes_ms = 0};
    struct response response;
    char url[64];
    service_start(&service, &(struct http_options){.max_connections = 2});
    int first = raw_connect(service.port), second = raw_connect(service.port);
    ck_assert_int_eq(raw_send(first, half, strlen(half)), 0);
    ck_assert_int_eq(raw_send(second, half, strlen(half)), 0);
    await_accepted(&service, 2);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", service.port);
    /* At first neither body counts as stalled. */
    for (int status = 0; status != 200; usleep(100000)) {
        http_request("GET", url, NULL, NULL, 0, &response);
        status = response.status;
        response_free(&response);
    }
    struct pollfd both[] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
    ck_assert_int_eq(poll(both, 2, 20000), 1);
    await_closed(both[0].revents != 0 ? first : second);
    ck_assert(is_open(both[0].revents != 0 ? second : first));
    close(first);
    close(second);
    service_stop(&service);
}

/* The first stranger began its second request after the other one connected. */
TEST(a_stranger_does_not_become_younger_with_another_request)
{
    static const char good[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static const char first[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char second[] = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";
    struct service service = {.holds = true};
    struct http_metrics metrics;
    service_start(&service, &(struct http_options){.max_connections = 2});
    int older = raw_connect(service.port);
    ck_assert_int_eq(raw_send(older, first, strlen(first)), 0);
    while (recv(older, &(char){0}, 1, 0) != 1)
        ;
    int younger = raw_connect(service.port);
    do
        http_server_get_metrics(service.server, &metrics);
    while (metrics.accepted < 2 && usleep(1000) == 0);
    usleep(2000); /* at least, so that the second request is younger by the clock */
    ck_assert_int_eq(raw_send(older, second, strlen(second)), 0);
    while (atomic_load(&service.begun) < 2)
        usleep(1000);
    char *answer = raw_exchange(service.port, good, strlen(good));
    ck_assert_msg(strncmp(answer, "HTTP/1.1 200 ", 13) == 0, "%s", answer);
    free(answer);
    ck_assert(is_open(younger));
    atomic_store(&service.holds, false);
    await_closed(older);
    service_stop(&service);
    close(older);
    close(younger);
}

/* Otherwise strangers whose requests wait for a processor would shut out everybody. */
TEST(a_stranger_makes_room_while_its_request_is_handled)
{
    enum { MOST = 2 };
    static const char work[] = "GET /work HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char good[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct service service = {.holds = true};
    int fds[MOST];
    service_start(&service, &(struct http_options){.knows_early = true, .max_connections = MOST});
    for (int i = 0; i < MOST; i++) {
        fds[i] = raw_connect(service.port);
        ck_assert_int_eq(raw_send(fds[i], work, strlen(work)), 0);
    }
    while (atomic_load(&service.finished) < MOST)
        usleep(1000);
    char *answer = raw_exchange(service.port, good, strlen(good));
    ck_assert_msg(strncmp(answer, "HTTP/1.1 200 ", 13) == 0, "%s", answer);
    free(answer);
    atomic_store(&service.holds, false);
    service_stop(&service);
    for (int i = 0; i < MOST; i++)
        close(fds[i]);
}

/* They are shut down, but their threads are still busy. */
TEST(connections_that_are_about_to_end_take_no_room)
{
    enum { MOST = 2 };
    static const char held[] = "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
    static const char good[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct service service = {.holds = true};
    struct http_metrics metrics;
    int fds[MOST];
    service_start(&service,
                  &(struct http_options){.body_timeout_ms = SHORT_MS, .max_connections = MOST});
    for (int i = 0; i < MOST; i++) {
        fds[i] = raw_connect(service.port);
        ck_assert_int_eq(raw_send(fds[i], held, strlen(held)), 0);
    }
    do
        http_server_get_metrics(service.server, &metrics);
    while (metrics.closed_deadline < MOST && usleep(1000) == 0);
    char *answer = raw_exchange(service.port, good, strlen(good));
    ck_assert_msg(strncmp(answer, "HTTP/1.1 200 ", 13) == 0, "%s", answer);
    free(answer);
    atomic_store(&service.holds, false);
    service_stop(&service);
    for (int i = 0; i < MOST; i++)
        close(fds[i]);
}

/* Its sender has been told nothing, so nothing may come of it. The body has arrived together with
 * the headers, so libmicrohttpd has it already when the deadline passes. */
TEST(on_a_connection_that_was_closed_a_request_goes_no_further)
{
    static const char request[] = "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
    for (unsigned workers = 0; workers <= 1; workers++) {
        struct service service = {.holds = true};
        struct http_metrics metrics;
        service_start(&service,
                      &(struct http_options){.workers = workers, .body_timeout_ms = SHORT_MS});
        int fd = raw_connect(service.port);
        ck_assert_int_eq(raw_send(fd, request, strlen(request)), 0);
        do
            http_server_get_metrics(service.server, &metrics);
        while (metrics.closed_deadline == 0 && usleep(1000) == 0);
        atomic_store(&service.holds, false);
        service_stop(&service); /* waits for the request */
        ck_assert_int_eq(atomic_load(&service.finished), 0);
        close(fd);
    }
}

/* Most senders look for an answer only after they have sent all. If they could not, they would
 * report a broken connection instead. */
TEST(a_sender_can_go_on_after_an_early_answer_and_then_reads_it)
{
    enum { PIECES = 5, PAUSE_US = 20000, AT_LEAST_MS = 4000 };
    static const struct {
        const char *request, *status;
    } cases[] = {
        {"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n", "HTTP/1.1 200 "},
        {"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", "HTTP/1.1 400 "},
    };
    char piece[1000];
    memset(piece, 'x', sizeof(piece));
    for (size_t i = 0; i < 2 * ARRAY_COUNT(cases); i++) {
        struct service service = {.holds = false};
        service_start(&service, &(struct http_options){.workers = (unsigned)i % 2});
        int fd = raw_connect(service.port);
        ck_assert_int_eq(raw_send(fd, cases[i / 2].request, strlen(cases[i / 2].request)), 0);
        struct pollfd ended = {fd, POLLRDHUP, 0};
        ck_assert_int_eq(poll(&ended, 1, LONG_MS), 1);
        int64_t ended_ms = clock_monotonic_ms();
        for (int sent = 0; sent < PIECES; sent++) {
            int result = raw_send(fd, piece, sizeof(piece));
            ck_assert(result == 0 || clock_monotonic_ms() >= ended_ms + AT_LEAST_MS);
            usleep(PAUSE_US);
        }
        int closed;
        char *answer = raw_receive(fd, LONG_MS, &closed);
        ck_assert_msg(strncmp(answer, cases[i / 2].status, 13) == 0, "%s", answer);
        free(answer);
        close(fd);
        service_stop(&service);
    }
}
