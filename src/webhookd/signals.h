/* What comes from outside while webhookd runs: signals, and the service manager's watchdog. Called
 * by daemon.c and by the loop, on the main thread. */
#ifndef WEBHOOKD_SIGNALS_H
#define WEBHOOKD_SIGNALS_H

#include "base/error.h"
#include "base/loop.h"

struct signals;

/* On the loop's thread. */
struct signals_callbacks {
    void (*reload)(void *context); /* SIGHUP */
    void (*stop)(void *context);   /* SIGTERM, SIGINT */
    void *context;
};

/* From now on signals come through the loop alone. Before any thread that does not block them
 * itself (libmicrohttpd's): it inherits the mask. The loop must outlive it. */
struct signals *signals_start(struct loop *loop, const struct signals_callbacks *callbacks,
                              struct error *error);
/* They stay blocked. */
void signals_stop(struct signals *signals);

void signals_feed_watchdog(struct signals *signals); /* from now on, if there is one */
void signals_notify(const char *state);              /* sd_notify(3); a failure is logged */

#endif
