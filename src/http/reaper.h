/* Shuts down each connection at its absolute deadline (a suspended one is left to the service's
 * `expired`) and, when there are too many, one to make room; libmicrohttpd then closes the
 * descriptor. Its own timeout counts from the last byte, so a client that sends its bytes slowly
 * would never reach it. */
#ifndef WEBHOOKD_HTTP_REAPER_H
#define WEBHOOKD_HTTP_REAPER_H

#include "base/error.h"
#include "http/exchange.h"

struct reaper;

struct reaper *reaper_start(struct http_server *server, int64_t max_connections,
                            struct error *error);
/* Ends the thread. Connections may still be removed until reaper_free. NULL is fine. */
void reaper_stop(struct reaper *reaper);
void reaper_free(struct reaper *reaper);

/* Called from libmicrohttpd's callbacks: when a connection starts, and before its socket is
 * closed. */
void reaper_add(struct reaper *reaper, struct http_connection *connection);
void reaper_remove(struct reaper *reaper, struct http_connection *connection);
/* Lets the socket of a connection linger that has just been removed: linger.h. */
void reaper_linger(struct reaper *reaper, const struct http_connection *connection);

struct worker;
/* Ends those connections of a spinning worker that libmicrohttpd no longer reads. For the worker's
 * thread. A connection is ended at the second call that finds it so. */
void reaper_end_stuck(struct reaper *reaper, const struct worker *worker);

/* Shuts down each connection that waits for its client and not for the server. Any thread. */
void reaper_shut_unfinished(struct reaper *reaper);
void reaper_get_metrics(struct reaper *reaper, struct http_metrics *metrics);

#endif
