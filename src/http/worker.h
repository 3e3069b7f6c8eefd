/* A libmicrohttpd daemon driven by a thread of ours, which waits for the daemon's epoll descriptor
 * and then runs the daemon.
 *
 * libmicrohttpd's own thread would stall: 0.9.75 fetches 128 events at a time, and after a full
 * fetch it waits for more, with its whole timeout, before it handles those that it has. If exactly
 * 128 clients send at the same moment, all of them would wait for a stranger's next byte. MHD_run
 * never waits.
 *
 * Two more faults of libmicrohttpd 0.9.75 are mended here and in connection.c:
 * - If a chunk-size line or a chunk extension fills the connection's memory, libmicrohttpd asks to
 *   be run again at once, for ever, and reads nothing. The worker notices the passes in which
 *   nothing happened, waits a little between them, and has the connection ended
 *   (reaper_end_stuck).
 * - It reads a resumed connection before it calls the handler, so a sender that has already closed
 *   its half would get no answer (put_first). */
#ifndef WEBHOOKD_HTTP_WORKER_H
#define WEBHOOKD_HTTP_WORKER_H

#include <microhttpd.h>

#include "base/error.h"

struct http_connection;
struct http_server;
struct worker;

/* Takes ownership of the daemon, also on failure. It must have been started with MHD_USE_EPOLL and
 * without a thread of its own. The server has its reaper until worker_end. */
struct worker *worker_start(struct http_server *server, struct MHD_Daemon *daemon,
                            struct error *error);
/* Returns a worker for the calling thread, which drives the daemon itself, with worker_wait_ms and
 * MHD_run, and finally calls worker_free. Owns the daemon. It cannot be resumed, quiesced or
 * ended. */
struct worker *worker_on_this_thread(struct http_server *server, struct MHD_Daemon *daemon);
/* Returns how long to wait for the daemon's epoll descriptor before the next MHD_run: as long as
 * the daemon can, or a little if it spins (the first of the two faults above); -1 = until something
 * happens. On the worker's thread. */
int worker_wait_ms(struct worker *worker);
/* Returns the worker whose thread this is, or NULL on any other thread. */
struct worker *worker_current(void);
/* Notes that libmicrohttpd has called us: this pass makes progress. On any thread; does nothing on
 * one that is no worker's. */
void worker_note_call(void);
/* Looks at the first bytes of a new connection when they arrive (http/strangers.h), until
 * worker_forget, which must come before the connection is freed. Does nothing for a worker of
 * worker_on_this_thread. Both on the worker's thread, or after its end. */
void worker_watch(struct worker *worker, struct http_connection *connection);
void worker_forget(struct worker *worker, struct http_connection *connection);
/* Resumes a connection of this worker (MHD_resume_connection) and wakes the worker, which
 * libmicrohttpd does not do for a daemon without a thread. Any number of pending wake-ups costs one
 * system call. Any thread. */
void worker_resume(struct worker *worker, struct MHD_Connection *mhd);
/* Stops listening. Returns once the socket is closed. */
void worker_quiesce(struct worker *worker);
/* Ends the thread. No request may be in progress. NULL is fine. */
void worker_end(struct worker *worker);
/* Closes every connection. Call after worker_end. NULL is fine. */
void worker_free(struct worker *worker);

#endif
