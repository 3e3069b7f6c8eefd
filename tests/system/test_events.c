/* News of fleet runs, as server-sent events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

static const struct daemon_options plain;

struct reader {
    int fd;
    struct buffer text; /* everything received */
};

static void reader_send(struct reader *reader, struct daemon *daemon, const char *key,
                        const char *query, const char *header)
{
    char *request =
        memory_format("GET /api/v1/events%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
                      "Bearer %s\r\n%s\r\n",
                      query, key, header);
    *reader = (struct reader){.fd = raw_connect(daemon->admin_port)};
    ck_assert_int_eq(raw_send(reader->fd, request, strlen(request)), 0);
    free(request);
}

static void reader_open(struct reader *reader, struct daemon *daemon, const char *key,
                        const char *last_id)
{
    char *last = last_id ? memory_format("Last-Event-ID: %s\r\n", last_id) : memory_string("");
    reader_send(reader, daemon, key, "", last);
    free(last);
}

static void reader_close(struct reader *reader)
{
    close(reader->fd);
    buffer_free(&reader->text);
}

/* Reads until the text has arrived. */
static const char *await_text(struct reader *reader, const char *text)
{
    const char *found;
    while (!(found = strstr(buffer_text(&reader->text), text))) {
        char piece[4096];
        ssize_t count = read(reader->fd, piece, sizeof(piece));
        ck_assert_msg(count > 0, "\"%s\" is not in: %s", text, buffer_text(&reader->text));
        buffer_append(&reader->text, piece, (size_t)count);
    }
    return found;
}

/* Returns the complete line of the run's event with this status. */
static const char *await_event(struct reader *reader, const char *run_id, const char *status)
{
    char *text = memory_format("{\"run_id\":\"%s\"", run_id);
    const char *found = await_text(reader, text), *event = found;
    char *wanted = memory_format("\"status\":\"%s\"", status);
    for (;;) {
        await_text(reader, "\n\n");
        event = found = strstr(buffer_text(&reader->text), text);
        for (; event; event = strstr(event + 1, text)) {
            const char *end = strchr(event, '\n'), *at = strstr(event, wanted);
            if (end && at && at < end) {
                free(wanted);
                free(text);
                return event;
            }
        }
        char piece[4096];
        ssize_t count = read(reader->fd, piece, sizeof(piece));
        ck_assert_int_gt(count, 0);
        buffer_append(&reader->text, piece, (size_t)count);
    }
}

/* Returns the id of the event before `at`. */
static char *id_before(const struct reader *reader, const char *at)
{
    const char *id = NULL;
    for (const char *line = reader->text.data; (line = strstr(line, "id: ")) && line < at; line++)
        id = line + 4;
    ck_assert_ptr_nonnull(id);
    return memory_string_n(id, strcspn(id, "\n"));
}

TEST(a_run_is_reported_from_its_arrival_to_its_end)
{
    struct daemon daemon;
    struct reader reader;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "one", NULL);
    char *fleet = bash_fleet("Site", "exit 3"), *url = daemon_fleet(&daemon, fleet);
    reader_open(&reader, &daemon, key, NULL);
    await_text(&reader, "text/event-stream");
    await_text(&reader, "\r\n\r\n");
    char *ids[] = {api_post(url, "x", 1), ctl_ok(&daemon, "run", "start", "Site", NULL)};
    for (int i = 0; i < 2; i++) {
        const char *arrived = await_event(&reader, ids[i], "scheduled");
        ptrdiff_t at = arrived - reader.text.data;
        const char *running = await_event(&reader, ids[i], "running");
        ck_assert_int_lt(at, running - reader.text.data);
        at = running - reader.text.data;
        ck_assert_int_lt(at, await_event(&reader, ids[i], "errored") - reader.text.data);
        free(ids[i]);
    }
    ck_assert_ptr_nonnull(strstr(buffer_text(&reader.text), "event: run\ndata: {"));
    reader_close(&reader);
    free(url);
    free(fleet);
    free(key);
    daemon_finish(&daemon);
}

TEST(a_reader_that_reconnects_gets_the_events_it_missed)
{
    struct daemon daemon;
    struct reader reader;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "one", NULL);
    char *fleet = bash_fleet("Site", "true"), *url = daemon_fleet(&daemon, fleet);
    reader_open(&reader, &daemon, key, NULL);
    await_text(&reader, "\r\n\r\n");
    char *first = api_post(url, "x", 1);
    char *last_id = id_before(&reader, await_event(&reader, first, "success"));
    reader_close(&reader);

    char *missed = api_post(url, "x", 1);
    json_decref(api_await_end(&daemon, missed));
    reader_open(&reader, &daemon, key, last_id);
    (void)await_event(&reader, missed, "scheduled");
    (void)await_event(&reader, missed, "success");
    ck_assert_ptr_null(strstr(buffer_text(&reader.text), first));
    ck_assert_ptr_null(strstr(buffer_text(&reader.text), "event: missed"));
    reader_close(&reader);

    /* After a restart, or with an invented id, the reader is told that it may have missed
     * events. */
    const char *const strange[] = {last_id, "1-1", "x", "", "1-1-1"};
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_restart(&daemon);
    for (size_t i = 0; i < ARRAY_COUNT(strange); i++) {
        if (strange[i][0] == '\0')
            continue; /* such a header cannot be sent */
        reader_open(&reader, &daemon, key, strange[i]);
        await_text(&reader, "event: missed\ndata: {}\n\n");
        reader_close(&reader);
    }
    free(missed);
    free(last_id);
    free(first);
    free(url);
    free(fleet);
    free(key);
    daemon_finish(&daemon);
}

/* Each answer says where the stream continues, so a page that begins there misses nothing. */
TEST(a_reader_that_begins_after_an_answer_gets_what_followed_it)
{
    struct daemon daemon;
    struct reader reader;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "one", NULL);
    char *fleet = bash_fleet("Site", "true"), *url = daemon_fleet(&daemon, fleet);
    char *before = api_post(url, "x", 1);
    reader_open(&reader, &daemon, key, NULL); /* for the end of the first run's events */
    json_decref(api_await_end(&daemon, before));
    char *probe = api_post(url, "x", 1);
    (void)await_event(&reader, probe, "success");
    reader_close(&reader);
    char *answer_url = memory_format("http://127.0.0.1:%u/api/v1/fleets", daemon.admin_port);
    char *bearer = memory_format("Authorization: Bearer %s", key);
    struct response response;
    http_request("GET", answer_url, (const char *const[]){bearer, NULL}, NULL, 0, &response);
    const char *id = strstr(response.headers, "X-Event-Id: ");
    ck_assert_ptr_nonnull(id);
    id += strlen("X-Event-Id: ");
    char *after = memory_format("?after=%.*s", (int)strcspn(id, "\r"), id);
    char *later = api_post(url, "x", 1);
    json_decref(api_await_end(&daemon, later));
    reader_send(&reader, &daemon, key, after, "");
    (void)await_event(&reader, later, "success");
    ck_assert_ptr_null(strstr(buffer_text(&reader.text), probe));
    ck_assert_ptr_null(strstr(buffer_text(&reader.text), "event: missed"));
    reader_close(&reader);
    response_free(&response);
    free(later);
    free(after);
    free(bearer);
    free(answer_url);
    free(probe);
    free(before);
    free(url);
    free(fleet);
    free(key);
    daemon_finish(&daemon);
}

/* While a reader reads nothing, runs are accepted as if it did not exist; a reader that is too far
 * behind is told to reload. Invariant 8. */
TEST(a_reader_that_does_not_read_holds_up_nobody)
{
    enum { RUNS = 300 };
    struct daemon daemon;
    struct reader reader;
    struct daemon_options options = {.runner = "enabled = false"};
    daemon_begin(&daemon, &options);
    char *key = ctl_ok(&daemon, "key", "create", "one", NULL);
    char *fleet = bash_fleet("Site", "true"), *url = daemon_fleet(&daemon, fleet);
    reader_open(&reader, &daemon, key, NULL); /* never read from */
    struct reader late;
    reader_open(&late, &daemon, key, "0-0");
    char *last_id = id_before(&late, await_text(&late, "event: missed"));
    reader_close(&late);
    for (int i = 0; i < RUNS; i++)
        free(api_post(url, "x", 1));
    char *last = api_post(url, "x", 1);
    reader_open(&late, &daemon, key, last_id); /* too many events to be sent one by one */
    await_text(&late, "event: missed");
    ck_assert_ptr_null(strstr(buffer_text(&late.text), last));
    reader_close(&late);
    reader_close(&reader);
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    free(last);
    free(last_id);
    free(url);
    free(fleet);
    free(key);
    daemon_finish(&daemon);
}

/* Each stream holds a connection: enough must remain for calls, and a place is free again when its
 * reader disconnects. */
TEST(streams_leave_room_for_calls)
{
    enum { MOST = 64 };
    struct daemon daemon;
    struct reader readers[MOST], other;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "one", NULL);
    for (int i = 0; i < MOST; i++) {
        reader_open(&readers[i], &daemon, key, NULL);
        await_text(&readers[i], "HTTP/1.1 200 ");
    }
    reader_open(&other, &daemon, key, NULL);
    await_text(&other, "HTTP/1.1 503 ");
    await_text(&other, "too many streams");
    reader_close(&other);
    char *url = memory_format("http://127.0.0.1:%u/healthz", daemon.admin_port);
    struct response response;
    http_request("GET", url, NULL, NULL, 0, &response);
    ck_assert_int_eq(response.status, 200);
    response_free(&response);
    for (int i = 0; i < MOST; i++)
        reader_close(&readers[i]);
    for (bool is_open = false; !is_open; usleep(20000)) {
        reader_open(&other, &daemon, key, NULL);
        is_open = strncmp(await_text(&other, "HTTP/1.1 "), "HTTP/1.1 200 ", 13) == 0;
        reader_close(&other);
    }
    free(url);
    free(key);
    daemon_finish(&daemon);
}

TEST(revoking_the_key_ends_the_stream)
{
    struct daemon daemon;
    struct reader reader;
    int closed;
    daemon_begin(&daemon, &plain);
    char *key = ctl_ok(&daemon, "key", "create", "one", NULL);
    reader_open(&reader, &daemon, key, NULL);
    await_text(&reader, "\r\n\r\n");
    free(ctl_ok(&daemon, "key", "revoke", "one", NULL));
    free(raw_receive(reader.fd, 20000, &closed));
    ck_assert_int_eq(closed, 1);
    reader_close(&reader);
    free(key);
    daemon_finish(&daemon);
}
