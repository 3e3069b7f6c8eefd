/* Answers: the envelope of every JSON answer; bytes, files and streams as they are. Called in the
 * steps of an exchange, on the handler's thread, which also reads the streams. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "http/exchange.h"
#include "http/gzip.h"
#include "http/log.h"
#include "http/reply_template.h"
#include "http/worker.h"

/* Whether the connection ends with this answer. libmicrohttpd does not notice the end of the stream
 * if it arrives together with the request, unless it reads the connection again after a suspension;
 * without this check the connection would stay open until it had been idle for long. */
static bool is_last(const struct http_exchange *exchange)
{
    const struct http_connection *connection = exchange->connection;
    return exchange->close_after ||
           atomic_load_explicit(&connection->server->draining, memory_order_relaxed) ||
           (!exchange->was_resumed && http_peer_is_gone(exchange));
}

/* Queues the response and releases it. Closes the connection if response is NULL. */
static enum http_step reply(struct http_exchange *exchange, unsigned status,
                            const char *content_type, struct MHD_Response *response)
{
    if (!response)
        return HTTP_CLOSE;
    char id[ID_TEXT_BYTES];
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    MHD_add_response_header(response, "X-Request-Id", id_format(&exchange->id, id));
    /* libmicrohttpd refuses a header that contains a control character. */
    LIST_EACH(struct extra_header, extra, &exchange->extra, node)
        if (MHD_add_response_header(response, extra->name, extra->value) != MHD_YES)
            http_log_error(exchange, "header not sent", log_text("name", extra->name),
                           log_text("reason", "its value has a control character, or no memory"));
    if (is_last(exchange))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result queued = MHD_queue_response(exchange->mhd, status, response);
    MHD_destroy_response(response);
    return queued == MHD_YES ? HTTP_REPLIED : HTTP_CLOSE;
}

/* ---- JSON ---- */

/* Shorter answers fit into one packet as they are. */
#define PACK_MORE_THAN_BYTES 1024

/* Compresses the text if the answer may be compressed and the client accepts that, and adds the
 * headers that say so. Returns NULL if the text goes out as it is. */
static void *pack(struct http_exchange *exchange, const char *text, size_t bytes,
                  size_t *packed_bytes)
{
    if (!exchange->may_be_packed || bytes <= PACK_MORE_THAN_BYTES)
        return NULL;
    http_add_header(exchange, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    void *packed = http_accepts_gzip(exchange) ? gzip_pack(text, bytes, packed_bytes) : NULL;
    if (packed)
        http_add_header(exchange, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    return packed;
}

/* Takes ownership of text. */
static enum http_step reply_json(struct http_exchange *exchange, unsigned status, char *text)
{
    size_t bytes = strlen(text), packed_bytes = 0;
    void *packed = pack(exchange, text, bytes, &packed_bytes);
    if (packed) {
        free(text);
        text = packed;
        bytes = packed_bytes;
    }
    return reply(exchange, status, "application/json",
                 MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE));
}

/* Takes ownership of data and error. */
static enum http_step reply_envelope(struct http_exchange *exchange, unsigned status, json_t *data,
                                     json_t *error)
{
    char id[ID_TEXT_BYTES];
    json_t *envelope = json_pack("{s:{s:s}, s:o}", "request", "id", id_format(&exchange->id, id),
                                 "data", data ? data : json_null());
    if (error && json_object_set_new(envelope, "error", error) != 0) {
        json_decref(envelope);
        return HTTP_CLOSE;
    }
    char *text = envelope ? json_dumps(envelope, JSON_COMPACT) : NULL;
    json_decref(envelope);
    if (!text)
        return HTTP_CLOSE;
    return reply_json(exchange, status, text);
}

enum http_step http_reply_data(struct http_exchange *exchange, unsigned status, struct json_t *data)
{
    return reply_envelope(exchange, status, data, NULL);
}

enum http_step http_reply_error(struct http_exchange *exchange, unsigned status,
                                const char *message, const char *field)
{
    json_t *error = NULL;
    if (field && !utf8_is_valid(field, strlen(field)))
        field = NULL;
    if (message)
        error = field ? json_pack("{s:s, s:s}", "message", message, "field", field)
                      : json_pack("{s:s}", "message", message);
    return reply_envelope(exchange, status, NULL, error);
}

enum http_step http_reply_errors(struct http_exchange *exchange, unsigned status,
                                 const char *message, struct json_t *errors)
{
    return reply_envelope(exchange, status, NULL,
                          json_pack("{s:s, s:o}", "message", message, "errors", errors));
}

enum http_step http_reply_from_template(struct http_exchange *exchange, unsigned status,
                                        const struct http_reply_template *template,
                                        const struct id *const ids[])
{
    char text[HTTP_REPLY_TEMPLATE_BYTES];
    size_t bytes = http_reply_template_write(template, &exchange->id, ids, text);
    return reply(exchange, status, "application/json",
                 MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_COPY));
}

enum http_step http_reply_bytes(struct http_exchange *exchange, unsigned status,
                                const char *content_type, const void *data, size_t bytes)
{
    void *copy = malloc(bytes ? bytes : 1);
    if (!copy)
        return HTTP_CLOSE;
    if (bytes > 0)
        memcpy(copy, data, bytes);
    return reply(exchange, status, content_type,
                 MHD_create_response_from_buffer(bytes, copy, MHD_RESPMEM_MUST_FREE));
}

/* ---- streams ---- */

#define PIECE_BYTES 32768

struct stream {
    struct http_connection *connection;
    struct http_stream source;
};

static ssize_t stream_read(void *context, uint64_t at, char *data, size_t bytes)
{
    (void)at;
    struct stream *stream = context;
    worker_note_call();
    ssize_t count = stream->source.read(stream->source.context, data, bytes);
    connection_enter(stream->connection, CONNECTION_REPLY, clock_monotonic_ms());
    if (count > 0)
        return count;
    return count == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void stream_done(void *context)
{
    struct stream *stream = context;
    stream->source.done(stream->source.context);
    free(stream);
}

static enum http_step reply_stream(struct http_exchange *exchange, unsigned status,
                                   const char *content_type, const struct http_stream *source,
                                   uint64_t bytes)
{
    struct stream *stream = memory_alloc(sizeof(*stream));
    *stream = (struct stream){exchange->connection, *source};
    struct MHD_Response *response =
        MHD_create_response_from_callback(bytes, PIECE_BYTES, stream_read, stream, stream_done);
    if (!response)
        stream_done(stream);
    return reply(exchange, status, content_type, response);
}

enum http_step http_reply_stream(struct http_exchange *exchange, unsigned status,
                                 const char *content_type, const struct http_stream *stream)
{
    if (exchange->connection->shares_thread) {
        stream->done(stream->context);
        return http_reply_error(exchange, 503,
                                "webhookd can start no thread for this stream: try again", NULL);
    }
    return reply_stream(exchange, status, content_type, stream, MHD_SIZE_UNKNOWN);
}

struct file_source {
    int fd;
};

static ssize_t file_source_read(void *context, char *data, size_t bytes)
{
    struct file_source *file = context;
    ssize_t count;
    do
        count = read(file->fd, data, bytes);
    while (count < 0 && errno == EINTR);
    return count > 0 ? count : -1; /* an early end is an error: the length has been sent */
}

static void file_source_done(void *context)
{
    struct file_source *file = context;
    close(file->fd);
    free(file);
}

enum http_step http_reply_file(struct http_exchange *exchange, unsigned status,
                               const char *content_type, int fd, uint64_t bytes)
{
    struct file_source *file = memory_alloc(sizeof(*file));
    file->fd = fd;
    const struct http_stream source = {file_source_read, file_source_done, file};
    return reply_stream(exchange, status, content_type, &source, bytes);
}
