/* What the owner of a webhook sees of its calls: the last request, and the numbers accepted and
 * refused. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/hook.h"
#include "support/suite.h"

#define PATIENCE_MS 20000

static const struct daemon_options plain;

static json_t *look(struct hook *hook)
{
    json_t *list = api_get(&hook->daemon, "/webhooks");
    json_t *webhook = json_incref(json_array_get(json_object_get(list, "webhooks"), 0));
    json_decref(list);
    return webhook;
}

static long long count(const json_t *webhook, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(webhook, "requests"), key));
}

/* Waits until this many requests have been counted and returns the webhook. */
static json_t *await_calls(struct hook *hook, long long accepted, long long refused)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (;;) {
        json_t *webhook = look(hook);
        if (count(webhook, "accepted") == accepted && count(webhook, "refused") == refused)
            return webhook;
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%lld accepted, %lld refused",
                      count(webhook, "accepted"), count(webhook, "refused"));
        json_decref(webhook);
        usleep(20000);
    }
}

static const json_t *last_of(const json_t *webhook)
{
    return json_object_get(webhook, "last_request");
}

/* Sends a request on a connection of its own and returns the status of the response. */
static int send_raw(struct hook *hook, const char *path, const char *headers)
{
    struct response response;
    char *text =
        memory_format("POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", path, headers);
    int fd = raw_connect(hook->daemon.port);
    ck_assert_int_eq(raw_send(fd, text, strlen(text)), 0);
    raw_read_answer(fd, &response);
    int status = response.status;
    response_free(&response);
    close(fd);
    free(text);
    return status;
}

TEST(owner_sees_the_last_request_and_how_many_were_accepted_and_refused)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    json_t *webhook = look(&hook);
    ck_assert(json_is_null(last_of(webhook)));
    ck_assert_int_eq(count(webhook, "accepted"), 0);
    json_decref(webhook);

    for (int i = 0; i < 3; i++)
        free(api_post(hook.url, "{}", 2));
    webhook = await_calls(&hook, 3, 0);
    const json_t *last = last_of(webhook);
    json_t *runs = api_get(&hook.daemon, "/fleetruns?limit=1");
    const json_t *run = json_array_get(json_object_get(runs, "fleetruns"), 0);
    ck_assert_str_eq(api_text(last, "at"), api_text(run, "created_at"));
    ck_assert_str_eq(api_text(last, "remote_addr"), "127.0.0.1");
    ck_assert_int_eq(json_integer_value(json_object_get(last, "status")), 201);
    ck_assert_int_gt(json_integer_value(json_object_get(last, "answer_us")), 0);
    json_decref(runs);
    json_decref(webhook);

    ck_assert_int_eq(send_raw(&hook, hook.path, "Content-Length: 999999999\r\n"), 413);
    webhook = await_calls(&hook, 3, 1);
    ck_assert_int_eq(json_integer_value(json_object_get(last_of(webhook), "status")), 413);
    json_decref(webhook);
    hook_finish(&hook);
}

TEST(request_that_breaks_off_is_counted_as_unanswered)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    char byte;
    char *text = memory_format("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
                               "Expect: 100-continue\r\n\r\n",
                               hook.path);
    int fd = raw_connect(hook.daemon.port);
    ck_assert_int_eq(raw_send(fd, text, strlen(text)), 0);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 1); /* webhookd has read the headers */
    ck_assert_int_eq(raw_send(fd, "abc", 3), 0);
    close(fd);
    free(text);
    json_t *webhook = await_calls(&hook, 0, 1);
    ck_assert(json_is_null(json_object_get(last_of(webhook), "status")));
    ck_assert(json_is_null(json_object_get(last_of(webhook), "answer_us")));
    json_decref(webhook);
    hook_finish(&hook);
}

TEST(requests_just_before_a_replacement_are_counted)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    for (int i = 0; i < 5; i++)
        free(api_post(hook.url, "{}", 2));
    free(ctl_ok(&hook.daemon, "webhook", "replace", "Greet", NULL));
    json_t *webhook = await_calls(&hook, 5, 0);
    ck_assert(json_is_null(last_of(webhook))); /* the new URL has had no request */
    ck_assert_int_eq(send_raw(&hook, hook.path, "Content-Length: 0\r\n"), 400);
    char *url = memory_format("http://127.0.0.1:%u%s", hook.daemon.port,
                              url_path(api_text(webhook, "url")));
    json_decref(webhook);
    free(api_post(url, "{}", 2)); /* counted after the request to the old URL */
    json_decref(await_calls(&hook, 6, 0));
    free(url);
    hook_finish(&hook);
}

TEST(requests_to_other_urls_are_not_counted)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    char *unknown = hook_unknown_path();
    ck_assert_int_eq(send_raw(&hook, unknown, "Content-Length: 0\r\n"), 400);
    ck_assert_int_eq(send_raw(&hook, unknown, "Content-Length: 999999999\r\n"), 400);
    ck_assert_int_eq(send_raw(&hook, "/hooks/x", "Content-Length: 0\r\n"), 400);
    free(unknown);
    free(api_post(hook.url, "{}", 2)); /* counted after the others */
    json_decref(await_calls(&hook, 1, 0));
    hook_finish(&hook);
}

TEST(refusals_on_a_full_disk_are_counted_once_there_is_room_again)
{
    struct daemon_options options = {.top = "min_free = 1024GiB\n"};
    struct hook hook;
    hook_begin(&hook, &plain);
    daemon_stop(&hook.daemon);
    daemon_configure(&hook.daemon, &options);
    daemon_restart(&hook.daemon);
    ck_assert_int_eq(send_raw(&hook, hook.path, "Content-Length: 0\r\n"), 503);
    json_t *webhook = look(&hook);
    ck_assert(json_is_null(last_of(webhook)));
    json_decref(webhook);
    options.top = "";
    daemon_configure(&hook.daemon, &options);
    kill(hook.daemon.pid, SIGHUP);
    webhook = await_calls(&hook, 0, 1);
    ck_assert_int_eq(json_integer_value(json_object_get(last_of(webhook), "status")), 503);
    json_decref(webhook);
    hook_finish(&hook);
}

TEST(stop_stores_the_counts_and_a_start_continues_them)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    free(api_post(hook.url, "{}", 2));
    ck_assert_int_eq(daemon_stop(&hook.daemon), 0);
    daemon_restart(&hook.daemon);
    char *url = memory_format("http://127.0.0.1:%u%s", hook.daemon.port, hook.path);
    json_t *webhook = look(&hook);
    ck_assert_int_eq(count(webhook, "accepted"), 1);
    json_decref(webhook);
    free(api_post(url, "{}", 2));
    json_decref(await_calls(&hook, 2, 0));
    free(url);
    hook_finish(&hook);
}

TEST(caller_chooses_the_start_of_the_count)
{
    struct hook hook;
    hook_begin(&hook, &plain);
    free(api_post(hook.url, "{}", 2));
    json_decref(await_calls(&hook, 1, 0));
    json_t *list = api_get(&hook.daemon, "/webhooks?since=2126-11-28T10:20:00Z");
    const json_t *webhook = json_array_get(json_object_get(list, "webhooks"), 0);
    ck_assert_int_eq(count(webhook, "accepted"), 0);
    ck_assert_str_eq(api_text(json_object_get(webhook, "requests"), "since"),
                     "2126-11-28T10:15:00.000Z");
    json_decref(list);
    struct response response;
    api_call(&hook.daemon, "GET", "/api/v1/webhooks?since=yesterday", NULL, 0, &response);
    ck_assert_int_eq(response.status, 400);
    response_free(&response);
    hook_finish(&hook);
}
