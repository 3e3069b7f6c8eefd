/* Blueprints and their versions. Any connection can read them. Functions that change something may
 * only be called inside store_write (store.h). */
#ifndef WEBHOOKD_STORE_BLUEPRINTS_H
#define WEBHOOKD_STORE_BLUEPRINTS_H

#include "model/blueprint.h"
#include "store/credentials.h"
#include "store/fleets.h"
#include "store/store.h"

#define STORE_MAX_BLUEPRINTS 1000 /* of an organization; no more can be created */

struct blueprint_row {
    struct id id, org_id;
    const char *name, *org_name, *synopsis;
    enum blueprint_visibility visibility;
    int version;
    int64_t created_ms, updated_ms;
    int64_t fleets; /* how many fleets' current versions use it */
};
/* Lists an organization's blueprints, sorted by name. */
int store_list_blueprints(struct store *store, const struct id *org_id,
                          int (*each)(void *, const struct blueprint_row *), void *context,
                          struct error *error);
/* Calls `each` once, or returns -1 with ERROR_NOT_FOUND. */
int store_get_blueprint(struct store *store, const struct id *blueprint_id,
                        int (*each)(void *, const struct blueprint_row *), void *context,
                        struct error *error);

struct blueprint_version_row {
    struct id blueprint_id;
    int version;
    int64_t created_ms;
    size_t file_bytes;
    /* NULL in lists: */
    const char *file, *definition_json;
    size_t definition_bytes;
};
/* Lists the versions, newest first. ERROR_NOT_FOUND: there is no such blueprint. */
int store_list_blueprint_versions(struct store *store, const struct id *blueprint_id,
                                  int (*each)(void *, const struct blueprint_version_row *),
                                  void *context, struct error *error);
/* Calls `each` once, for the current version if `version` is 0, or returns -1 with ERROR_NOT_FOUND.
 * A version of a deleted blueprint can still be read: runs may execute it. */
int store_get_blueprint_version(struct store *store, const struct id *blueprint_id, int version,
                                int (*each)(void *, const struct blueprint_version_row *),
                                void *context, struct error *error);

/* The part of a blueprint that the check of a fleet file needs. */
struct blueprint_inputs {
    struct id id;
    const char *inputs_json; /* NULL: there is no such version */
    size_t inputs_bytes;
};
struct blueprint_query {
    struct id org_id;
    const char *name; /* the exact name, or the id */
    int version;      /* 0 = the current one */
};
/* Calls `each` once if there is such a blueprint, else not at all. */
int store_find_blueprint_inputs(struct store *store, const struct blueprint_query *query,
                                int (*each)(void *, const struct blueprint_inputs *), void *context,
                                struct error *error);
/* For the start of a run: reads a version, or the current one if *version is 0, and sets
 * *version. Returns the head (model/blueprint.h), which the caller frees, or NULL: ERROR_NOT_FOUND
 * if there is no such version. */
char *store_get_blueprint_head(struct store *store, const struct id *blueprint_id, int *version,
                               struct error *error);
/* Completes a vessel by the head of its blueprint's version, or of the current one if that is 0,
 * and sets the version. Returns 0, or -1 and *error. */
int store_complete_vessel(struct store *store, struct definition_vessel *vessel,
                          struct error *error);

/* Lists the fleets whose current version uses the blueprint, sorted by project and name, with
 * their definitions. */
int store_list_blueprint_users(struct store *store, const struct id *blueprint_id,
                               int (*each)(void *, const struct definition_row *), void *context,
                               struct error *error);
/* Lists the current versions of an organization's blueprints whose definition contains a text. The
 * text must need no escape in JSON. */
int store_search_blueprints(struct store *store, const struct id *org_id, const char *text,
                            int (*each)(void *, const struct blueprint_version_row *),
                            void *context, struct error *error);

/* ---- Changing ---- */

struct blueprint_application {
    const struct id *org_id;
    const struct blueprint *blueprint;
    /* The canonical forms (model/blueprint.h, model/inputs.h), made by the caller: not on the
     * committer's thread. */
    const char *definition_json, *inputs_json, *head_json;
    const char *file; /* stored unchanged */
    size_t file_bytes;
};
struct blueprint_result {
    enum apply_outcome outcome;
    struct id blueprint_id;
    int version;
};
/* Applies a blueprint as store_apply_fleet applies a fleet: by its _id or its name; an equal one is
 * APPLY_UNCHANGED; the _id of a deleted one brings it back. ERROR_CONFLICT: the organization has
 * STORE_MAX_BLUEPRINTS already, or the _id belongs to another organization or another name. */
int store_apply_blueprint(struct store *store, const struct blueprint_application *application,
                          int64_t now_ms, struct blueprint_result *result, struct error *error);
/* Deletes a blueprint; its versions stay for runs. ERROR_CONFLICT while the current version of a
 * fleet uses it. */
int store_delete_blueprint(struct store *store, const struct id *blueprint_id, int64_t now_ms,
                           struct error *error);

#endif
