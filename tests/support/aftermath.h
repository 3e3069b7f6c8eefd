/* What a test looks at after a crash: is what was promised there, is the store sound. */
#ifndef WEBHOOKD_TESTS_SUPPORT_AFTERMATH_H
#define WEBHOOKD_TESTS_SUPPORT_AFTERMATH_H

#include <stddef.h>
#include <stdint.h>

#include "support/load.h"

/* How many of the book's promises from `first` on are not in the store with all their bytes. Says on stderr which, a few of them. */
size_t aftermath_missing(const char *state_dir, const struct load_book *book, size_t first);

/* Fails the test unless SQLite finds nothing wrong with the database (PRAGMA integrity_check). */
void aftermath_assert_sound(const char *state_dir);

/* Runs that wait or run. */
int64_t aftermath_open_runs(const char *state_dir);

/* How many names there are in a folder of the state folder. */
int aftermath_files(const char *state_dir, const char *folder);
/* Waits (at most 10 s) until there are none; fails the test otherwise. */
void aftermath_await_empty(const char *state_dir, const char *folder);

#endif
