/* The cleaner: removes trees on a thread of its own, because that may take its time. */
#ifndef WEBHOOKD_RUNNER_CLEAN_H
#define WEBHOOKD_RUNNER_CLEAN_H

#include "base/error.h"

struct cleaner;

/* Empties the folder behind trash_fd (borrowed), now and after every cleaner_discard. */
struct cleaner *cleaner_start(int trash_fd, struct error *error);
void cleaner_stop(struct cleaner *cleaner); /* finishes the tree it is at; NULL is fine */

/* Renames folder_fd/name into the trash, which is quick, and wakes the cleaner. A missing name is fine. Any thread. */
int cleaner_discard(struct cleaner *cleaner, int folder_fd, const char *name, struct error *error);

#endif
