/* Organizations, projects, fleets and their versions. Any connection can read them. Functions that
 * change something may only be called inside store_write, by a STORE_CALL item (store.h). */
#ifndef WEBHOOKD_STORE_FLEETS_H
#define WEBHOOKD_STORE_FLEETS_H

#include "model/definition.h"
#include "store/hidden.h"
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
    int64_t scheduled_runs, running_runs;
};
struct version_row {
    struct id fleet_id;
    int version;
    int64_t created_ms;
    const char *file; /* as applied; NULL in lists */
    size_t file_bytes;
    const char *definition_json; /* canonical, with ids; NULL in lists */
};

/* A callback returns 0 to continue the list, and anything else to end it (which is not an error).
 * Lists are sorted by name; versions are listed newest first. */
int store_list_orgs(struct store *store, int (*each)(void *, const struct org_row *), void *context,
                    struct error *error);
/* Lists the projects of all organizations if org_id is NULL. */
int store_list_projects(struct store *store, const struct id *org_id,
                        int (*each)(void *, const struct project_row *), void *context,
                        struct error *error);
/* Lists the fleets of all projects if project_id is NULL. */
int store_list_fleets(struct store *store, const struct id *project_id,
                      int (*each)(void *, const struct fleet_row *), void *context,
                      struct error *error);
/* Calls `each` once, or returns -1 with ERROR_NOT_FOUND. */
int store_get_fleet(struct store *store, const struct id *fleet_id,
                    int (*each)(void *, const struct fleet_row *), void *context,
                    struct error *error);
/* ERROR_NOT_FOUND: there is no such fleet. */
int store_list_versions(struct store *store, const struct id *fleet_id,
                        int (*each)(void *, const struct version_row *), void *context,
                        struct error *error);
/* Calls `each` once, for the current version if `version` is 0, or returns -1 with
 * ERROR_NOT_FOUND. */
int store_get_version(struct store *store, const struct id *fleet_id, int version,
                      int (*each)(void *, const struct version_row *), void *context,
                      struct error *error);

/* Writing. The model checks names (model/name.h) before they are passed here. ERROR_CONFLICT: the
 * name is already in use. */
int store_create_org(struct store *store, const char *name, int64_t now_ms, struct id *id,
                     struct error *error);
/* ERROR_CONFLICT unless the organization is empty. */
int store_delete_org(struct store *store, const struct id *id, struct error *error);
int store_create_project(struct store *store, const struct id *org_id, const char *name,
                         int64_t now_ms, struct id *id, struct error *error);
/* ERROR_CONFLICT unless the project is empty. */
int store_delete_project(struct store *store, const struct id *id, struct error *error);

enum apply_outcome { APPLY_CREATED, APPLY_UPDATED, APPLY_UNCHANGED };
struct apply_result {
    enum apply_outcome outcome;
    struct id fleet_id;
    int version;
};
/* A fleet file, and what it was read as. */
struct fleet_application {
    const struct id *project_id;
    const struct definition *definition; /* valid */
    const char *file;                    /* stored unchanged, so without hidden values */
    size_t file_bytes;
    const struct hidden_terms *hidden; /* may be NULL if the definition has no hidden values */
};
/* Applies a definition. If its _id or name is known, this creates a new version, unless the
 * definition equals the current one; otherwise it creates a fleet. The _id of a deleted fleet
 * brings that fleet back, in this project, with a new version and without a webhook
 * (APPLY_CREATED). A vessel keeps its id across versions: it is matched by _id, else by name. New
 * vessels get a new id. Hidden values are stored sealed; a definition equals the current one only
 * if they are equal, too. ERROR_INVALID: it keeps a value that is not stored (hidden.h). */
int store_apply_fleet(struct store *store, const struct fleet_application *application,
                      int64_t now_ms, struct apply_result *result, struct error *error);
/* Deletes a fleet, its webhook and its hidden values; its ended runs stay. ERROR_CONFLICT while it
 * has scheduled or running runs. */
int store_delete_fleet(struct store *store, const struct id *fleet_id, int64_t now_ms,
                       struct error *error);

#endif
