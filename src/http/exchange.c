/* An exchange: what a service may ask of its request, and the headers that it adds to its answer. In its steps, on the handler's thread. */
#include "http/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "http/query.h"

void http_set_user(struct http_exchange *exchange, void *user)
{
    exchange->user = user;
}

void *http_user(const struct http_exchange *exchange)
{
    return exchange->user;
}

const struct id *http_request_id(const struct http_exchange *exchange)
{
    return &exchange->id;
}

const char *http_method(const struct http_exchange *exchange)
{
    return exchange->method;
}

const char *http_path(const struct http_exchange *exchange)
{
    return exchange->target;
}

const char *http_query(const struct http_exchange *exchange)
{
    return exchange->query;
}

int http_query_value(const struct http_exchange *exchange, const char *name, char *text,
                     size_t text_bytes)
{
    struct query_parameter parameter;
    for (const char *at = exchange->query; query_next(&at, &parameter);)
        if (query_is_named(&parameter, name))
            return query_decode(&parameter, text, text_bytes) == 0 ? 1 : -1;
    return 0;
}

const char *http_header(const struct http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
}

struct each_header {
    int (*each)(void *context, const char *name, const char *value);
    void *context;
};

static enum MHD_Result pass_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct each_header *pass = context;
    return pass->each(pass->context, name, value ? value : "") == 0 ? MHD_YES : MHD_NO;
}

void http_each_header(const struct http_exchange *exchange,
                      int (*each)(void *, const char *name, const char *value), void *context)
{
    struct each_header pass = {each, context};
    MHD_get_connection_values(exchange->mhd, MHD_HEADER_KIND, pass_header, &pass);
}

int64_t http_content_length(const struct http_exchange *exchange)
{
    return exchange->content_length;
}

bool http_is_chunked(const struct http_exchange *exchange)
{
    return exchange->chunked;
}

char *http_peer(const struct http_exchange *exchange, char text[HTTP_PEER_BYTES])
{
    text[0] = '\0';
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    if (!address)
        return text;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        inet_ntop(AF_INET, &v4->sin_addr, text, HTTP_PEER_BYTES);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, HTTP_PEER_BYTES);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, text, HTTP_PEER_BYTES);
    }
    return text;
}

int http_peer_user(const struct http_exchange *exchange, uid_t *uid)
{
    struct ucred peer;
    socklen_t bytes = sizeof(peer);
    if (getsockopt(exchange->connection->fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0 ||
        bytes != sizeof(peer))
        return -1;
    *uid = peer.uid;
    return 0;
}

int64_t http_started_us(const struct http_exchange *exchange)
{
    return exchange->started_us;
}

void http_close_after(struct http_exchange *exchange)
{
    exchange->close_after = true;
}

/* ---- headers of the answer ---- */

void http_add_header(struct http_exchange *exchange, const char *name, const char *value)
{
    size_t name_bytes = strlen(name) + 1, value_bytes = strlen(value) + 1;
    struct extra_header *extra = memory_alloc(sizeof(*extra) + name_bytes + value_bytes);
    struct extra_header **end = &exchange->extra;
    extra->name = memcpy(extra + 1, name, name_bytes);
    extra->value = memcpy(extra->name + name_bytes, value, value_bytes);
    while (*end)
        end = &(*end)->next;
    *end = extra;
}

void exchange_free_headers(struct http_exchange *exchange)
{
    for (struct extra_header *next; exchange->extra; exchange->extra = next) {
        next = exchange->extra->next;
        free(exchange->extra);
    }
}
