/* The trash: removes trees on a thread of its own, because that may take its time. */
#ifndef WEBHOOKD_RUNNER_TRASH_H
#define WEBHOOKD_RUNNER_TRASH_H

#include "base/error.h"

struct trash;

/* Empties the folder behind trash_fd (borrowed), now and after every trash_discard. */
struct trash *trash_start(int trash_fd, struct error *error);
void trash_stop(struct trash *trash); /* finishes the tree it is at; NULL is fine */

/* Renames folder_fd/name into the trash, which is quick, and wakes its thread. A missing name is
 * fine. Any thread. */
int trash_discard(struct trash *trash, int folder_fd, const char *name, struct error *error);

#endif
