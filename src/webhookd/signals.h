/* Signals and the service manager's watchdog, which reach webhookd from outside while it runs.
 * Called by daemon.c and by the loop, on the main thread. */
#ifndef WEBHOOKD_SIGNALS_H
#define WEBHOOKD_SIGNALS_H

#include "base/error.h"
#include "base/loop.h"

struct signals;

/* Called on the loop's thread. */
struct signals_callbacks {
    void (*reload)(void *context); /* SIGHUP */
    void (*stop)(void *context);   /* SIGTERM, SIGINT */
    void *context;
};

/* From now on, signals arrive only through the loop: all other threads block all signals
 * (base/thread.h). The loop must outlive the result. */
struct signals *signals_start(struct loop *loop, const struct signals_callbacks *callbacks,
                              struct error *error);
/* The signals stay blocked. */
void signals_stop(struct signals *signals);

/* From now on, notifies the watchdog regularly, if there is one. */
void signals_feed_watchdog(struct signals *signals);
/* Notifies the service manager (sd_notify(3)). Logs a failure. */
void signals_notify(const char *state);

#endif
