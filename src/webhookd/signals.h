/* What comes from outside while it runs: signals, a reload among them, and the service manager's watchdog. On the main thread. */
#ifndef WEBHOOKD_SIGNALS_H
#define WEBHOOKD_SIGNALS_H

#include "webhookd/daemon.h"

/* Before any thread: they all inherit the mask, and signals come through the descriptor alone. */
int signals_prepare(struct daemon *daemon, struct error *error);
void signals_feed_watchdog(struct daemon *daemon); /* from now on, if there is one */
void signals_notify(const char *state);            /* sd_notify(3); a failure is logged */

#endif
