/* The runner's part of the store: which runs are scheduled, what it needs to execute one, and each
 * step of the execution. The runner reads on a connection and a thread of its own. STORE_STEP items
 * write the steps. */
#ifndef WEBHOOKD_STORE_WORK_H
#define WEBHOOKD_STORE_WORK_H

#include "model/definition.h"
#include "model/overrides.h"
#include "store/runs.h"

/* What the runner needs to execute a run. The caller owns it and frees it with store_free_work. */
struct run_work {
    int64_t number, fleet_no;
    struct run_ids ids;
    char *org_name, *project_name, *fleet_name;
    int version;
    enum run_status status;
    struct id request_id;
    char *remote_addr, *host, *query;
    int64_t created_ms, started_ms;
    bool is_stopped; /* a stop was requested */
    uint8_t body_sha256[SECRET_HASH_BYTES];
    enum body_place body_place;
    int64_t body_bytes;
    char *headers_json;
    size_t headers_bytes;
    void *body; /* BODY_INLINE */
    char *definition_json;
    struct overrides overrides; /* without values; empty unless body_place is BODY_ABSENT */
    bool overrides_are_damaged; /* what is overridden is not known */
};
/* ERROR_NOT_FOUND: the run is neither scheduled nor running. */
struct run_work *store_load_work(struct store *store, int64_t number, struct error *error);
void store_free_work(struct run_work *work); /* NULL is fine */

/* ---- Finding runs: by query, so that none can be forgotten (invariant 9) ---- */

struct scheduled_run {
    int64_t number, fleet_no;
};
/* Finds at most `limit` scheduled runs after after_number, in order of acceptance. Returns how many
 * it found, or -1 on error. */
int store_find_scheduled(struct store *store, int64_t after_number, int limit,
                         struct scheduled_run *runs, struct error *error);
/* The same for one fleet's scheduled runs, from from_number to to_number, both included. */
int store_find_scheduled_of(struct store *store, int64_t fleet_no, int64_t from_number,
                            int64_t to_number, int limit, int64_t *numbers, struct error *error);
/* The same for running runs. */
int store_find_running(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                       struct error *error);
/* The same for open runs with a stop request. */
int store_find_stopping(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                        struct error *error);

/* ---- Changing ---- */

/* Records the request to stop an open run; repeating it is fine. ERROR_CONFLICT: the run has ended.
 * ERROR_NOT_FOUND: there is no such run. To be called by a STORE_CALL item. */
int store_stop_run(struct store *store, const struct id *run_id, int64_t now_ms,
                   struct error *error);

struct store_vessel_end {
    size_t vessel; /* its position in the definition */
    enum vessel_status status;
    const char *reason; /* "" = keep the last attempt's */
    /* An override decided the status: the vessel run has no attempt, but these. */
    bool is_skipped;
    int exit_code;
    int64_t output_bytes;
};

/* STORE_STEP: changes that are made together to one run, applied in the order of the members.
 * ERROR_CONFLICT: the state of the run, the vessel run or the attempt does not allow the step, and
 * none of it is stored. */
struct store_step {
    int64_t number;
    int64_t now_ms;
    /* Sets a scheduled run to running, and creates all its vessel runs, scheduled. */
    bool starts_run;
    const struct definition *definition;
    const struct id *vessel_run_ids; /* one for each vessel */
    /* The end or the start of one attempt. After its end, the vessel run is retrying until the next
     * attempt starts or an entry of vessel_ends ends it. */
    bool ends_attempt, starts_attempt;
    size_t vessel;
    int attempt;                         /* from 1 */
    struct id boot_id;                   /* starts_attempt */
    const struct attempt_result *result; /* ends_attempt */
    /* Vessel runs that have ended, with or without attempts. */
    const struct store_vessel_end *vessel_ends;
    size_t vessel_end_count;
    bool ends_run;
    enum run_status run_status;
};

#endif
