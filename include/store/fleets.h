/* Organizations, projects, fleets and their versions. Any connection can read; functions that
 * change something are called inside store_write alone, by a STORE_CALL item (store.h). */
#ifndef WEBHOOKD_STORE_FLEETS_H
#define WEBHOOKD_STORE_FLEETS_H

#include "model/definition.h"
#include "store/store.h"

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

/* Each callback returns 0 to go on and anything else to stop (not an error). All lists are in
 * order of name, versions newest first. */
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

/* Writing. The model checks names (model/name.h) before they get here. */
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
/* Applies a checked definition: a known _id or name makes a new version unless it is equal.
 * Vessels keep their ids across versions by _id, else by name; new ones get one. `file` is kept
 * as it is. */
int store_apply_fleet(struct store *store, const struct id *project_id,
                      const struct definition *definition, const char *file, size_t file_bytes,
                      int64_t now_ms, struct apply_result *result, struct error *error);
/* ERROR_CONFLICT while runs are scheduled or running. Its webhook goes with it; ended runs stay. */
int store_delete_fleet(struct store *store, const struct id *fleet_id, int64_t now_ms,
                       struct error *error);

#endif
