/* Fleet runs: accepting them, reading them, and deleting old ones. Any connection can read; what
 * changes something is called inside store_write alone (store.h).
 *
 * A run's number is the store's own: it grows with the time of acceptance, and that is all that
 * anybody else may know of it. */
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
    const char *event;       /* the first of X-GitHub-Event, …; "" if none */
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

/* STORE_CHECK: finds the fleet by the token's hash. ERROR_NOT_FOUND if there is none (without a
 * message: strangers cause it, and nobody reads it). */
struct store_check {
    const uint8_t *token_hash;
    struct id fleet_id; /* out */
};

/* STORE_ACCEPT: the same, and inserts the run in the same transaction, so that a replaced token
 * never slips through. ERROR_STALE: what the request was judged by has changed since. */
struct store_accept {
    const uint8_t *token_hash;
    const struct run_input *input;
    struct run_ids ids; /* out */
};

/* A run of a fleet without its webhook (on demand, API, again). */
int store_accept_run(struct store *store, const struct id *fleet_id, const struct run_input *input,
                     struct run_ids *ids, struct error *error);

/* ---- Reading ---- */

/* Times are in milliseconds since the epoch; 0 = has not happened. */
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
    const struct id *before;     /* runs accepted before this one only; NULL: from the newest */
    const struct id *request_id; /* NULL: any; searched for in the range of its time */
    const char *id_prefix;       /* lower-case characters of an id, with its dashes; NULL: any */
    bool has_status, has_trigger;
    enum run_status status;
    enum run_trigger trigger;
    int64_t since_ms; /* created at or after; 0 = any */
    int limit;        /* at least 1 */
};
/* Newest first. */
int store_list_runs(struct store *store, const struct run_filter *filter,
                    int (*each)(void *, const struct run_row *), void *context,
                    struct error *error);
/* These call `each` once, or return -1 with ERROR_NOT_FOUND. */
int store_get_run(struct store *store, const struct id *run_id,
                  int (*each)(void *, const struct run_row *), void *context, struct error *error);
int store_get_headers(struct store *store, const struct id *run_id,
                      int (*each)(void *, const char *headers_json, size_t bytes), void *context,
                      struct error *error);
/* An inline body; or body NULL, with the place and the request id to open the spooled one by. */
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
    int vessel_index;
    int attempt;       /* from 1 */
    struct id boot_id; /* the machine's boot in which it was started */
    bool has_ended;
    struct attempt_result result; /* of one that has not ended, started_ms alone */
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
/* Runs that ended before this time, oldest first; at most `limit`. Returns how many, -1 on
 * error. */
int store_find_expired(struct store *store, int64_t before_ms, int limit, struct expired_run *runs,
                       struct error *error);
/* Its files are the caller's to remove, before. ERROR_CONFLICT: it has not ended. */
int store_delete_run(struct store *store, int64_t number, struct error *error);

#endif
