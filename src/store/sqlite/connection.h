/* What the files of this folder share, with statement.h: the connection, and what one of them asks another.
 * Nothing here leaves the folder. All of it belongs to the thread that uses the store. */
#ifndef WEBHOOKD_STORE_SQLITE_CONNECTION_H
#define WEBHOOKD_STORE_SQLITE_CONNECTION_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/sqlite/statement.h"
#include "store/store.h"

/* A request's run comes at most this much later than its id: the longest header, body and answer timeouts that the configuration allows, and
 * some. A run that would come later (the clock was set forward meanwhile) is refused, for it would not be found again by its request, and the
 * spool's sweep would take its body for one without a run. */
#define REQUEST_RANGE_MS (27 * 3600 * 1000)

/* The path of the database. Free it; NULL and why. */
char *connection_database_path(const struct store_options *options, struct error *error);

/* A change of a fleet's row in fleet_load that is still to be written. */
struct load_change {
    int64_t fleet_no, change;
};

struct store {
    sqlite3 *db;
    sqlite3_stmt **statements; /* by struct statement's index; NULL = not prepared yet */
    int statement_count;
    int schema_version;
    int64_t deadline_ms;      /* of a reader's search; 0 = none */
    int log_frames;           /* in the write-ahead log after this connection's last commit */
    int64_t last_number;      /* of the last run, committed or not: those rolled back are skipped */
    int64_t changes_at_begin; /* sqlite3_total_changes64, to tell whether a transaction wrote */
    int64_t changes_at_savepoint;
    struct load_change *load; /* since store_begin, in order */
    size_t load_count, load_capacity;
    size_t load_at_savepoint;
};

/* ---- load.c: how many open runs each fleet has ---- */

int load_create(struct store *store, int64_t fleet_no,
                struct error *error); /* a row with 0 for a new fleet */
void load_change(struct store *store, int64_t fleet_no,
                 int change); /* in memory, until load_write; undone with its savepoint */
int load_write(struct store *store,
               struct error *error); /* before the commit: one UPDATE per fleet */
int load_open(struct store *store, int64_t fleet_no, int64_t *open,
              struct error *error); /* with what is not yet written */

/* ---- folders.c, fleets.c, runs.c: finding rows by their ids, ERROR_NOT_FOUND with the id in the message ---- */

/* Makes organization `default` with project `default` in a store that never had any. */
int projects_make_default(struct store *store, int64_t now_ms, struct error *error);
int projects_find(struct store *store, const struct id *project_id, int64_t *project_no,
                  struct error *error);
int fleets_find(struct store *store, const struct id *fleet_id, int64_t *fleet_no,
                struct error *error); /* not a deleted one */
int runs_find(struct store *store, const struct id *run_id, int64_t *number, struct error *error);

#endif
