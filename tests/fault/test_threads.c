/* A webhookd that can start no more threads, as when the tasks of its unit are used up: it answers,
 * and says so. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/api.h"
#include "support/faults.h"
#include "support/suite.h"

#define NO_THREADS "pthread_create 11 *\n" /* EAGAIN */

/* A call over TCP with this header, or none. */
static int call(const struct daemon *daemon, const char *path, const char *header)
{
    char *url = memory_format("http://127.0.0.1:%u%s", daemon->admin_port, path);
    const char *const headers[] = {header, NULL};
    struct response response;
    http_request("GET", url, headers, NULL, 0, &response);
    int status = response.status;
    response_free(&response);
    free(url);
    return status;
}

TEST(without_new_threads_health_checks_and_administrators_are_answered)
{
    enum { STRANGERS = 30 };
    int fds[STRANGERS];
    struct faults faults = {0};
    struct daemon *daemon = &faults.daemon;
    faults_prepare(&faults, "enabled = false");
    daemon_restart(daemon);
    char *key = ctl_ok(daemon, "key", "create", "good", NULL);
    char *header = memory_format("Authorization: Bearer %s", key);
    faults_set_rule(&faults, NO_THREADS);

    /* One has sent a part of a request, and stays. */
    static const char part[] = "GET /healthz HTTP/1.1\r\nHost: ";
    for (int i = 0; i < STRANGERS; i++) {
        fds[i] = raw_connect(daemon->admin_port);
        ck_assert_int_eq(raw_send(fds[i], part, strlen(part)), 0);
    }
    ck_assert_int_eq(call(daemon, "/healthz", NULL), 200);
    ck_assert_int_eq(call(daemon, "/readyz", NULL), 200);
    ck_assert_int_eq(call(daemon, "/api/v1/status", header), 200);
    ck_assert_int_eq(call(daemon, "/api/v1/status", NULL), 401);
    /* A stream would need the thread for itself. */
    ck_assert_int_eq(call(daemon, "/api/v1/events", header), 503);
    free(ctl_ok(daemon, "status", NULL));
    char *file = bash_fleet("made", "true\n"), *url = daemon_fleet(daemon, file);
    free(api_post(url, "x", 1));
    daemon_await_log(daemon, "warning: no thread for a connection listener=admin error=\"cannot "
                             "start the thread \\\"admin\\\": Resource temporarily unavailable\"");
    daemon_await_log(daemon, "raise TasksMax= or LimitNPROC= in the unit");

    faults_clear_rules(&faults);
    free(ctl_ok(daemon, "status", NULL));
    daemon_await_log(daemon, "connections have threads again");
    for (int i = 0; i < STRANGERS; i++)
        close(fds[i]);
    free(url);
    free(file);
    free(header);
    free(key);
    faults_finish(&faults);
}

/* Connections without a thread of their own end with the server, too. */
TEST(a_stop_without_new_threads_ends_open_connections)
{
    struct faults faults = {0};
    struct daemon *daemon = &faults.daemon;
    faults_prepare(&faults, "enabled = false");
    daemon_restart(daemon);
    int with_thread = raw_connect(daemon->admin_port);
    ck_assert_int_eq(call(daemon, "/healthz", NULL), 200);
    faults_set_rule(&faults, NO_THREADS);
    int without = raw_connect(daemon->admin_port);
    ck_assert_int_eq(call(daemon, "/healthz", NULL), 200);
    ck_assert_int_eq(daemon_stop(daemon), 0);
    close(with_thread);
    close(without);
    faults_finish(&faults);
}

/* libmicrohttpd accepts the connections of the public listener. */
TEST(the_public_listener_says_so_if_it_cannot_accept_and_goes_on_later)
{
    struct faults faults = {0};
    struct daemon *daemon = &faults.daemon;
    faults_prepare(&faults, "enabled = false");
    daemon_restart(daemon);
    faults_set_rule(&faults, "accept4 24 *\n"); /* EMFILE */
    int waiting = raw_connect(daemon->port);
    daemon_await_log(daemon, "warning: connections are not accepted listener=hooks reason=");
    faults_clear_rules(&faults);
    daemon_await_log(daemon, "connections are accepted again listener=hooks");
    close(waiting);
    faults_finish(&faults);
}

TEST(the_admin_listener_says_so_if_it_cannot_accept_and_goes_on_later)
{
    struct faults faults = {0};
    struct daemon *daemon = &faults.daemon;
    faults_prepare(&faults, "enabled = false");
    daemon_restart(daemon);
    faults_set_rule(&faults, "accept4 24 *\n"); /* EMFILE */
    int waiting = raw_connect(daemon->admin_port);
    daemon_await_log(daemon, "warning: connections are not accepted listener=admin "
                             "reason=\"Too many open files\"");
    faults_clear_rules(&faults);
    ck_assert_int_eq(call(daemon, "/healthz", NULL), 200);
    daemon_await_log(daemon, "connections are accepted again listener=admin");
    close(waiting);
    faults_finish(&faults);
}
