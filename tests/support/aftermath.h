/* What a test checks after a crash: whether every promise (201) was kept, and whether the store is
 * intact. */
#ifndef WEBHOOKD_TESTS_SUPPORT_AFTERMATH_H
#define WEBHOOKD_TESTS_SUPPORT_AFTERMATH_H

#include <stddef.h>
#include <stdint.h>

#include "support/load.h"

/* Returns how many of the book's promises from index `first` on are not in the store with all their
 * bytes. Names a few of them on stderr. */
size_t aftermath_missing(const char *state_dir, const struct load_book *book, size_t first);

/* Fails the test unless SQLite finds the database intact (PRAGMA integrity_check). */
void aftermath_assert_sound(const char *state_dir);

/* Returns the number of scheduled and running runs. */
int64_t aftermath_open_runs(const char *state_dir);

/* Returns the number of entries in a subfolder of the state folder. */
int aftermath_files(const char *state_dir, const char *folder);
/* Waits (at most 10 s) until the folder is empty; fails the test otherwise. */
void aftermath_await_empty(const char *state_dir, const char *folder);

#endif
