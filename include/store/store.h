/* What is durable, in the domain's words. Nothing outside this folder knows SQL, or that there is SQLite behind it.
 *
 * A `struct store` is one connection, used by one thread at a time. Exactly one is opened with STORE_WRITE (invariant 3),
 * and the committer is the only one that calls the functions under "Writing", between store_begin and store_commit. Functions that
 * fail set *error; its kind says what the caller can do:
 *   ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_INVALID   the operation alone is refused
 *   ERROR_FULL     the disk is full; the transaction may be gone (store_in_transaction tells)
 *   ERROR_IO       the disk failed: fail-stop (invariant 6)
 * Borrowed text and bytes in callbacks' arguments live until the callback returns. */
#ifndef WEBHOOKD_STORE_STORE_H
#define WEBHOOKD_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/secret.h"
#include "model/attempt_result.h"
#include "model/definition.h"
#include "model/run_status.h"
#include "model/run_trigger.h"
#include "model/vessel_status.h"

struct store;

enum store_mode { STORE_WRITE, STORE_READ };

struct store_options {
    const char *state_dir; /* folder that relative names start from */
    const char *location;  /* "sqlite:webhookd.db" */
    enum store_mode mode;
    const char *
        vfs; /* SQLite's VFS by name: the seam through which tests make disks fail; NULL = the default */
    bool
        relaxed_sync; /* synchronous=NORMAL, so that a test can show that it would fail; only from $WEBHOOKD_TEST_RELAXED_SYNC */
};

/* Once per start, with the state folder locked and before anything is opened: makes durable again what an earlier process has left in the
 * write-ahead log, also what a failed sync has left in memory only. -1: the disk still fails. */
int store_resync(const struct store_options *options, struct error *error);
/* Creates and migrates (STORE_WRITE), or opens what is there (STORE_READ). WAL, synchronous=FULL set and read back, automatic
 * checkpoints off. A store newer than the program: ERROR_INVALID. */
struct store *store_open(const struct store_options *options, struct error *error);
void store_close(struct store *store);
/* On a STORE_READ connection: what still searches at this moment of the monotonic clock is broken off with ERROR_UNAVAILABLE; 0 = never. A reader
 * keeps the write-ahead log from starting over, so none may take for ever. */
void store_set_deadline(struct store *store, int64_t deadline_ms);
int store_schema_version(struct store *store); /* number of the last migration applied */

/* Copies the store, as it is at one moment but without the console's sessions, into a new file at path, while others read and write. Any thread; takes as long as it takes to
 * copy the file, piece by piece: before each, may_go_on is told how many bytes are left (at first: all), and breaks the copy off with -1 and
 * an error of its own. What is at path then is of no use. Not synced. */
struct store_backup_guard {
    int (*may_go_on)(void *context, int64_t bytes_left, struct error *error);
    void *context;
};
int store_backup(const struct store_options *options, const char *path,
                 const struct store_backup_guard *guard, struct error *error);

/* ---- Transactions: the committer only ---- */

int store_begin(struct store *store, struct error *error); /* BEGIN IMMEDIATE */
int store_commit(struct store *store, struct error *error);
void store_rollback(struct store *store); /* fine without a transaction */
int store_savepoint(struct store *store, struct error *error);
int store_release(struct store *store, struct error *error);
/* Undoes what came since the savepoint and drops it. -1: half of it may still be there, so all of the transaction must go. */
int store_rollback_to(struct store *store, struct error *error);
bool store_in_transaction(struct store *store);
bool store_wrote(struct store *store);     /* since store_begin */
int store_log_frames(struct store *store); /* frames in the write-ahead log after the last commit */

/* Checkpoints, on a connection of the checkpointer's own (STORE_WRITE mode is not needed; give it store_open_checkpointer's). */
struct store *store_open_checkpointer(const struct store_options *options, struct error *error);
/* Copies what it can without disturbing anyone; with `restart` waits for readers so that the log starts over. Sizes in frames of 4 KiB pages. */
int store_checkpoint(struct store *store, bool restart, int *log_frames, int *done_frames,
                     struct error *error);

/* ---- Folders and fleets ---- */

struct org_row {
    struct id id;
    const char *name;
    int64_t created_ms;
};
struct project_row {
    struct id id, org_id;
    const char *name, *org_name;
    int64_t created_ms;
};
struct fleet_row {
    struct id id, project_id, org_id;
    const char *name, *project_name, *org_name;
    int version;
    int64_t created_ms, updated_ms;
    bool has_webhook;
    int64_t waiting_runs, running_runs;
};
struct version_row {
    struct id fleet_id;
    int version;
    int64_t created_ms;
    const char *file; /* as it was applied; NULL in lists */
    size_t file_bytes;
    const char *definition_json; /* canonical, with ids; NULL in lists */
};

/* Each callback returns 0 to go on and anything else to stop (not an error). All lists are in order of name, versions newest first. */
int store_list_orgs(struct store *store, int (*each)(void *, const struct org_row *), void *context,
                    struct error *error);
int store_list_projects(struct store *store, const struct id *org_id /* NULL: all */,
                        int (*each)(void *, const struct project_row *), void *context,
                        struct error *error);
int store_list_fleets(struct store *store, const struct id *project_id /* NULL: all */,
                      int (*each)(void *, const struct fleet_row *), void *context,
                      struct error *error);
/* These call `each` once, or return -1 with ERROR_NOT_FOUND. */
int store_get_fleet(struct store *store, const struct id *fleet_id,
                    int (*each)(void *, const struct fleet_row *), void *context,
                    struct error *error);
int store_list_versions(struct store *store, const struct id *fleet_id,
                        int (*each)(void *, const struct version_row *), void *context,
                        struct error *error);
int store_get_version(struct store *store, const struct id *fleet_id,
                      int version /* 0: the current one */,
                      int (*each)(void *, const struct version_row *), void *context,
                      struct error *error);

/* Writing. Names are checked by the model (model/name.h) before they get here. What writes more than one row wants a savepoint around it
 * (invariant 5): store_apply_fleet, store_delete_fleet, and the runner's. store_accept_* need none: should one fail half way, it
 * rolls the whole transaction back. */
int store_create_org(struct store *store, const char *name, int64_t now_ms, struct id *id,
                     struct error *error);
int store_delete_org(struct store *store, const struct id *id,
                     struct error *error); /* ERROR_CONFLICT unless empty */
int store_create_project(struct store *store, const struct id *org_id, const char *name,
                         int64_t now_ms, struct id *id, struct error *error);
int store_delete_project(struct store *store, const struct id *id, struct error *error);

enum apply_outcome { APPLY_CREATED, APPLY_UPDATED, APPLY_UNCHANGED };
struct apply_result {
    enum apply_outcome outcome;
    struct id fleet_id;
    int version;
};
/* Applies a checked definition: a known _id or name makes a new version unless it is equal. Vessels keep their ids across versions by _id, else by
 * name; new ones get one. `file` is kept as it is. */
int store_apply_fleet(struct store *store, const struct id *project_id,
                      const struct definition *definition, const char *file, size_t file_bytes,
                      int64_t now_ms, struct apply_result *result, struct error *error);
int store_delete_fleet(
    struct store *store, const struct id *fleet_id, int64_t now_ms,
    struct error *
        error); /* ERROR_CONFLICT while runs wait or run; its webhook goes with it, ended runs stay */

/* ---- Webhooks ---- */

/* Calls are counted by the quarter of an hour. */
#define STORE_QUARTER_MS    (15 * INT64_C(60000))
#define STORE_KEEP_CALLS_MS (48 * INT64_C(3600000))
int64_t store_quarter(int64_t at_ms); /* when the one began that this time is in */

struct webhook_call {
    int64_t at_ms;     /* when its headers had arrived, wall clock */
    unsigned status;   /* 0: closed without an answer */
    int64_t answer_us; /* how long the answer took; 0 without one */
    char remote_addr[64];
};

struct webhook_row {
    struct id fleet_id, project_id, org_id;
    const char *fleet_name, *project_name, *org_name;
    int64_t created_ms;    /* or replaced */
    const uint8_t *sealed; /* SECRET_SEALED_BYTES */
    bool was_called;       /* since created_ms; as far as calls have been stored */
    struct webhook_call last_call;
    int64_t counted_from_ms;   /* when the quarter began that the time asked for is in */
    int64_t accepted, refused; /* since then; those of a URL that was replaced meanwhile, too */
};
/* since_ms: from when on calls count. */
int store_list_webhooks(struct store *store, int64_t since_ms,
                        int (*each)(void *, const struct webhook_row *), void *context,
                        struct error *error);
int store_get_webhook(struct store *store, const struct id *fleet_id, int64_t since_ms,
                      int (*each)(void *, const struct webhook_row *), void *context,
                      struct error *error);
int store_count_webhooks(struct store *store, int64_t *count, struct error *error);

int store_create_webhook(struct store *store, const struct id *fleet_id,
                         const uint8_t hash[SECRET_HASH_BYTES],
                         const uint8_t sealed[SECRET_SEALED_BYTES], int64_t now_ms,
                         struct error *error); /* ERROR_CONFLICT if there is one */
int store_replace_webhook(struct store *store, const struct id *fleet_id,
                          const uint8_t hash[SECRET_HASH_BYTES],
                          const uint8_t sealed[SECRET_SEALED_BYTES], int64_t now_ms,
                          struct error *error); /* ERROR_NOT_FOUND if there is none */
int store_remove_webhook(struct store *store, const struct id *fleet_id,
                         struct error *error); /* and its calls */

/* Calls of one webhook in one quarter, those that are not stored yet. */
struct webhook_calls {
    uint8_t hash[SECRET_HASH_BYTES];
    bool has_fleet_id; /* the token was looked up: they count although it was replaced since */
    struct id fleet_id;
    int64_t quarter_ms; /* store_quarter */
    int64_t accepted, refused;
    struct webhook_call last;
};
int store_add_calls(struct store *store, const struct webhook_calls *calls,
                    struct error *error); /* of a fleet without a webhook: does nothing */

/* ---- API keys and the audit log ---- */

struct key_row {
    struct id id;
    const char *name;
    int64_t created_ms, last_used_ms; /* to the minute; 0 = never */
};
int store_list_keys(struct store *store, int (*each)(void *, const struct key_row *), void *context,
                    struct error *error); /* in order of name */
int store_find_key(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                   int (*each)(void *, const struct key_row *), void *context,
                   struct error *error); /* calls `each` once, or ERROR_NOT_FOUND */

int store_create_key(struct store *store, const char *name, const uint8_t hash[SECRET_HASH_BYTES],
                     int64_t now_ms, struct id *id,
                     struct error *error); /* ERROR_CONFLICT: the name is taken */
int store_revoke_key(struct store *store, const struct id *id, struct error *error);
int store_touch_key(struct store *store, const struct id *id, int64_t now_ms, struct error *error);

/* Sessions of the console; they end with their key. Found by the hash of their token. */
#define STORE_MAX_SESSIONS 1024 /* beyond them the one that was used longest ago ends */
struct session_row {
    struct id key_id;
    const char *key_name;
    int64_t seen_ms; /* used last, as far as that was noted */
};
/* Now, and for how long one lasts unused. Times further ahead than that, from before the clock stepped back, count as over too. */
struct session_time {
    int64_t now_ms, idle_ms;
};
int store_find_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                       const struct session_time *time,
                       int (*each)(void *, const struct session_row *), void *context,
                       struct error *error); /* calls `each` once, or ERROR_NOT_FOUND */
int store_begin_session(
    struct store *store, const uint8_t hash[SECRET_HASH_BYTES], const struct id *key_id,
    const struct session_time *time,
    struct error *error); /* those that are over go; ERROR_NOT_FOUND: the key was revoked */
int store_touch_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES], int64_t now_ms,
                        struct error *error); /* one that has ended stays so */
int store_end_session(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                      struct error *error);

#define STORE_MAX_AUDIT 100000 /* entries; beyond them the oldest go */

struct audit_row {
    int64_t number;     /* the store's: grows with each entry */
    int64_t at_ms;      /* wall clock */
    const char *who;    /* "key deploy", "user root" */
    const char *source; /* an address; "" = the admin socket */
    const char *action; /* "fleet.apply" */
    bool has_subject_id;
    struct id subject_id; /* of what was changed */
    const char *subject;  /* its name then; "" = it has none */
    const char *detail;   /* "" = nothing to add */
    struct id request_id;
};
int store_list_audit(struct store *store, int64_t before_number /* 0: from the newest */, int limit,
                     int (*each)(void *, const struct audit_row *), void *context,
                     struct error *error); /* newest first */
int store_add_audit(struct store *store, const struct audit_row *row,
                    struct error *error); /* its number is not looked at */

/* ---- Accepting runs ---- */

enum body_place {
    BODY_NONE = 0,
    BODY_INLINE = 1,
    BODY_SPOOLED = 2 /* state_dir/spool/<request id> */
};

/* What a run was started with. It never changes. All borrowed. */
struct run_input {
    struct id request_id;
    enum run_trigger trigger;
    int64_t arrived_ms;
    const char *remote_addr; /* "" if unknown */
    const char *host;        /* "" if none */
    const char *query;       /* raw, "" if none */
    const char *event;       /* The first of X-GitHub-Event, …; "" if none */
    const char *headers_json;
    size_t headers_bytes;
    enum body_place body_place;
    const void *body; /* BODY_INLINE */
    int64_t body_bytes;
    uint8_t body_sha256[SECRET_HASH_BYTES];
};

struct run_ids {
    struct id run_id, fleet_id, project_id, org_id;
};

/* Finds the fleet by the token's hash: ERROR_NOT_FOUND if there is none (the message is not for anyone: nothing is formatted). */
int store_check_token(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                      struct id *fleet_id, struct error *error);
/* The same, and inserts the run in the same transaction. The hot path: one SELECT by hash, then plain INSERTs at the right edge. */
int store_accept_hook(struct store *store, const uint8_t hash[SECRET_HASH_BYTES],
                      const struct run_input *input, struct run_ids *ids, struct error *error);
/* A run of a fleet without its webhook (on demand, API, again). */
int store_accept_run(struct store *store, const struct id *fleet_id, const struct run_input *input,
                     struct run_ids *ids, struct error *error);
int64_t
store_last_run_number(struct store *store); /* 0 if there was never a run; for id_clock_floor */

/* ---- Reading runs ---- */

struct run_row {
    int64_t number;
    struct id id, fleet_id, project_id, org_id;
    const char *fleet_name, *project_name, *org_name;
    int fleet_version;
    enum run_trigger trigger;
    enum run_status status;
    struct id request_id;
    const char *event, *remote_addr, *host, *query;
    enum body_place body_place;
    int64_t body_bytes;
    const uint8_t *body_sha256;
    int64_t created_ms, started_ms,
        ended_ms; /* 0 = has not happened; created = the request arrived */
};

struct run_filter {
    const struct id *fleet_id; /* NULL: any */
    int64_t before_number;     /* runs with a smaller number only; 0 = from the newest */
    bool has_status, has_trigger;
    enum run_status status;
    enum run_trigger trigger;
    int64_t since_ms;            /* created at or after; 0 = any */
    const struct id *request_id; /* NULL: any; searched for in the range of its time */
    const char *id_prefix;       /* lower-case characters of an id, with its dashes; NULL: any */
    int limit;                   /* at least 1 */
};
/* Newest first. */
int store_list_runs(struct store *store, const struct run_filter *filter,
                    int (*each)(void *, const struct run_row *), void *context,
                    struct error *error);
int store_get_run(struct store *store, const struct id *run_id,
                  int (*each)(void *, const struct run_row *), void *context, struct error *error);
int store_get_headers(struct store *store, const struct id *run_id,
                      int (*each)(void *, const char *headers_json, size_t bytes), void *context,
                      struct error *error);
/* An inline body (borrowed), or bytes NULL and the place and request id to open the spooled one by. */
int store_get_body(struct store *store, const struct id *run_id,
                   int (*each)(void *, enum body_place place, const struct id *request_id,
                               const void *body, int64_t bytes),
                   void *context, struct error *error);

struct vessel_row {
    struct id id, vessel_id;
    const char *name;
    int index; /* its place in the definition */
    enum vessel_status status;
    int attempts;
    bool has_exit_code;
    int exit_code;
    const char *reason; /* "" = none */
    int64_t started_ms, ended_ms, output_bytes;
};
/* In the definition's order. None before the run's first attempt. */
int store_list_vessels(struct store *store, const struct id *run_id,
                       int (*each)(void *, const struct vessel_row *), void *context,
                       struct error *error);

struct attempt_row {
    struct id run_id, vessel_run_id;
    int64_t run_number;
    int vessel_index;
    int attempt;       /* from 1 */
    struct id boot_id; /* the machine's boot in which it was started */
    bool has_ended;
    struct attempt_result result; /* of one that has not ended, started_ms alone */
};
int store_list_attempts(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct attempt_row *), void *context,
                        struct error *error);

/* Ended runs that ended before this time, oldest first; at most `limit`. Returns how many, -1 on error. */
struct expired_run {
    int64_t number;
    struct id id, request_id;
    bool is_spooled; /* its body is in state_dir/spool */
};
int store_find_expired(struct store *store, int64_t before_ms, int limit, struct expired_run *runs,
                       struct error *error);
/* Writing; wants a savepoint. Its files are the caller's to remove, before. ERROR_CONFLICT: it has not ended. */
int store_delete_run(struct store *store, int64_t number, struct error *error);
/* Gives at most so many pages of 4 KiB back to the file system, if more are free than are worth keeping; *is_more: another call would find some. */
int store_give_back(struct store *store, int pages, bool *is_more, struct error *error);

struct run_counts {
    int64_t scheduled, running;
};
int store_count_open_runs(struct store *store, struct run_counts *counts, struct error *error);

/* ---- The runner ---- */

/* What the runner needs to execute a run. Owned by the caller: store_free_work. */
struct run_work {
    int64_t number, fleet_no;
    struct run_ids ids;
    char *org_name, *project_name, *fleet_name;
    int version;
    enum run_status status;
    struct id request_id;
    char *remote_addr, *host, *query;
    int64_t created_ms, started_ms;
    bool is_stopped; /* somebody asked for it */
    uint8_t body_sha256[SECRET_HASH_BYTES];
    enum body_place body_place;
    int64_t body_bytes;
    char *headers_json;
    size_t headers_bytes;
    void *body; /* BODY_INLINE */
    char *definition_json;
};
void store_free_work(struct run_work *work);

/* Scheduled runs in the order they were accepted, behind after_number (claims are by query, invariant 9). Up to `limit` are written. Returns how
 * many, -1 on error. */
struct waiting_run {
    int64_t number, fleet_no;
};
int store_find_waiting(struct store *store, int64_t after_number, int limit,
                       struct waiting_run *runs, struct error *error);
/* Those of one fleet, from one number to another, both included: their numbers. A scan over all that wait in between. */
int store_find_waiting_of(struct store *store, int64_t fleet_no, int64_t from_number,
                          int64_t to_number, int limit, int64_t *numbers, struct error *error);
/* Runs whose status is running, in order; likewise. */
int store_find_running(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                       struct error *error);
/* Open runs that somebody asked to stop, in order; likewise. */
int store_find_stopping(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                        struct error *error);
struct run_work *store_load_work(struct store *store, int64_t number, struct error *error);

/* Writing. The first attempt of a run makes it running and creates all its vessel runs (scheduled) with the ids given. */
int store_start_run(struct store *store, int64_t number, const struct definition *definition,
                    const struct id *vessel_run_ids /* one per vessel */, int64_t now_ms,
                    struct error *error);
/* Notes that an open run is to be stopped; again is fine. ERROR_CONFLICT: it has ended. ERROR_NOT_FOUND: there is none. */
int store_stop_run(struct store *store, const struct id *run_id, int64_t now_ms,
                   struct error *error);
int store_start_attempt(struct store *store, int64_t number, int vessel_index, int attempt,
                        const struct id *boot_id, int64_t now_ms, struct error *error);
/* Its vessel run is retrying then, until store_end_vessel or the next attempt. */
int store_end_attempt(struct store *store, int64_t number, int vessel_index, int attempt,
                      const struct attempt_result *result, struct error *error);
/* Sets a vessel run's status when its attempts are over (or it never had any). */
int store_end_vessel(struct store *store, int64_t number, int vessel_index,
                     enum vessel_status status, const char *reason, int64_t now_ms,
                     struct error *error);
int store_end_run(struct store *store, int64_t number, enum run_status status, int64_t now_ms,
                  struct error *error);

#endif
