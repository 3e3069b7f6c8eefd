/* A thread for each connection, for services whose steps may block. If no thread can be started
 * (RLIMIT_NPROC, pids.max, kernel.threads-max), the thread that accepts connections serves the
 * connection itself, with all others of this kind: slowly, but health checks and administrators get
 * their answers. It was started with the server, so it is always there. */
#ifndef WEBHOOKD_HTTP_THREADS_H
#define WEBHOOKD_HTTP_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "http/exchange.h"

struct threads;

/* Takes ownership of listen_fd, also on failure. */
struct threads *threads_start(struct http_server *server, int listen_fd, struct error *error);
/* Stops listening. Returns once the socket is closed. */
void threads_quiesce(struct threads *threads);
/* Closes all connections and ends all threads. No request may be in progress. NULL is fine. */
void threads_stop(struct threads *threads);

/* Returns when the connection was accepted that the calling thread serves alone, in microseconds of
 * the monotonic clock; 0 on any other thread. Threads may start in another order than that in which
 * their connections were accepted. */
int64_t threads_accepted_us(void);

/* Whether the calling thread serves more than one connection, so that it must not block for
 * long. */
bool threads_is_shared(void);

#endif
