/* The trash: removes trees on a thread of its own, because that may take long. */
#ifndef WEBHOOKD_RUNNER_TRASH_H
#define WEBHOOKD_RUNNER_TRASH_H

#include "base/error.h"

struct trash;

/* Starts the thread, which empties the folder trash_fd (borrowed), now and after every
 * trash_discard. */
struct trash *trash_start(int trash_fd, struct error *error);
/* Stops the thread, even in the middle of a tree: the next start goes on with it. NULL is fine. */
void trash_stop(struct trash *trash);

/* Renames folder_fd/name into the trash, which is quick, and wakes the thread. Does nothing if the
 * name does not exist. Any thread. */
int trash_discard(struct trash *trash, int folder_fd, const char *name, struct error *error);

#endif
