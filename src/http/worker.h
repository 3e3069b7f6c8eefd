/* A libmicrohttpd daemon driven by a thread of ours, which waits for its epoll descriptor and then lets it run.
 *
 * Its own thread would stall: 0.9.75 fetches 128 events at a time, and after a full fetch waits, with its whole timeout, for more
 * before it looks at those that it has. With exactly 128 senders at one moment all of them would wait for a stranger's next byte. MHD_run never waits. */
#ifndef WEBHOOKD_HTTP_WORKER_H
#define WEBHOOKD_HTTP_WORKER_H

#include <microhttpd.h>

#include "base/error.h"

struct worker;

/* Takes the daemon, which must have been started with MHD_USE_EPOLL and without a thread of its own. */
struct worker *worker_start(struct MHD_Daemon *daemon, const char *thread_name,
                            struct error *error);
/* The worker whose thread this is; NULL on any other. */
struct worker *worker_current(void);
/* MHD_resume_connection for a connection of this worker's, and a wake-up, which libmicrohttpd leaves out where it has no thread. Any number of
 * them costs one system call. Any thread. */
void worker_resume(struct worker *worker, struct MHD_Connection *mhd);
/* Stops listening; returns when the socket is closed. */
void worker_quiesce(struct worker *worker);
/* Ends the thread. No request may be in progress. NULL is fine. */
void worker_end(struct worker *worker);
/* After that closes every connection. NULL is fine. */
void worker_free(struct worker *worker);

#endif
