/* A client for the admin API over the admin socket, by libcurl. Called by the commands; the program
 * has one thread.
 *
 * JSON answers are collected in memory up to a bound; bodies, output and backups are passed on as
 * they arrive. */
#include "webhookctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#define API_URL          "http://localhost/api/v1"
#define ANSWER_MAX_BYTES (256u << 20)
#define CONNECT_LIMIT_MS 5000L
/* How long webhookd may send nothing. It sends followers of output a comment more often. */
#define SILENCE_LIMIT_S 60L

struct client {
    CURL *curl;
    const char *socket_path;
    int64_t deadline_ms;
    struct buffer answer; /* an envelope */
    json_t *errors;
};

/* One API call, and the context of its callbacks. */
struct call {
    struct client *client;
    const char *method;
    const char *path;
    const char *body; /* NULL: none */
    const struct client_upload *upload;
    struct client_stream *stream;
    off_t upload_start; /* the file's position at the start; -1 if it has none */
    int read_errno, write_errno;
};

struct client *client_open(const char *socket_path, struct error *error)
{
    struct sockaddr_un address;
    if (socket_path[0] == '\0' || strlen(socket_path) >= sizeof(address.sun_path)) {
        error_set(error, ERROR_INVALID, "the socket's path must have 1 to %zu bytes: \"%.200s\"",
                  sizeof(address.sun_path) - 1, socket_path);
        return NULL;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct client *client = memory_alloc(sizeof(*client));
    client->socket_path = socket_path;
    client->deadline_ms = INT64_MAX;
    client->answer.limit = ANSWER_MAX_BYTES;
    client->curl = curl_easy_init();
    if (!client->curl)
        abort();
    return client;
}

void client_close(struct client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    buffer_free(&client->answer);
    json_decref(client->errors);
    free(client);
    curl_global_cleanup();
}

void client_set_deadline(struct client *client, int64_t deadline_ms)
{
    client->deadline_ms = deadline_ms;
}

const json_t *client_errors(const struct client *client)
{
    return client->errors;
}

/* ---- libcurl's callbacks ---- */

static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
    struct call *call = context;
    long status = 0;
    curl_easy_getinfo(call->client->curl, CURLINFO_RESPONSE_CODE, &status);
    count *= size;
    if (!call->stream || status >= 300)
        return buffer_append(&call->client->answer, data, count) == 0 ? count : 0;
    if (call->stream->take ? call->stream->take(call->stream->context, data, count) != 0
                           : file_write_all(call->stream->fd, data, count) != 0) {
        call->write_errno = errno;
        return 0;
    }
    call->stream->bytes += count;
    if (count > 0)
        call->stream->last = data[count - 1];
    return count;
}

static size_t give_upload(char *room, size_t size, size_t count, void *context)
{
    struct call *call = context;
    ssize_t bytes = -1;
    do
        bytes = read(call->upload->fd, room, size * count);
    while (bytes < 0 && errno == EINTR);
    if (bytes >= 0)
        return (size_t)bytes;
    call->read_errno = errno;
    return CURL_READFUNC_ABORT;
}

/* libcurl calls this to start over if the kept connection turned out to be closed. That works for a
 * file but not for a pipe. */
static int rewind_upload(void *context, curl_off_t offset, int origin)
{
    const struct call *call = context;
    if (origin != SEEK_SET || call->upload_start < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    return lseek(call->upload->fd, call->upload_start + offset, SEEK_SET) < 0
               ? CURL_SEEKFUNC_CANTSEEK
               : CURL_SEEKFUNC_OK;
}

/* ---- an API call ---- */

static bool has_upload(const struct call *call)
{
    return call->upload && call->upload->fd >= 0;
}

/* Returns how many bytes are left in the file; -1 if that is not known before reading it. */
static curl_off_t upload_bytes(const struct call *call)
{
    struct stat status;
    if (call->upload_start < 0 || fstat(call->upload->fd, &status) != 0 ||
        !S_ISREG(status.st_mode) || status.st_size < call->upload_start)
        return -1;
    return status.st_size - call->upload_start;
}

/* libcurl's low-speed limit covers both directions, and a body from a pipe may arrive slowly, so it
 * is off for those. */
static void prepare_limits(CURL *curl, const struct call *call)
{
    bool is_slow = has_upload(call) && upload_bytes(call) < 0;
    long silence_s = SILENCE_LIMIT_S;
    if (call->stream && call->stream->silence_s > 0)
        silence_s = (long)call->stream->silence_s;
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_LIMIT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, is_slow ? 0L : silence_s);
    if (call->client->deadline_ms == INT64_MAX)
        return;
    int64_t left_ms = call->client->deadline_ms - clock_monotonic_ms();
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     (long)(left_ms < 1         ? 1
                            : left_ms > INT_MAX ? INT_MAX
                                                : left_ms));
}

/* Ignores proxies in the environment and allows only HTTP: the request goes to the socket or
 * nowhere. */
static void prepare(CURL *curl, const char *url, struct call *call)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->client->socket_path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    prepare_limits(curl, call);
}

static struct curl_slist *prepare_body(CURL *curl, struct call *call)
{
    struct curl_slist *headers = NULL;
    if (has_upload(call)) {
        char *type = memory_format("Content-Type:%s%s", call->upload->content_type ? " " : "",
                                   call->upload->content_type ? call->upload->content_type : "");
        headers = curl_slist_append(NULL, type);
        free(type);
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, upload_bytes(call));
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_upload);
        curl_easy_setopt(curl, CURLOPT_READDATA, call);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_upload);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, call);
    } else if (call->body) {
        headers = curl_slist_append(NULL, "Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
    } else if (strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0) {
        headers = curl_slist_append(NULL, "Content-Type:");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    if (call->stream && call->stream->header)
        headers = curl_slist_append(headers, call->stream->header);
    if (call->upload && call->upload->header)
        headers = curl_slist_append(headers, call->upload->header);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    return headers;
}

/* libcurl does not report why a connection failed, so this tries to connect directly. */
static int connect_errno(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int result = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    close(fd);
    return result;
}

static bool is_other_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISSOCK(status.st_mode);
}

static int explain_connection(const struct client *client, struct error *error)
{
    const char *path = client->socket_path;
    int why = connect_errno(path);
    if (why == ECONNREFUSED && is_other_file(path))
        return error_set(error, ERROR_UNAVAILABLE,
                         "\"%s\" is not a socket (set webhookd's admin socket with -s or "
                         "$WEBHOOKD_SOCKET)",
                         path);
    switch (why) {
    case ENOENT:
    case ENOTDIR:
        return error_set(
            error, ERROR_UNAVAILABLE,
            "cannot reach webhookd: the socket \"%s\" does not exist (start webhookd, or set "
            "its socket with -s or $WEBHOOKD_SOCKET)",
            path);
    case ECONNREFUSED:
        return error_set(
            error, ERROR_UNAVAILABLE,
            "cannot reach webhookd: no process listens on \"%s\" (start webhookd, or set its "
            "socket with -s or $WEBHOOKD_SOCKET)",
            path);
    case EACCES:
    case EPERM:
        return error_set(error, ERROR_UNAVAILABLE,
                         "cannot reach webhookd: no permission for \"%s\" (run as webhookd's user, "
                         "as root, or as a member of the group in admin.socket_group)",
                         path);
    case EAGAIN:
        return error_set(error, ERROR_UNAVAILABLE,
                         "cannot reach webhookd: too many connections are pending at \"%s\" (try "
                         "again later)",
                         path);
    case 0:
        return error_set(
            error, ERROR_UNAVAILABLE,
            "webhookd did not accept the connection at \"%s\" in time (try again later)", path);
    default:
        error_set_errno(error, why, "cannot reach webhookd at \"%s\"", path);
        error->kind = ERROR_UNAVAILABLE;
        return -1;
    }
}

static int explain_transfer(struct call *call, CURLcode code, struct error *error)
{
    if (call->write_errno != 0)
        return error_set_errno(error, call->write_errno, "cannot write to %s",
                               call->stream->what ? call->stream->what : "standard output");
    if (call->read_errno != 0)
        return error_set_errno(error, call->read_errno, "cannot read %s", call->upload->what);
    if (code == CURLE_COULDNT_CONNECT)
        return explain_connection(call->client, error);
    if (call->client->answer.failed)
        return error_set(error, ERROR_INTERNAL, "webhookd's answer is larger than %u MiB",
                         ANSWER_MAX_BYTES >> 20);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(error, ERROR_UNAVAILABLE,
                         "webhookd at \"%s\" does not answer (see its log)",
                         call->client->socket_path);
    if (code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
        code == CURLE_SEND_ERROR)
        return error_set(error, ERROR_UNAVAILABLE,
                         "webhookd closed the connection before its answer was complete (see its "
                         "log)");
    return error_set(error, ERROR_INTERNAL, "request to webhookd at \"%s\" failed: %s",
                     call->client->socket_path, curl_easy_strerror(code));
}

static enum error_kind kind_of(long status)
{
    if (status == 404)
        return ERROR_NOT_FOUND;
    if (status == 409)
        return ERROR_CONFLICT;
    if (status == 503)
        return ERROR_UNAVAILABLE;
    return status >= 400 && status < 500 ? ERROR_INVALID : ERROR_INTERNAL;
}

/* Parses the envelope. Returns its data if the status is 2xx, else NULL and its error in *error. */
static json_t *open_envelope(struct client *client, long status, struct error *error)
{
    json_t *envelope =
        json_loadb(client->answer.data ? client->answer.data : "", client->answer.bytes, 0, NULL);
    if (!json_is_object(envelope)) {
        json_decref(envelope);
        error_set(error, ERROR_INTERNAL,
                  "\"%s\" answered with status %ld and no JSON (check that it is webhookd's admin "
                  "socket)",
                  client->socket_path, status);
        return NULL;
    }
    json_t *data = NULL;
    if (status >= 200 && status < 300) {
        data = json_object_get(envelope, "data");
        data = data ? json_incref(data) : json_null();
    } else {
        const json_t *failure = json_object_get(envelope, "error");
        const char *message = json_string_value(json_object_get(failure, "message"));
        client->errors = json_incref(json_object_get(failure, "errors"));
        if (message)
            error_set(error, kind_of(status), "%s", message);
        else
            error_set(error, kind_of(status), "webhookd answered with status %ld", status);
    }
    json_decref(envelope);
    return data;
}

static json_t *perform(struct call *call, struct error *error)
{
    struct client *client = call->client;
    buffer_free(&client->answer);
    json_decref(client->errors);
    client->errors = NULL;
    /* Flush the output so far: the answer's bytes bypass stdio. */
    if (call->stream && fflush(stdout) != 0) {
        error_set_errno(error, errno, "cannot write to standard output");
        return NULL;
    }

    char *url = memory_format("%s%s", API_URL, call->path);
    prepare(client->curl, url, call);
    struct curl_slist *headers = prepare_body(client->curl, call);
    CURLcode code = curl_easy_perform(client->curl);
    long status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    free(url);

    if (code != CURLE_OK) {
        explain_transfer(call, code, error);
        return NULL;
    }
    if (call->stream && status >= 200 && status < 300)
        return json_null();
    return open_envelope(client, status, error);
}

json_t *client_get(struct client *client, struct error *error, const char *path_format, ...)
{
    va_list arguments;
    va_start(arguments, path_format);
    char *path = memory_format_v(path_format, arguments);
    va_end(arguments);
    struct call call = {.client = client, .method = "GET", .path = path};
    json_t *data = perform(&call, error);
    free(path);
    return data;
}

json_t *client_send(struct client *client, const char *method, const char *path, json_t *body,
                    struct error *error)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (body && !text)
        abort();
    json_decref(body);
    struct call call = {.client = client, .method = method, .path = path, .body = text};
    json_t *data = perform(&call, error);
    free(text);
    return data;
}

json_t *client_upload(struct client *client, const char *method, const char *path,
                      const struct client_upload *upload, struct error *error)
{
    struct call call = {.client = client,
                        .method = method,
                        .path = path,
                        .upload = upload,
                        .upload_start = lseek(upload->fd, 0, SEEK_CUR)};
    return perform(&call, error);
}

int client_stream(struct client *client, const char *method, const char *path,
                  struct client_stream *stream, struct error *error)
{
    struct call call = {.client = client, .method = method, .path = path, .stream = stream};
    json_t *data = perform(&call, error);
    json_decref(data);
    return data ? 0 : -1;
}
