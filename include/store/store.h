/* The store: what is durable, in the domain's words. An engine stands behind it, chosen by the scheme
 * of the location; nothing outside this folder knows which.
 *
 * A `struct store` is one connection, used by one thread at a time unless a function says otherwise.
 * Exactly one is opened with STORE_WRITE (invariant 3), by the commit queue. What can be read and
 * changed is in fleets.h, webhooks.h, keys.h, audit.h, runs.h and work.h; this header opens, writes
 * and keeps it.
 *
 * Functions that fail set *error; its kind says what the caller can do:
 *   ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_INVALID, ERROR_STALE   this item alone is refused
 *   ERROR_FULL                                                    the disk is full
 *   ERROR_IO                                                      the disk failed (invariant 6)
 * Text and bytes in the arguments of callbacks are borrowed until the callback returns. */
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
    const char *state_dir; /* relative names in the location start here */
    const char *location;  /* SCHEME:REST; see store/location.h */
    enum store_mode mode;
    /* Acknowledges what is not synced yet, so that a test can show that it would be lost. */
    bool relaxed_sync;
};

/* Once at each start, with the state folder locked and before anything is opened: makes durable
 * again what an earlier process has left, also what a failed sync has left in memory only. -1:
 * the disk still fails. */
int store_prepare(const struct store_options *options, struct error *error);
/* 1 if there is a store already, 0 if opening with STORE_WRITE would create one, -1 and why. */
int store_exists(const struct store_options *options, struct error *error);

/* STORE_WRITE creates and migrates, STORE_READ opens what is there. ERROR_INVALID: it is of another
 * program, or of a newer webhookd. */
struct store *store_open(const struct store_options *options, struct error *error);
/* Ends the upkeep as well. NULL is fine. */
void store_close(struct store *store);

/* On a STORE_READ connection: a search that goes on after this moment of the monotonic clock is
 * broken off with ERROR_UNAVAILABLE; 0 = never. A long reader keeps the engine from reusing
 * space. */
void store_set_deadline(struct store *store, int64_t deadline_ms);
/* The number of the last migration applied. */
int store_schema_version(struct store *store);
/* New ids must not carry a time before this one, in milliseconds since the epoch: that of the
 * newest run. 0 if there never was a run. For id_clock_floor. */
int64_t store_clock_floor_ms(struct store *store);

/* ---- Writing: the commit queue's thread only ---- */

enum store_item_kind {
    STORE_CHECK,  /* is this token good? */
    STORE_ACCEPT, /* store a run */
    STORE_STEP,   /* a step of a run that is executed */
    STORE_CALL,   /* anything else: a function that calls those that change something */
};

/* One thing to be written. It is refused alone, whatever else is in the batch (invariant 5). */
struct store_item {
    enum store_item_kind kind;
    union {
        struct store_check *check;     /* runs.h */
        struct store_accept *accept;   /* runs.h */
        const struct store_step *step; /* work.h */
        struct {
            /* Inside the transaction, perhaps more than once. -1 undoes what it did. */
            int (*apply)(void *context, struct store *store, struct error *error);
            void *context;
        } call;
    };
    struct error error; /* out: why it was refused; not set = it was written */
};

enum store_outcome {
    STORE_DONE,    /* durable, and it changed something */
    STORE_NOTHING, /* nothing was stored: every item was refused, none changed anything, or -1 */
    STORE_FAILED_DISK, /* with -1: the disk failed, and nobody knows whether the batch is there */
};

/* Writes the items in order, as one transaction. 0: the batch is durable, but for the items
 * whose error is set. -1: none of it is stored (or nobody knows: STORE_FAILED_DISK), and *error
 * says why. */
int store_write(struct store *store, struct store_item **items, size_t count,
                enum store_outcome *outcome, struct error *error);

/* ---- Upkeep of a STORE_WRITE connection: what an engine does beside the batches ---- */

struct store_upkeep {
    int64_t min_free_bytes; /* less free space than this counts as none */
    /* The disk failed outside a batch: on a thread of the engine's, once. */
    void (*failed)(void *context, const struct error *error);
    void *context;
};
/* After -1 the store can only be closed. */
int store_start_upkeep(struct store *store, const struct store_upkeep *upkeep, struct error *error);
/* 0 if there is room for so many bytes more; -1 and why. Any thread, cheap; needs the upkeep. */
int store_has_room(struct store *store, int64_t bytes, struct error *error);
/* Any thread; needs the upkeep. */
void store_set_min_free(struct store *store, int64_t bytes);
/* From a STORE_CALL item: gives a bounded piece of the space that deleted runs took back to the
 * file system. *is_more: another call would find some. */
int store_give_back(struct store *store, bool *is_more, struct error *error);

struct store_metrics {
    uint64_t checkpoints;
    int64_t log_frames;    /* pages in the engine's log, at the last look */
    int64_t free_bytes;    /* on the state disk, at the last look */
    int64_t commit_us_sum; /* microseconds spent in making batches durable */
};
/* Any thread; needs the upkeep. */
void store_get_metrics(struct store *store, struct store_metrics *metrics);

/* ---- Backup ---- */

struct store_backup_guard {
    /* Called before each piece with the bytes that are left; the first time with all of them. -1
     * breaks the backup off with an error of its own. */
    int (*may_go_on)(void *context, int64_t bytes_left, struct error *error);
    void *context;
};
/* A copy of the store as it is at one moment, without the console's sessions, while others read
 * and write: the descriptor of a file without a name in state_dir, not synced. -1 and why;
 * ERROR_CONFLICT if the engine has better means. Takes the STORE_WRITE connection, and needs its
 * upkeep. Any thread; takes as long as copying takes. */
int store_backup(struct store *store, const struct store_backup_guard *guard, struct error *error);
/* What the copy is called in a backup's archive, so that a restored state folder is found right. */
const char *store_backup_name(const struct store *store);

#endif
