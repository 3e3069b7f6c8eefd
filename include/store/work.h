/* The runner's side: which runs are scheduled, what executing one needs, and each step of
 * executing it. Reading is for the runner's own connection and thread. Steps are written by
 * STORE_STEP items. */
#ifndef WEBHOOKD_STORE_WORK_H
#define WEBHOOKD_STORE_WORK_H

#include "model/definition.h"
#include "store/runs.h"

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
/* ERROR_NOT_FOUND: it is neither scheduled nor running. */
struct run_work *store_load_work(struct store *store, int64_t number, struct error *error);
void store_free_work(struct run_work *work); /* NULL is fine */

/* ---- Finding runs: by query, so that nothing can be forgotten (invariant 9) ---- */

struct waiting_run {
    int64_t number, fleet_no;
};
/* Scheduled runs in the order they were accepted, behind after_number; at most `limit`. Returns how
 * many, -1 on error. */
int store_find_waiting(struct store *store, int64_t after_number, int limit,
                       struct waiting_run *runs, struct error *error);
/* Those of one fleet, from one number to another, both included. */
int store_find_waiting_of(struct store *store, int64_t fleet_no, int64_t from_number,
                          int64_t to_number, int limit, int64_t *numbers, struct error *error);
/* Runs whose status is running, in order; likewise. */
int store_find_running(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                       struct error *error);
/* Open runs that somebody asked to stop, in order; likewise. */
int store_find_stopping(struct store *store, int64_t after_number, int limit, int64_t *numbers,
                        struct error *error);

/* ---- Changing ---- */

/* From a STORE_CALL item. Notes that an open run is to be stopped; again is fine.
 * ERROR_CONFLICT: it has ended. ERROR_NOT_FOUND: there is none. */
int store_stop_run(struct store *store, const struct id *run_id, int64_t now_ms,
                   struct error *error);

struct store_vessel_end {
    size_t vessel; /* its place in the definition */
    enum vessel_status status;
    const char *reason; /* "" = none */
};

/* STORE_STEP: what changes together in the life of one run, applied in this order.
 * ERROR_CONFLICT: the run, the vessel or the attempt is not in the state for it, and none of it
 * is stored. */
struct store_step {
    int64_t number;
    int64_t now_ms;
    /* The first attempt of a run makes it running and creates all its vessel runs, scheduled. */
    bool starts_run;
    const struct definition *definition;
    const struct id *vessel_run_ids; /* one for each vessel */
    /* Of one attempt, its end or its start. Its vessel run is retrying after the end, until the
     * next attempt or a vessel end says how it ended. */
    bool ends_attempt, starts_attempt;
    size_t vessel;
    int attempt;                         /* from 1 */
    struct id boot_id;                   /* starts_attempt */
    const struct attempt_result *result; /* ends_attempt */
    /* Vessel runs that are over, with attempts or without. */
    const struct store_vessel_end *vessel_ends;
    size_t vessel_end_count;
    bool ends_run;
    enum run_status run_status;
};

#endif
