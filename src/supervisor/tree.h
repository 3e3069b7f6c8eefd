/* Signals everything that the vessel has started. The calling process is a subreaper, so all of it
 * is below that process. */
#ifndef WEBHOOKD_SUPERVISOR_TREE_H
#define WEBHOOKD_SUPERVISOR_TREE_H

#include <sys/types.h>

/* Sends the signal once to every process below the calling one. The processes in the leader's
 * process group get it at the same moment, so that none can escape by forking. leader is a child
 * that was not reaped yet, or 0 for none. */
void tree_signal(pid_t leader, int signal_number);

/* Returns how many processes run below the calling one, without the leader and those that have
 * ended. */
unsigned tree_count(pid_t leader);

/* Sends SIGKILL to the direct children; their own children become direct ones when they are gone.
 * Returns how many could be signalled: processes of another user cannot. */
int tree_kill_children(void);

#endif
