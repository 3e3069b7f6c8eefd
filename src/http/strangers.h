/* Connections that end without an answer of ours. libmicrohttpd itself refuses what it cannot
 * parse, so no service ever hears of it. Each such connection leaves one line in the log: who sent
 * it, and what it nearly is. A connection that the peer closes without having sent anything leaves
 * none: load balancers and port scanners open many. */
#ifndef WEBHOOKD_HTTP_STRANGERS_H
#define WEBHOOKD_HTTP_STRANGERS_H

#include "base/error.h"
#include "http/exchange.h"

/* A set of connections of one worker whose first bytes have not arrived yet. It is for the worker's
 * thread. */

/* Returns the epoll descriptor of a new set, which is readable when first bytes have arrived; or
 * -1. */
int strangers_open(struct error *error);
/* Looks at the first bytes that have arrived, without reading them, and shuts down each connection
 * that certainly does not speak HTTP. Call when the set is readable, before libmicrohttpd reads
 * them. */
void strangers_look(int set);
/* Adds a new connection; if that fails, its first bytes are not looked at. */
void strangers_add(int set, struct http_connection *connection);
/* Call before the connection is freed. */
void strangers_remove(int set, struct http_connection *connection);

/* Logs that webhookd closes the connection for this reason. The caller holds the connection. Any
 * thread. */
void strangers_log_closed(struct http_connection *connection, const char *reason);
/* Logs the end of a request that libmicrohttpd has answered by itself, or whose sender has left
 * before its end. Call when the request is completed. */
void strangers_log_request_end(struct http_connection *connection);
/* Notes that another request may follow on the connection. Call when one has been read to its end,
 * and before its sender can have the answer. */
void strangers_expect_request(struct http_connection *connection);
/* Logs the end of a connection whose peer has sent bytes that are no valid request line, at first
 * or after a request. */
void strangers_log_end(struct http_connection *connection);

#endif
