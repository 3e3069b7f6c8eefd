/* Fleet runs: accepting them, reading them, and deleting old ones. Any connection can read.
 * Functions that change something may only be called inside store_write (store.h).
 *
 * The store assigns each run a number. Callers may only rely on its order: it grows with the time
 * of acceptance. */
#ifndef WEBHOOKD_STORE_RUNS_H
#define WEBHOOKD_STORE_RUNS_H

#include "base/secret.h"
#include "model/attempt_result.h"
#include "model/run_status.h"
#include "model/run_trigger.h"
#include "model/vessel_status.h"
#include "store/store.h"

/* ---- Accepting ---- */

enum body_place {
    BODY_NONE = 0,
    BODY_INLINE = 1,
    BODY_SPOOLED = 2, /* state_dir/spool/<request id> */
    /* The API trigger started the run, so nobody sent it a body. Only such a run can have
     * overrides. */
    BODY_ABSENT = 3
};

/* The overrides of a run (model/overrides.h). All pointers are borrowed. */
struct run_overrides {
    const void *names; /* the form without values */
    size_t names_bytes;
    const uint8_t *sealed; /* the form with values; NULL: there are none */
    size_t sealed_bytes;
};
/* Writes the place for which a run's overrides are sealed (base/secret.h), and returns it. The
 * request's id stands for the run, whose own id is minted later, when it is stored. */
#define STORE_OVERRIDES_PLACE_BYTES (sizeof("override/") - 1 + ID_TEXT_BYTES)
char *store_overrides_place(const struct id *request_id, char place[STORE_OVERRIDES_PLACE_BYTES]);

/* What a run was started with. It never changes. All pointers are borrowed. */
struct run_input {
    struct id request_id;
    enum run_trigger trigger;
    int64_t arrived_ms;
    const char *remote_addr; /* "" if unknown */
    const char *host;        /* "" if none */
    const char *query;       /* undecoded; "" if none */
    const char *event;       /* the first of X-GitHub-Event, …; "" if none */
    const char *headers_json;
    size_t headers_bytes;
    enum body_place body_place;
    const void *body; /* BODY_INLINE */
    int64_t body_bytes;
    uint8_t body_sha256[SECRET_HASH_BYTES];
    /* A JSON list of what was left out: names of headers, "?name" for parts of the query. NULL: not
     * known. */
    const char *withheld_json;
    const struct id *again_of; /* the run whose input this is; NULL: none */
    /* BODY_ABSENT, store_accept_run: NULL: none. They are valid for this version of the fleet. */
    const struct run_overrides *overrides;
    int overrides_version;
};

struct run_ids {
    struct id run_id, fleet_id, project_id, org_id;
};

/* STORE_CHECK: finds the fleet by the token's hash. ERROR_NOT_FOUND if there is none; the error has
 * no message, because strangers cause it and nobody reads it. */
struct store_check {
    const uint8_t *token_hash;
    struct id fleet_id; /* out */
};

/* STORE_ACCEPT: finds the fleet in the same way, and inserts the run in the same transaction, so
 * that a replaced token never slips through. ERROR_NOT_FOUND: as above. ERROR_STALE: the data that
 * the request was judged by has changed since. ERROR_CONFLICT: the clock was changed while the
 * request was being received. */
struct store_accept {
    const uint8_t *token_hash;
    const struct run_input *input;
    struct run_ids ids; /* out */
};

/* Accepts a run that was not started through the fleet's webhook (on demand, API, run again).
 * ERROR_NOT_FOUND: there is no such fleet. ERROR_CONFLICT: as above. ERROR_STALE: it has overrides,
 * and another version of the fleet is current. */
int store_accept_run(struct store *store, const struct id *fleet_id, const struct run_input *input,
                     struct run_ids *ids, struct error *error);

/* ---- Reading ---- */

/* Times are in milliseconds since the epoch; 0 = has not happened yet. */
struct run_row {
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
    int64_t created_ms; /* when the request arrived */
    int64_t started_ms, ended_ms;
};

struct run_filter {
    const struct id *fleet_id;   /* NULL: any */
    const struct id *before;     /* only runs accepted before this one; NULL: any */
    const struct id *after;      /* only runs accepted after this one; NULL: any */
    const struct id *request_id; /* NULL: any; found by a scan that starts at the id's time */
    const char *id_prefix;       /* lower-case characters of an id, with its dashes; NULL: any */
    bool has_status, has_trigger;
    enum run_status status;
    enum run_trigger trigger;
    int64_t since_ms; /* created at or after; 0 = any */
    int limit;        /* at least 1 */
};
/* Lists runs, newest first; with filter->after, oldest first: those nearest to that run. */
int store_list_runs(struct store *store, const struct run_filter *filter,
                    int (*each)(void *, const struct run_row *), void *context,
                    struct error *error);
/* The next four functions call `each` once, or return -1 with ERROR_NOT_FOUND. */
int store_get_run(struct store *store, const struct id *run_id,
                  int (*each)(void *, const struct run_row *), void *context, struct error *error);
/* The parts of run_input that lists do not have. */
struct run_origin {
    const char *withheld_json; /* NULL: not known */
    const struct id *again_of; /* NULL: none */
};
int store_get_origin(struct store *store, const struct id *run_id,
                     int (*each)(void *, const struct run_origin *), void *context,
                     struct error *error);
/* Does not call `each` if the run has no overrides. */
int store_get_overrides(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct run_overrides *), void *context,
                        struct error *error);
int store_get_headers(struct store *store, const struct id *run_id,
                      int (*each)(void *, const char *headers_json, size_t bytes), void *context,
                      struct error *error);
/* Passes an inline body to `each`. For a spooled one, `body` is NULL, and its file is found by the
 * request id. */
int store_get_body(struct store *store, const struct id *run_id,
                   int (*each)(void *, enum body_place place, const struct id *request_id,
                               const void *body, int64_t bytes),
                   void *context, struct error *error);

/* Lists the ids of at most `limit` runs whose input is that of this run, newest first. The run need
 * not exist. */
int store_list_again(struct store *store, const struct id *run_id, int limit,
                     int (*each)(void *, const struct id *), void *context, struct error *error);

struct vessel_row {
    struct id id, vessel_id;
    const char *name;
    int index; /* its position in the definition */
    enum vessel_status status;
    int attempts;
    bool has_exit_code;
    int exit_code;
    const char *reason; /* "" if none */
    int64_t started_ms, ended_ms, output_bytes;
    /* How many attempts were interrupted and followed by another one: they are no retries. */
    int interruptions;
    /* VESSEL_RETRYING: when the last attempt ended; 0 if it was interrupted, so that the next one
     * does not wait. */
    int64_t failed_ms;
    int blueprint_version; /* that the vessel run executes; 0 = its vessel has no blueprint */
};
/* Lists vessel runs in the definition's order. There are none before the run's first attempt. */
int store_list_vessels(struct store *store, const struct id *run_id,
                       int (*each)(void *, const struct vessel_row *), void *context,
                       struct error *error);

struct attempt_row {
    struct id run_id, vessel_run_id;
    int vessel_index;
    int attempt;       /* from 1 */
    struct id boot_id; /* identifies the boot and the state folder (runner.c) */
    bool has_ended;
    struct attempt_result result; /* only started_ms is set until the attempt has ended */
};
int store_list_attempts(struct store *store, const struct id *run_id,
                        int (*each)(void *, const struct attempt_row *), void *context,
                        struct error *error);

struct run_counts {
    int64_t scheduled, running;
};
int store_count_open_runs(struct store *store, struct run_counts *counts, struct error *error);

/* ---- Deleting ---- */

struct expired_run {
    int64_t number;
    struct id id, request_id;
    bool is_spooled; /* its body is in state_dir/spool */
};
/* Finds at most `limit` runs that ended before before_ms, in order of acceptance, and never the
 * newest run. Returns how many it found, or -1 on error. */
int store_find_expired(struct store *store, int64_t before_ms, int limit, struct expired_run *runs,
                       struct error *error);
/* Deletes a run. The caller must have removed its files. ERROR_CONFLICT: the run has not ended. */
int store_delete_run(struct store *store, int64_t number, struct error *error);

#endif
