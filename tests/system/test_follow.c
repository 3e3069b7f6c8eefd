/* run log --follow: output as it arrives, complete, even across a restart of webhookd. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

static const struct daemon_options plain;

/* webhookctl run log … --follow in the background. */
struct following {
    pid_t pid;
    char *out;
};

static void follow(struct following *following, struct daemon *daemon, const char *run,
                   const char *vessel)
{
    static int number;
    char *program = daemon_program("webhookctl");
    following->out = memory_format("%s/followed-%d", daemon->folder, number++);
    fflush(NULL);
    following->pid = fork();
    if (following->pid == 0) {
        int fd = open(following->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        dup2(fd, STDOUT_FILENO);
        execl(program, "webhookctl", "-s", daemon->socket, "run", "log", run, "--follow", vessel,
              (char *)NULL);
        _exit(127);
    }
    free(program);
}

static char *so_far(const struct following *following, size_t *bytes)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    (void)file_read(AT_FDCWD, following->out, 1 << 26, &text, &error);
    *bytes = text.bytes;
    return buffer_take(&text);
}

static void await_text(const struct following *following, const char *text)
{
    for (int64_t until_ms = clock_monotonic_ms() + 20000;;) {
        size_t bytes;
        char *out = so_far(following, &bytes);
        bool found = out && strstr(out, text);
        if (!found)
            ck_assert_msg(clock_monotonic_ms() < until_ms, "\"%s\" is not in: %s", text,
                          out ? out : "");
        free(out);
        if (found)
            return;
        usleep(5000);
    }
}

static char *ended(struct following *following, size_t *bytes)
{
    int status;
    ck_assert_int_eq(waitpid(following->pid, &status, 0), following->pid);
    char *out = so_far(following, bytes);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %d: %s", status, out);
    free(following->out);
    return out;
}

/* Creates a FIFO that the vessel reads, so that it waits until the test writes. */
static char *make_gate(struct daemon *daemon)
{
    char *path = memory_format("%s/gate", daemon->folder);
    ck_assert_int_eq(mkfifo(path, 0666), 0);
    ck_assert_int_eq(chmod(path, 0666), 0);
    return path;
}

static void let_go(const char *gate)
{
    int fd = open(gate, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(file_write_all(fd, "go\n", 3), 0);
    close(fd);
}

TEST(output_is_seen_while_the_vessel_runs_and_is_whole_at_its_end)
{
    struct daemon daemon;
    struct following following;
    daemon_begin(&daemon, &plain);
    char *gate = make_gate(&daemon);
    char *script = memory_format("echo first\nread -r x < %s\nprintf 'a\\0b\\377'\n"
                                 "head -c 100000 /dev/zero\necho last",
                                 gate);
    char *fleet = bash_fleet("Talks", script), *url = daemon_fleet(&daemon, fleet);
    char *id = api_post(url, "x", 1);
    follow(&following, &daemon, id, NULL);
    await_text(&following, "first\n");
    let_go(gate);
    size_t bytes;
    char *out = ended(&following, &bytes);
    ck_assert_uint_eq(bytes, 6 + 4 + 100000 + 5);
    ck_assert_mem_eq(out + 6, "a\0b\377\0", 5);
    ck_assert_mem_eq(out + bytes - 5, "last\n", 5);
    free(out);
    follow(&following, &daemon, id, NULL); /* the run has ended: all output comes immediately */
    out = ended(&following, &bytes);
    ck_assert_uint_eq(bytes, 6 + 4 + 100000 + 5);
    free(out);
    free(id);
    free(url);
    free(fleet);
    free(script);
    free(gate);
    daemon_finish(&daemon);
}

TEST(following_continues_after_a_restart_where_it_was)
{
    struct daemon daemon;
    struct following following;
    daemon_begin(&daemon, &plain);
    char *gate = make_gate(&daemon);
    char *script = memory_format("echo first\nread -r x < %s\necho second", gate);
    char *fleet = bash_fleet("Talks", script), *url = daemon_fleet(&daemon, fleet);
    char *id = api_post(url, "x", 1);
    follow(&following, &daemon, id, NULL);
    await_text(&following, "first\n");
    ck_assert_int_eq(daemon_stop(&daemon), 0); /* a reader does not hold up the stop */
    daemon_restart(&daemon);
    let_go(gate);
    size_t bytes;
    char *out = ended(&following, &bytes);
    ck_assert_str_eq(out, "first\nsecond\n");
    free(out);
    free(id);
    free(url);
    free(fleet);
    free(script);
    free(gate);
    daemon_finish(&daemon);
}

TEST(vessels_and_attempts_follow_one_another)
{
    struct daemon daemon;
    struct following following;
    daemon_begin(&daemon, &plain);
    static const char fleet[] =
        "name: Two\nvessels:\n"
        "  one:\n    source:\n      type: CODE\n      language: BASH\n      file_to_run: a\n"
        "      file: { name: a, content: 'echo try $WEBHOOKD_ATTEMPT; test $WEBHOOKD_ATTEMPT = 2' "
        "}\n"
        "    guardrails: { retry_count: 1, retry_wait: 1s }\n"
        "  two:\n    source:\n      type: CODE\n      language: BASH\n      file_to_run: a\n"
        "      file: { name: a, content: 'echo then' }\n"
        "connections: { one: { two: SUCCESS } }\n";
    char *url = daemon_fleet(&daemon, fleet), *id = api_post(url, "x", 1);
    follow(&following, &daemon, id, NULL);
    size_t bytes;
    char *out = ended(&following, &bytes);
    ck_assert_str_eq(out,
                     "==> one <==\ntry 1\n\n==> one, attempt 2 <==\ntry 2\n\n==> two <==\nthen\n");
    free(out);
    follow(&following, &daemon, id, "two");
    out = ended(&following, &bytes);
    ck_assert_str_eq(out, "then\n");
    free(out);
    char *err;
    ck_assert_int_eq(
        ctl(&daemon, &out, NULL, &err, "run", "log", id, "--follow", "--attempt", "9", NULL), 1);
    ck_assert_msg(strstr(err, "there is no attempt 9 of any vessel of this fleet run"), "%s", err);
    free(err);
    free(out);
    ck_assert_int_eq(
        ctl(&daemon, &out, NULL, NULL, "run", "log", id, "--follow", "--attempt", "2", NULL), 0);
    ck_assert_str_eq(out, "==> one, attempt 2 <==\ntry 2\n");
    free(out);
    free(id);
    free(url);
    daemon_finish(&daemon);
}

TEST(events_carry_their_position_and_the_outcome)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Says", "echo Hello; exit 3"), *url = daemon_fleet(&daemon, fleet);
    char *id = api_post(url, "x", 1);
    json_t *run = api_await_end(&daemon, id);
    const char *vessel = json_string_value(json_object_get(api_vessel(run, "main"), "id"));
    char *path =
        memory_format("http://localhost/api/v1/fleetruns/%s/vessels/%s/log?follow=1", id, vessel);
    struct response response;
    http_request_over(daemon.socket, "GET", path, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    ck_assert_ptr_nonnull(strstr(response.headers, "Content-Type: text/event-stream\r\n"));
    ck_assert_str_eq(response.body,
                     "id: 6\nevent: output\ndata: SGVsbG8K\n\n"
                     "event: end\ndata: {\"attempt\":1,\"exit_code\":3,\"reason\":\"\"}\n\n");
    response_free(&response);
    static const char *const headers[] = {"Last-Event-ID: 2", NULL};
    http_request_over(daemon.socket, "GET", path, headers, NULL, 0, &response);
    ck_assert_int_eq(strncmp(response.body, "id: 6\nevent: output\ndata: bGxvCg==\n\n", 36), 0);
    response_free(&response);
    char *later = memory_format("%s&from=4", path);
    http_request_over(daemon.socket, "GET", later, NULL, NULL, 0, &response);
    ck_assert_int_eq(strncmp(response.body, "id: 6\nevent: output\ndata: bwo=\n\n", 32), 0);
    response_free(&response);
    http_request_over(daemon.socket, "GET", later, headers, NULL, 0, &response);
    /* Last-Event-ID wins over from: the header comes from an automatic reconnect. */
    ck_assert_ptr_nonnull(strstr(response.body, "data: bGxvCg==\n"));
    response_free(&response);
    free(later);
    later = memory_format("%s&from=9223372036854775807", path);
    http_request_over(daemon.socket, "GET", later, NULL, NULL, 0, &response);
    ck_assert_int_eq(strncmp(response.body, "event: end\n", 11), 0);
    response_free(&response);
    free(later);
    json_decref(run);
    free(path);
    free(id);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
}
