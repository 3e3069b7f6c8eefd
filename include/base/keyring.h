/* The kernel's key retention service, keyrings(7): leaving a session keyring that others share. */
#ifndef WEBHOOKD_BASE_KEYRING_H
#define WEBHOOKD_BASE_KEYRING_H

#include "base/error.h"

/* Gives the calling thread a new, empty session keyring in place of the one that it has inherited.
 * Threads and processes that it starts later inherit the new one. The keyring belongs to the
 * thread's real user and counts against that user's quota; the kernel frees it when no process uses
 * it any more.
 *
 * Returns 0 as well if no process here can use keyrings: the kernel has none, or the filter of a
 * container refuses the calls. ERROR_UNAVAILABLE: the quota is used up. */
int keyring_leave_session(struct error *error);

#endif
