#include "support/hook.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/secret.h"
#include "support/api.h"
#include "support/janitor.h"

#define PATIENCE_MS 20000

/* ---- begin and finish ---- */

void hook_begin(struct hook *hook, const struct daemon_options *options)
{
    struct daemon_options only_accept = *options;
    only_accept.runner = "enabled = false";
    daemon_prepare(&hook->daemon, &only_accept);
    janitor_watch(hook->daemon.folder);
    daemon_restart(&hook->daemon);
    hook_take(hook);
}

void hook_take(struct hook *hook)
{
    char *fleet = bash_fleet("Greet", "exit 0");
    hook->url = daemon_fleet(&hook->daemon, fleet);
    hook->path = url_path(hook->url);
    free(fleet);
}

void hook_finish(struct hook *hook)
{
    daemon_finish(&hook->daemon);
    free(hook->url);
}

char *hook_unknown_path(void)
{
    struct error error = ERROR_INIT;
    char token[SECRET_TOKEN_CHARS + 1];
    ck_assert_int_eq(secret_init(&error), 0);
    secret_mint_token(token);
    return memory_format("/hooks/%s", token);
}

/* ---- what is stored ---- */

static json_t *take_json(char *text)
{
    json_t *value = api_parse(text);
    free(text);
    json_t *data = json_object_get(value, "data");
    if (!data)
        return value;
    json_incref(data);
    json_decref(value);
    return data;
}

size_t hook_count_runs(struct hook *hook)
{
    json_t *list =
        take_json(ctl_ok(&hook->daemon, "run", "list", "--limit", "100000", "--json", NULL));
    json_t *runs = json_object_get(list, "fleetruns");
    ck_assert(json_is_array(runs));
    size_t count = json_array_size(runs);
    json_decref(list);
    return count;
}

json_t *hook_run(struct hook *hook, const char *run)
{
    return take_json(ctl_ok(&hook->daemon, "run", "show", run, "--json", NULL));
}

json_t *hook_headers(struct hook *hook, const char *run)
{
    return take_json(ctl_ok(&hook->daemon, "run", "headers", run, "--json", NULL));
}

void hook_assert_body(struct hook *hook, const char *run, const void *body, size_t bytes)
{
    char *stored, *complaint, sha256[2 * SECRET_HASH_BYTES + 1];
    uint8_t hash[SECRET_HASH_BYTES];
    size_t stored_bytes;
    int status = ctl(&hook->daemon, &stored, &stored_bytes, &complaint, "run", "body", run, NULL);
    ck_assert_msg(status == 0, "webhookctl run body: %d %s", status, complaint);
    ck_assert_uint_eq(stored_bytes, bytes);
    ck_assert_msg(bytes == 0 || memcmp(stored, body, bytes) == 0, "the body of %s differs", run);
    secret_hash(body, bytes, hash);
    json_t *shown = hook_run(hook, run);
    ck_assert_int_eq(json_integer_value(json_object_get(shown, "body_bytes")), (long long)bytes);
    ck_assert_str_eq(api_text(shown, "body_sha256"), secret_hash_format(hash, sha256));
    json_decref(shown);
    free(stored);
    free(complaint);
}

/* ---- raw connections ---- */

/* Returns 1, or 0 if the server has closed the connection. */
static int receive_byte(int fd, char *byte)
{
    struct pollfd watch = {fd, POLLIN, 0};
    ck_assert_msg(poll(&watch, 1, PATIENCE_MS) == 1, "no response, and the connection stays open");
    return recv(fd, byte, 1, 0) == 1;
}

static size_t length_of(const struct response *response)
{
    char *text = response_header(response, "Content-Length");
    size_t bytes = text ? strtoul(text, NULL, 10) : 0;
    free(text);
    return bytes;
}

void raw_read_answer(int fd, struct response *response)
{
    struct buffer head = BUFFER_INIT, body = BUFFER_INIT;
    char byte;
    memset(response, 0, sizeof(*response));
    bool whole = false;
    while (!whole && receive_byte(fd, &byte)) {
        buffer_append_char(&head, byte);
        whole = head.bytes >= 4 && memcmp(head.data + head.bytes - 4, "\r\n\r\n", 4) == 0;
    }
    response->headers = buffer_take(&head);
    if (whole) {
        size_t bytes = length_of(response);
        while (bytes-- > 0 && (whole = receive_byte(fd, &byte)))
            buffer_append_char(&body, byte);
    }
    response->body_bytes = body.bytes;
    response->body = buffer_take(&body);
    if (whole && strncmp(response->headers, "HTTP/1.", 7) == 0)
        response->status = atoi(response->headers + strlen("HTTP/1.1 "));
    static const char key[] = "\"fleet_run_id\":\"";
    const char *at = strstr(response->body, key);
    if (at && strlen(at) >= sizeof(key) - 1 + 36)
        memcpy(response->run_id, at + sizeof(key) - 1, 36);
}

bool raw_is_closed(int fd, int timeout_ms)
{
    int closed;
    free(raw_receive(fd, timeout_ms, &closed));
    return closed;
}

void raw_await_close(int fd)
{
    ck_assert_msg(raw_is_closed(fd, PATIENCE_MS), "the connection stays open");
}

char *response_header(const struct response *response, const char *name)
{
    size_t bytes = strlen(name);
    for (const char *line = response->headers; line && *line;) {
        size_t line_bytes = strcspn(line, "\r\n");
        if (line_bytes > bytes && strncasecmp(line, name, bytes) == 0 && line[bytes] == ':') {
            const char *value = line + bytes + 1 + strspn(line + bytes + 1, " ");
            return memory_string_n(value, (size_t)(line + line_bytes - value));
        }
        line += line_bytes;
        line += strspn(line, "\r\n");
    }
    return NULL;
}

/* ---- the form of responses ---- */

static void assert_header(const struct response *response, const char *name, const char *value)
{
    char *found = response_header(response, name);
    ck_assert_msg(found && strcmp(found, value) == 0, "%s is %s, not %s", name,
                  found ? found : "missing", value);
    free(found);
}

/* request.id is a recent UUIDv7, and X-Request-Id has the same value. */
static void assert_request_id(const struct response *response, const json_t *envelope)
{
    const json_t *request = json_object_get(envelope, "request");
    const char *text = api_text(request, "id");
    struct id id;
    ck_assert_uint_eq(json_object_size(request), 1);
    ck_assert_msg(id_parse(text, &id) == 0 && text[14] == '7', "%s is not a UUIDv7", text);
    ck_assert_msg(llabs(clock_wall_ms() - id_time_ms(&id)) < 600000, "%s is not recent", text);
    assert_header(response, "X-Request-Id", text);
}

static json_t *envelope_of(const struct response *response, int status)
{
    ck_assert_msg(response->status == status, "status %d, not %d: %s%s", response->status, status,
                  response->headers ? response->headers : "", response->body);
    assert_header(response, "Content-Type", "application/json");
    json_t *envelope = api_parse(response->body);
    assert_request_id(response, envelope);
    return envelope;
}

void assert_accepted(const struct response *response)
{
    static const char *const keys[] = {"fleet_id", "project_id", "org_id", "fleet_run_id"};
    json_t *envelope = envelope_of(response, 201);
    const json_t *data = json_object_get(envelope, "data");
    ck_assert_uint_eq(json_object_size(envelope), 2);
    ck_assert_uint_eq(json_object_size(data), ARRAY_COUNT(keys));
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        struct id id;
        const char *text = api_text(data, keys[i]);
        ck_assert_msg(id_parse(text, &id) == 0, "%s is \"%s\"", keys[i], text);
    }
    json_decref(envelope);
}

void assert_refused(const struct response *response, int status, bool has_message)
{
    json_t *envelope = envelope_of(response, status);
    const json_t *error = json_object_get(envelope, "error");
    ck_assert(json_is_null(json_object_get(envelope, "data")));
    ck_assert_uint_eq(json_object_size(envelope), has_message ? 3 : 2);
    if (has_message) {
        ck_assert_uint_eq(json_object_size(error), 1);
        ck_assert_str_ne(api_text(error, "message"), "");
    }
    json_decref(envelope);
}
