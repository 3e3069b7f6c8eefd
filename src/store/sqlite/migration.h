/* The migrations in migrations/sqlite/, embedded at build time, and the functions that apply
 * them. */
#ifndef WEBHOOKD_STORE_SQLITE_MIGRATION_H
#define WEBHOOKD_STORE_SQLITE_MIGRATION_H

#include <sqlite3.h>

#include "base/error.h"

struct migration {
    int number; /* 1, 2, 3, … without gaps */
    const char *name;
    const char *sql;
};

extern const struct migration migrations_sqlite[];
extern const int migrations_sqlite_count;

/* Stored in the header of every store, so that a file of another program is recognised. */
#define MIGRATION_APPLICATION_ID 0x77686b64 /* "whkd" */

/* Applies the migrations that the database lacks, in order, each in a transaction of its own
 * together with its row in the table `migration`. Refuses what migration_recognise refuses. Called
 * on the thread that opens the store. */
int migration_apply(sqlite3 *db, const struct migration *migrations, int count,
                    struct error *error);
/* Changes nothing. Refuses (ERROR_INVALID) a file that another program wrote, and one with more
 * than `count` migrations. Sets *number to the number of the last migration applied, 0 for a new
 * file. */
int migration_recognise(sqlite3 *db, int count, int *number, struct error *error);
/* Returns the same number, or -1 on error. */
int migration_number(sqlite3 *db, struct error *error);

#endif
