/* See fake_request.h. The linker takes libmicrohttpd's functions from here, because this file comes
 * before the library. */
#include "fuzz/fake_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "fuzz/fuzz.h"

static struct fake_request *current;

/* ---- reading ---- */

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                MHD_KeyValueIteratorN iterator, void *context)
{
    (void)connection;
    FUZZ_CHECK(kind == MHD_HEADER_KIND);
    int count = 0;
    for (size_t i = 0; i < current->header_count; i++, count++) {
        const struct fake_header *header = &current->headers[i];
        if (iterator(context, kind, header->name, header->name_bytes, header->value,
                     header->value_bytes) != MHD_YES)
            return count + 1;
    }
    return count;
}

int MHD_get_connection_values(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                              MHD_KeyValueIterator iterator, void *context)
{
    (void)connection;
    FUZZ_CHECK(kind == MHD_HEADER_KIND);
    int count = 0;
    for (size_t i = 0; i < current->header_count; i++, count++)
        if (iterator(context, kind, current->headers[i].name, current->headers[i].value) != MHD_YES)
            return count + 1;
    return count;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                        const char *name)
{
    (void)connection;
    FUZZ_CHECK(kind == MHD_HEADER_KIND);
    for (size_t i = 0; i < current->header_count; i++)
        if (strcasecmp(current->headers[i].name, name) == 0)
            return current->headers[i].value;
    return NULL;
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType type, ...)
{
    static union MHD_ConnectionInfo info;
    (void)connection;
    FUZZ_CHECK(type == MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    memcpy(&info.client_addr, &current->peer, sizeof(current->peer));
    return &info;
}

/* ---- answering ---- */

struct MHD_Response {
    char *body; /* NULL: a file or a stream */
    size_t bytes;
    bool is_packed;
    char content_type[64];
};

struct MHD_Response *MHD_create_response_from_buffer(size_t bytes, void *data,
                                                     enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *response = memory_alloc(sizeof(*response));
    response->body = memory_string_n(bytes > 0 ? data : "", bytes);
    response->bytes = bytes;
    if (mode == MHD_RESPMEM_MUST_FREE)
        free(data);
    return response;
}

struct MHD_Response *MHD_create_response_from_callback(uint64_t bytes, size_t block_bytes,
                                                       MHD_ContentReaderCallback reader,
                                                       void *context,
                                                       MHD_ContentReaderFreeCallback done)
{
    (void)bytes, (void)block_bytes, (void)reader;
    done(context);
    return memory_alloc(sizeof(struct MHD_Response));
}

/* An answer that libmicrohttpd would send without one of its headers is a bug. */
enum MHD_Result MHD_add_response_header(struct MHD_Response *response, const char *name,
                                        const char *value)
{
    FUZZ_CHECK(name[0] != '\0' && !strpbrk(name, "\t\r\n"));
    FUZZ_CHECK(value[0] != '\0' && !strpbrk(value, "\t\r\n"));
    if (strcmp(name, MHD_HTTP_HEADER_CONTENT_TYPE) == 0)
        snprintf(response->content_type, sizeof(response->content_type), "%s", value);
    if (strcmp(name, MHD_HTTP_HEADER_CONTENT_ENCODING) == 0)
        response->is_packed = strcmp(value, "gzip") == 0;
    return MHD_YES;
}

/* Returns the body as the client reads it. */
static char *unpack(struct MHD_Response *response)
{
    struct buffer text = BUFFER_INIT;
    char piece[4096];
    z_stream stream = {.next_in = (Bytef *)response->body, .avail_in = (uInt)response->bytes};
    FUZZ_CHECK(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
    int result = Z_OK;
    while (result == Z_OK) {
        stream.next_out = (Bytef *)piece;
        stream.avail_out = sizeof(piece);
        result = inflate(&stream, Z_NO_FLUSH);
        buffer_append(&text, piece, sizeof(piece) - stream.avail_out);
    }
    FUZZ_CHECK(result == Z_STREAM_END && stream.avail_in == 0 && text.bytes > response->bytes);
    inflateEnd(&stream);
    return buffer_take(&text);
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned status,
                                   struct MHD_Response *response)
{
    (void)connection;
    FUZZ_CHECK(!current->is_answered);
    current->is_answered = true;
    current->status = status;
    current->answer = response->is_packed ? unpack(response) : memory_string(response->body);
    memcpy(current->content_type, response->content_type, sizeof(current->content_type));
    return MHD_YES;
}

void MHD_destroy_response(struct MHD_Response *response)
{
    free(response->body);
    free(response);
}

/* ---- */

void fake_request_add(struct fake_request *request, const char *name, const char *value,
                      size_t value_bytes)
{
    if (request->header_count == FAKE_HEADERS_MAX)
        return;
    request->headers[request->header_count++] =
        (struct fake_header){.name = memory_string(name),
                             .name_bytes = strlen(name),
                             .value = memory_string_n(value, value_bytes),
                             .value_bytes = value_bytes};
}

/* Reads "Name: value". */
static void read_header(struct fake_request *request, char *line, size_t bytes)
{
    const char *colon = memchr(line, ':', bytes);
    size_t name_bytes = colon ? (size_t)(colon - line) : bytes;
    const char *value = colon ? colon + 1 : line + bytes;
    while (*value == ' ' || *value == '\t')
        value++;
    if (request->header_count == FAKE_HEADERS_MAX)
        return;
    size_t value_bytes = (size_t)(line + bytes - value);
    request->headers[request->header_count++] =
        (struct fake_header){.name = memory_string_n(line, name_bytes),
                             .name_bytes = name_bytes,
                             .value = memory_string_n(value, value_bytes),
                             .value_bytes = value_bytes};
}

/* Splits at the first and at the last space, as libmicrohttpd does. */
static void open_line(struct fake_request *request, char *line, size_t bytes)
{
    char *first = memchr(line, ' ', bytes);
    char *target = first ? first + 1 : line + bytes;
    char *last = memrchr(target, ' ', (size_t)(line + bytes - target));
    char *version = last ? last + 1 : line + bytes;
    if (first)
        *first = '\0';
    if (last)
        *last = '\0';
    *request = (struct fake_request){.line = line, .target = target};
    request->target_bytes = (size_t)((last ? last : line + bytes) - target);
    current = request;
    exchange_open(&request->exchange, target);
    request->exchange.method = line;
    request->exchange.version = version;
}

void fake_request_open(struct fake_request *request, const uint8_t **data, size_t *bytes)
{
    size_t line_bytes;
    char *line = fuzz_take_line(data, bytes, &line_bytes);
    open_line(request, line, line_bytes);
    while (*bytes > 0) {
        line = fuzz_take_line(data, bytes, &line_bytes);
        if (line_bytes > 0)
            read_header(request, line, line_bytes);
        free(line);
        if (line_bytes == 0)
            break;
    }
}

void fake_request_open_empty(struct fake_request *request)
{
    static const char line[] = "POST / HTTP/1.1";
    open_line(request, memory_string(line), strlen(line));
}

void fake_request_close(struct fake_request *request)
{
    exchange_free_headers(&request->exchange);
    free(request->exchange.target);
    for (size_t i = 0; i < request->header_count; i++) {
        free(request->headers[i].name);
        free(request->headers[i].value);
    }
    free(request->answer);
    free(request->line);
    current = NULL;
}
