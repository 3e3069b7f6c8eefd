/* Everything that the vessel has started: as this process is a subreaper, all of it hangs below it. */
#ifndef WEBHOOKD_SUPERVISOR_TREE_H
#define WEBHOOKD_SUPERVISOR_TREE_H

#include <sys/types.h>

/* Sends the signal once to every process below the calling one. Those in the leader's process group get it at one moment, so that
 * none can fork out of its way; leader is a child that was not reaped yet, or 0. */
void tree_signal(pid_t leader, int signal_number);

/* SIGKILL to the direct children; theirs become direct when they are gone. How many took it: what another user owns does not. */
int tree_kill_children(void);

#endif
