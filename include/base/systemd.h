/* The service manager's interfaces without libsystemd: notifications, the watchdog, socket
 * activation. Main thread. */
#ifndef WEBHOOKD_BASE_SYSTEMD_H
#define WEBHOOKD_BASE_SYSTEMD_H

#include <stdint.h>

#include "base/error.h"

/* sd_notify(3): sends a datagram such as "READY=1", "RELOADING=1\nMONOTONIC_USEC=…", "STOPPING=1",
 * "WATCHDOG=1" or "STATUS=…" to $NOTIFY_SOCKET (a path or @abstract). Does nothing if that is not
 * set. */
int systemd_notify(const char *state, struct error *error);
/* sd_watchdog_enabled(3): returns half of $WATCHDOG_USEC in milliseconds if it is meant for this
 * process, else 0. */
int64_t systemd_watchdog_ms(void);
/* sd_listen_fds(3): systemd passes sockets as descriptors 3, 4, …. Returns how many of them, in
 * that order, are usable; stops at the first that is not. Makes them non-blocking and
 * close-on-exec, and removes the variables from the environment. Call it before other threads
 * start. */
int systemd_inherited_sockets(void);

#endif
