/* sd_notify(3) without libsystemd: a datagram to $NOTIFY_SOCKET (a path or @abstract). */
#ifndef WEBHOOKD_BASE_SYSTEMD_H
#define WEBHOOKD_BASE_SYSTEMD_H

#include <stdint.h>

#include "base/error.h"

/* Sends "READY=1", "RELOADING=1\nMONOTONIC_USEC=…", "STOPPING=1", "WATCHDOG=1", "STATUS=…". Does nothing without a service manager. */
int systemd_notify(const char *state, struct error *error);
/* Half of $WATCHDOG_USEC in milliseconds if it is meant for this process, else 0. */
int64_t systemd_watchdog_ms(void);
/* Sockets that systemd passes (sd_listen_fds(3)): how many there are, from descriptor 3 on; made non-blocking and
 * close-on-exec, and the variables are removed from the environment. */
int systemd_inherited_sockets(void);

#endif
