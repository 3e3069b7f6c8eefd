/* The store: the durable data, in the terms of the domain. It is implemented by an engine, which
 * the scheme of the location selects; no other folder knows which engine that is.
 *
 * A `struct store` is one connection, which one thread at a time may use unless a function says
 * otherwise. Only the commit queue opens one with STORE_WRITE, exactly once (invariant 3). This
 * header declares how to open, write and maintain a store; fleets.h, webhooks.h, keys.h, audit.h,
 * runs.h and work.h declare how to read and change what it holds.
 *
 * Functions that fail set *error; its kind tells the caller what happened:
 *   ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_INVALID, ERROR_STALE   this item alone is refused
 *   ERROR_FULL                                                    the disk is full
 *   ERROR_IO                                                      the disk failed (invariant 6)
 *
 * Text and bytes passed to callbacks are borrowed until the callback returns. */
#ifndef WEBHOOKD_STORE_STORE_H
#define WEBHOOKD_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"

struct store;
struct store_accept;
struct store_check;
struct store_step;

enum store_mode { STORE_WRITE, STORE_READ };

/* The strings are borrowed until the store is closed. */
struct store_options {
    const char *state_dir; /* relative names in the location are resolved here */
    const char *location;  /* SCHEME:REST; see store/location.h */
    enum store_mode mode;
    /* Acknowledges data that is not yet synced, so that a test can show that it would be lost. */
    bool relaxed_sync;
};

/* Returns what a person should know about the loaded version of the engine's library (a known bug,
 * and the remedy), in one line, or NULL. Free it. Any thread. */
char *store_caveat(const char *location);

/* Makes durable what an earlier process left behind, including what a failed sync left in memory
 * only. To be called once at each start, with the state folder locked and before any store is
 * opened. -1: the disk still fails. */
int store_prepare(const struct store_options *options, struct error *error);
/* Returns 1 if the store exists, 0 if opening it with STORE_WRITE would create it or finds an empty
 * file, -1 on error. */
int store_exists(const struct store_options *options, struct error *error);

/* STORE_WRITE creates the store if necessary and migrates it; STORE_READ opens an existing store.
 * ERROR_NOT_FOUND: with STORE_READ, there is no store yet. ERROR_INVALID: it belongs to another
 * program, or was written by a newer webhookd; or, with STORE_READ, it needs to be migrated. */
struct store *store_open(const struct store_options *options, struct error *error);
/* Also ends the upkeep. NULL is fine. */
void store_close(struct store *store);

/* On a STORE_READ connection: a query that is still running at this time of the monotonic clock
 * fails with ERROR_UNAVAILABLE; 0 = no deadline. (A long reader keeps the engine from reusing
 * space.) */
void store_set_deadline(struct store *store, int64_t deadline_ms);
/* Returns the number of the last migration applied. */
int store_schema_version(struct store *store);
/* Returns the time of the newest run, in milliseconds since the epoch, or 0 if there is none. New
 * ids must not carry an earlier time (id_clock_floor). */
int64_t store_clock_floor_ms(struct store *store);

/* ---- Writing: the commit queue's thread only ---- */

enum store_item_kind {
    STORE_CHECK,  /* find the fleet of a token */
    STORE_ACCEPT, /* store a run */
    STORE_STEP,   /* store a step in a run's execution */
    STORE_CALL,   /* anything else: call a function, which makes the changes */
};

/* One item of a batch. If it is refused, it is refused alone (invariant 5). */
struct store_item {
    enum store_item_kind kind;
    union {
        struct store_check *check;     /* runs.h */
        struct store_accept *accept;   /* runs.h */
        const struct store_step *step; /* work.h */
        struct {
            /* Called inside the transaction, possibly more than once. If it returns -1, its changes
             * are undone. */
            int (*apply)(void *context, struct store *store, struct error *error);
            void *context;
        } call;
    };
    struct error error; /* out: why it was refused; not set = it was written */
};

enum store_outcome {
    STORE_DONE,        /* the batch is durable, and it changed something */
    STORE_NOTHING,     /* nothing was stored: no item changed anything, or store_write failed */
    STORE_FAILED_DISK, /* the disk failed: whether the batch is stored is unknown */
};

/* Writes the items in order, as one transaction. 0: the batch is durable, except for the items
 * whose error is set. -1: none of it is stored (STORE_NOTHING), or whether it is stored is unknown
 * (STORE_FAILED_DISK); *error says why. */
int store_write(struct store *store, struct store_item **items, size_t count,
                enum store_outcome *outcome, struct error *error);

/* Gives a bounded amount of the space that deleted runs occupied back to the file system. Sets
 * *is_more if another call would give back more. To be called by a STORE_CALL item. */
int store_give_back(struct store *store, bool *is_more, struct error *error);

/* ---- Upkeep of a STORE_WRITE connection: an engine's work outside the batches ---- */

struct store_upkeep {
    int64_t min_free_bytes; /* this much free space is reserved: store_has_room */
    /* Called once if the disk fails outside a batch, on a thread of the engine. */
    void (*failed)(void *context, const struct error *error);
    void *context;
};
/* After -1 the store can only be closed. */
int store_start_upkeep(struct store *store, const struct store_upkeep *upkeep, struct error *error);
/* Returns 0 if there is room for `bytes` more and for more files, else -1 and sets *error. Any
 * thread; cheap. Requires the upkeep. */
int store_has_room(struct store *store, int64_t bytes, struct error *error);
/* Any thread. Requires the upkeep. */
void store_set_min_free(struct store *store, int64_t bytes);

#define STORE_NO_INODE_LIMIT (-1)

/* The state disk as last measured, and what is reserved there: store_has_room. */
struct store_space {
    int64_t free_bytes, min_free_bytes;
    int64_t free_inodes; /* STORE_NO_INODE_LIMIT: the file system has no fixed number of them */
    int64_t min_free_inodes;
};

struct store_metrics {
    uint64_t checkpoints;
    int64_t log_frames; /* pages in the engine's log after the last commit */
    struct store_space space;
    int64_t commit_us_sum; /* microseconds spent on making batches durable */
};
/* Any thread. Requires the upkeep. */
void store_get_metrics(struct store *store, struct store_metrics *metrics);

/* ---- Backup ---- */

struct store_backup_guard {
    /* Called before each piece with the number of bytes left to copy. If it returns -1, the backup
     * is aborted with the error that it has set. */
    int (*may_go_on)(void *context, int64_t bytes_left, struct error *error);
    void *context;
};
/* Copies the store, as of one moment and without the console's sessions, while others read and
 * write. Returns the descriptor of an unnamed file in state_dir, which is not synced, or -1.
 * ERROR_CONFLICT: the engine has a better way to make backups. Requires the STORE_WRITE connection
 * and its upkeep. Any thread; blocks until the copy is complete. */
int store_backup(struct store *store, const struct store_backup_guard *guard, struct error *error);
/* Returns the name of the copy in a backup's archive: the one under which webhookd finds it in a
 * restored state folder. */
const char *store_backup_name(const struct store *store);

#endif
