/* What the files of this folder share, besides statement.h: the connection, and the functions that
 * they call in each other. Private to this folder. Unless a comment says otherwise, everything
 * belongs to the thread that uses the store. */
#ifndef WEBHOOKD_STORE_SQLITE_CONNECTION_H
#define WEBHOOKD_STORE_SQLITE_CONNECTION_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/name.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/statement.h"

struct checkpointer;
struct space;

/* A request's run is stored at most this much later than its id was created: the sum of the longest
 * header, body and answer timeouts that the configuration allows, plus a margin. A run that would
 * be stored later (because the clock was set forward meanwhile) is refused: it would not be found
 * by its request id, and the spool's sweep would remove its body. */
#define REQUEST_RANGE_MS (27 * 3600 * 1000)

/* Returns the path of the database. The caller frees it. */
char *connection_path(const struct store_options *options);
/* Sets SQLite's VFS, by name, for the connections that are opened from now on; NULL = the default.
 * Tests use this to make disks fail. */
void connection_set_vfs(const char *name);
/* Opens a connection for the checkpointer. */
struct store *connection_open_checkpointer(const struct store_options *options,
                                           struct error *error);

/* A change to a fleet's row in fleet_load that is still to be written. */
struct load_change {
    int64_t fleet_no, change;
};

/* Belongs to the thread that uses the store, except for the last members. */
struct connection {
    struct store store; /* must be first: the part that the interface knows */
    struct store_options options;
    sqlite3 *db;
    sqlite3_stmt **statements; /* by struct statement's index; NULL = not prepared yet */
    int statement_count;
    int schema_version;
    int64_t deadline_ms;      /* for a reader's query; 0 = none */
    int log_frames;           /* in the write-ahead log after this connection's last commit */
    int64_t last_number;      /* of the last run, even if it was rolled back */
    int64_t changes_at_begin; /* sqlite3_total_changes64, to tell whether a transaction wrote */
    int64_t changes_at_savepoint;
    struct load_change *load; /* since transaction_begin, in order */
    size_t load_count, load_capacity;
    size_t load_at_savepoint;

    /* Of the writing connection; used by any thread. */
    struct checkpointer *checkpointer; /* NULL until the upkeep has been started, as is space */
    struct space *space;
    _Atomic int64_t commit_us_sum;
};

static inline struct connection *connection_of(const struct store *store)
{
    return (struct connection *)(uintptr_t)store;
}

/* ---- transaction.c: a transaction on the writing connection, and a savepoint in it ----
 *
 * For store_write, and for projects_make_default when a store is opened. */

int transaction_begin(struct store *store, struct error *error); /* BEGIN IMMEDIATE */
int transaction_commit(struct store *store, struct error *error);
void transaction_rollback(struct store *store); /* does nothing without a transaction */
int transaction_savepoint(struct store *store, struct error *error);
int transaction_release(struct store *store, struct error *error);
/* Undoes the changes since the savepoint and releases it. -1: some of them may remain, so the whole
 * transaction must be rolled back. */
int transaction_rollback_to(struct store *store, struct error *error);
bool transaction_is_open(struct store *store);
bool transaction_wrote(struct store *store); /* since transaction_begin */

/* ---- accept.c, work.c: the items of store_write ---- */

int sqlite_check_token(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       struct id *fleet_id, struct error *error);
/* The hot path: one SELECT by hash, then plain INSERTs at the right edge of the tables. */
int sqlite_accept_hook(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       const struct run_input *input, struct run_ids *ids, struct error *error);
int sqlite_step(struct store *store, const struct store_step *step, struct error *error);
/* The parts of a step. */
int sqlite_start_run(struct store *store, int64_t number, const struct definition *definition,
                     const struct id *vessel_run_ids, int64_t now_ms, struct error *error);
int sqlite_start_attempt(struct store *store, int64_t number, int vessel_index, int attempt,
                         const struct id *boot_id, int64_t now_ms, struct error *error);
int sqlite_end_attempt(struct store *store, int64_t number, int vessel_index, int attempt,
                       const struct attempt_result *result, struct error *error);
int sqlite_end_vessel(struct store *store, int64_t number, int vessel_index,
                      enum vessel_status status, const char *reason, int64_t now_ms,
                      struct error *error);
int sqlite_end_run(struct store *store, int64_t number, enum run_status status, int64_t now_ms,
                   struct error *error);

/* ---- overrides.c: the overrides of runs ---- */

int overrides_store(struct store *store, const struct id *run_id,
                    const struct run_overrides *overrides, struct error *error);
/* The part of sqlite_list_sealed that is about them. */
int overrides_list_sealed(struct store *store, int (*each)(void *, const struct sealed_row *),
                          void *context, struct error *error);

/* ---- load.c: how many open runs each fleet has ---- */

/* Inserts the row of a new fleet, with 0 open runs. */
int load_create(struct store *store, int64_t fleet_no, struct error *error);
/* Changes a fleet's count of open runs, in memory only; load_write writes it. Rolling back to the
 * savepoint undoes the change. */
void load_change(struct store *store, int64_t fleet_no, int change);
/* Writes the changes before the commit, with one UPDATE per fleet. */
int load_write(struct store *store, struct error *error);
/* Reads a fleet's count of open runs, including the changes that load_write has not written yet. */
int load_open(struct store *store, int64_t fleet_no, int64_t *open, struct error *error);

/* ---- package_locks.c ---- */

/* Deletes the package locks of all versions of a fleet. */
int package_locks_forget(struct store *store, int64_t fleet_no, struct error *error);

/* ---- projects.c, fleets.c, runs.c: from an id to the row's integer key ----
 *
 * If there is no such row, ERROR_NOT_FOUND with the id in the message. */

/* Creates organization `default` with project `default` if the store never had an organization. */
int projects_make_default(struct store *store, int64_t now_ms, struct error *error);
int projects_find_org(struct store *store, const struct id *org_id, int64_t *org_no,
                      struct error *error);
int projects_find(struct store *store, const struct id *project_id, int64_t *project_no,
                  struct error *error);
/* Does not find a deleted fleet. */
int fleets_find(struct store *store, const struct id *fleet_id, int64_t *fleet_no,
                struct error *error);
/* Reads the name of a fleet, also of a deleted one, for a message. */
int fleets_name(struct store *store, int64_t fleet_no, char name[NAME_MAX_BYTES + 1],
                struct error *error);
int runs_find(struct store *store, const struct id *run_id, int64_t *number, struct error *error);

#endif
