/* What the files of this folder share: the connection, its cached statements, and the way from SQLite's codes to ours.
 * Nothing here leaves the folder. All of it belongs to the thread that uses the store. */
#ifndef WEBHOOKD_STORE_SQLITE_CONNECTION_H
#define WEBHOOKD_STORE_SQLITE_CONNECTION_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

/* A request's run comes at most this much later than its id: the longest header, body and answer timeouts that the configuration allows, and
 * some. A run that would come later (the clock was set forward meanwhile) is refused, for it would not be found again by its request, and the
 * spool's sweep would take its body for one without a run. */
#define REQUEST_RANGE_MS (27 * 3600 * 1000)

/* The path of the database. Free it; NULL and why. */
char *connection_database_path(const struct store_options *options, struct error *error);

/* One slot per statement: prepared at its first use, kept until the connection is closed. */
enum statement_id {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_SAVEPOINT,
    STATEMENT_RELEASE,

    STATEMENT_LIST_ORGS,
    STATEMENT_LIST_PROJECTS,
    STATEMENT_FIND_ORG,
    STATEMENT_FIND_PROJECT,
    STATEMENT_CREATE_ORG,
    STATEMENT_CREATE_PROJECT,
    STATEMENT_DELETE_ORG,
    STATEMENT_DELETE_PROJECT,
    STATEMENT_COUNT_PROJECTS,
    STATEMENT_COUNT_FLEETS,

    STATEMENT_LIST_FLEETS,
    STATEMENT_GET_FLEET,
    STATEMENT_LIST_VERSIONS,
    STATEMENT_GET_VERSION,
    STATEMENT_FIND_FLEET,
    STATEMENT_FIND_FLEET_NO,
    STATEMENT_FIND_FLEET_NAME,
    STATEMENT_CURRENT_DEFINITION,
    STATEMENT_CREATE_FLEET,
    STATEMENT_UPDATE_FLEET,
    STATEMENT_CREATE_VERSION,
    STATEMENT_DELETE_FLEET,

    STATEMENT_LIST_WEBHOOKS,
    STATEMENT_GET_WEBHOOK,
    STATEMENT_COUNT_WEBHOOKS,
    STATEMENT_CREATE_WEBHOOK,
    STATEMENT_REPLACE_WEBHOOK,
    STATEMENT_REMOVE_WEBHOOK,
    STATEMENT_FIND_CALLED,
    STATEMENT_ADD_CALLS,
    STATEMENT_DROP_OLD_CALLS,
    STATEMENT_REMOVE_CALLS,

    STATEMENT_LIST_KEYS,
    STATEMENT_FIND_KEY,
    STATEMENT_CREATE_KEY,
    STATEMENT_REVOKE_KEY,
    STATEMENT_TOUCH_KEY,
    STATEMENT_FIND_SESSION,
    STATEMENT_BEGIN_SESSION,
    STATEMENT_DROP_SESSIONS,
    STATEMENT_TOUCH_SESSION,
    STATEMENT_END_SESSION,
    STATEMENT_LIST_AUDIT,
    STATEMENT_ADD_AUDIT,
    STATEMENT_DROP_AUDIT,

    STATEMENT_CHECK_TOKEN,
    STATEMENT_FIND_TOKEN,
    STATEMENT_FIND_TARGET,
    STATEMENT_INSERT_RUN,
    STATEMENT_INSERT_OPEN,
    STATEMENT_CREATE_LOAD,
    STATEMENT_ADD_LOAD,
    STATEMENT_GET_LOAD,

    STATEMENT_LIST_OPEN,
    STATEMENT_LIST_OPEN_FLEET,
    STATEMENT_LIST_RUNNING,
    STATEMENT_LIST_ENDED,
    STATEMENT_LIST_ENDED_STATUS,
    STATEMENT_LIST_ENDED_FLEET, /* one for each way of ending: three are read side by side */
    STATEMENT_LIST_ENDED_FLEET_2,
    STATEMENT_LIST_ENDED_FLEET_3,
    STATEMENT_FIND_REQUEST,
    STATEMENT_FIND_RUN,
    STATEMENT_GET_RUN,
    STATEMENT_GET_HEADERS,
    STATEMENT_GET_BODY,
    STATEMENT_LIST_VESSELS,
    STATEMENT_LIST_ATTEMPTS,
    STATEMENT_COUNT_OPEN,

    STATEMENT_FIND_WAITING,
    STATEMENT_FIND_WAITING_OF,
    STATEMENT_FIND_RUNNING,
    STATEMENT_FIND_STOPPING,
    STATEMENT_STOP_RUN,
    STATEMENT_FIND_ENDED,
    STATEMENT_FIND_EXPIRED,
    STATEMENT_COUNT_PAGES,
    STATEMENT_DELETE_ENDED,
    STATEMENT_DELETE_ATTEMPTS,
    STATEMENT_DELETE_VESSELS,
    STATEMENT_DELETE_RUN,
    STATEMENT_LOAD_WORK,
    STATEMENT_START_RUN,
    STATEMENT_INSERT_VESSEL,
    STATEMENT_INSERT_ATTEMPT,
    STATEMENT_START_VESSEL,
    STATEMENT_END_ATTEMPT,
    STATEMENT_NOTE_ATTEMPT,
    STATEMENT_END_VESSEL,
    STATEMENT_INSERT_ENDED,
    STATEMENT_DELETE_OPEN,

    STATEMENT_COUNT
};

/* A change of a fleet's row in fleet_load that is still to be written. */
struct load_change {
    int64_t fleet_no, change;
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
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

/* ---- statement.c ---- */

/* The cached statement, with no parameter bound, or NULL. It must not be in use: a callback may not call the function that calls it. */
sqlite3_stmt *statement_get(struct store *store, enum statement_id id, const char *sql,
                            struct error *error);
/* 1 = a row, 0 = no more, -1 = *error ("cannot <what>: …"). */
int statement_step(struct store *store, sqlite3_stmt *statement, const char *what,
                   struct error *error);
/* Runs a statement that gives no rows, and ends it. */
int statement_run(struct store *store, sqlite3_stmt *statement, const char *what,
                  struct error *error);
/* The same; if there is such a row already, ERROR_CONFLICT with the words given. */
int statement_insert(struct store *store, sqlite3_stmt *statement, const char *what,
                     const char *conflict, struct error *error);
/* Makes it ready for its next use. NULL is fine. */
void statement_end(sqlite3_stmt *statement);

/* Turns the connection's last error into *error: "cannot <what>: …". Always -1. */
int statement_failed(sqlite3 *db, const char *what, struct error *error);
/* Which kind of error a code of SQLite is for our callers; errnum is the system's behind it. */
enum error_kind statement_error_kind(int extended_code, int errnum);

/* Parameters, from 1. The values are borrowed until statement_end. Binding what is borrowed cannot fail. */
void bind_id(sqlite3_stmt *statement, int place, const struct id *id);
void bind_int(sqlite3_stmt *statement, int place, int64_t value);
void bind_text(sqlite3_stmt *statement, int place, const char *text);
void bind_text_n(sqlite3_stmt *statement, int place, const char *text, size_t bytes);
void bind_blob(sqlite3_stmt *statement, int place, const void *data,
               size_t bytes); /* data NULL: NULL */

/* Columns, from 0. */
struct id column_id(sqlite3_stmt *statement, int place);
int64_t column_int(sqlite3_stmt *statement, int place);
const char *column_text(sqlite3_stmt *statement,
                        int place); /* never NULL; borrowed until the next step */

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
