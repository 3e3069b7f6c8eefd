/* Closes connections at their absolute deadlines, and the longest-idle one when there are too many. libmicrohttpd's own timeout
 * counts from the last byte, so a client that drips would never meet it. */
#ifndef WEBHOOKD_HTTP_REAPER_H
#define WEBHOOKD_HTTP_REAPER_H

#include "base/error.h"
#include "http/exchange.h"

struct reaper;

struct reaper *reaper_start(struct http_server *server, int64_t max_connections,
                            struct error *error);
void reaper_stop(
    struct reaper
        *reaper); /* NULL is fine; connections may still be removed later: see reaper_free */
void reaper_free(struct reaper *reaper);

/* On libmicrohttpd's threads, when a connection starts and before its socket is closed. */
void reaper_add(struct reaper *reaper, struct http_connection *connection);
void reaper_remove(struct reaper *reaper, struct http_connection *connection);

/* Ends each connection that waits for its client and not for us. Any thread. */
void reaper_shut_unfinished(struct reaper *reaper);
void reaper_get_metrics(struct reaper *reaper, struct http_metrics *metrics);

#endif
