/* Log lines about a request. Each begins with the field `request`, the request's id, so that
 * callers need not add it.
 *
 *     http_log_info(exchange, "fleet deleted", log_id("fleet", &id));
 *     → info: fleet deleted request=0198… fleet=0198…
 *
 * Further fields may follow the event, as in base/log.h. For any thread while the exchange
 * exists. */
#ifndef WEBHOOKD_HTTP_LOG_H
#define WEBHOOKD_HTTP_LOG_H

#include "base/log.h"
#include "http/server.h"

/* The field `from`: a peer's address as of http_peer, or "unix". */
static inline struct log_field http_log_from(const char *peer)
{
    return log_text("from", peer[0] != '\0' ? peer : "unix");
}

#define HTTP_LOG_AT(level, exchange, event, ...)                                                   \
    LOG_AT(level, event, log_id("request", http_request_id(exchange)), __VA_ARGS__)

#define http_log_error(exchange, ...)   HTTP_LOG_AT(LOG_LEVEL_ERROR, exchange, __VA_ARGS__)
#define http_log_warning(exchange, ...) HTTP_LOG_AT(LOG_LEVEL_WARNING, exchange, __VA_ARGS__)
#define http_log_info(exchange, ...)    HTTP_LOG_AT(LOG_LEVEL_INFO, exchange, __VA_ARGS__)
#define http_log_debug(exchange, ...)   HTTP_LOG_AT(LOG_LEVEL_DEBUG, exchange, __VA_ARGS__)

#endif
