/* The migrations in migrations/, embedded at build time, and what applies them. */
#ifndef WEBHOOKD_STORE_SQLITE_MIGRATION_H
#define WEBHOOKD_STORE_SQLITE_MIGRATION_H

#include <sqlite3.h>

#include "base/error.h"

struct migration {
    int number; /* 1, 2, 3, … without a gap */
    const char *name;
    const char *sql;
};

extern const struct migration migrations_sqlite[];
extern const int migrations_sqlite_count;

/* Written into every store's header, so that a file of another program is recognised. */
#define MIGRATION_APPLICATION_ID 0x77686b64 /* "whkd" */

/* Applies, in order, those that the database lacks, each in a transaction of its own together with its row in the table
 * `migration`. Refuses what migration_recognise refuses. On the thread that opens the store. */
int migration_apply(sqlite3 *db, const struct migration *migrations, int count,
                    struct error *error);
/* Looks only: refuses (ERROR_INVALID) a file that another program wrote, and one with more than `count` migrations. Sets
 * *number to that of the last one applied, 0 in a new file. */
int migration_recognise(sqlite3 *db, int count, int *number, struct error *error);
int migration_number(sqlite3 *db, struct error *error); /* the same number, -1 on error */

#endif
