/* A fleet's definition, checked and complete: what a version stores and a run executes. Immutable once made; freed by its owner. */
#ifndef WEBHOOKD_MODEL_DEFINITION_H
#define WEBHOOKD_MODEL_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "model/guardrails.h"

enum vessel_language { LANGUAGE_BASH, LANGUAGE_PYTHON, LANGUAGE_NODE };
enum vessel_kind {
    VESSEL_CODE,
    VESSEL_STUB /* kept by --stub, ends errored: "not available here" */
};
enum path_condition { PATH_SUCCESS, PATH_ERRORED, PATH_COMPLETED };
enum interrupt_policy { INTERRUPT_FAIL, INTERRUPT_RERUN };

struct environment_entry {
    char *name;
    char *value;
};

struct definition_vessel {
    char *name;
    struct id id; /* zero until the store has given it one, if the file names none */
    enum vessel_kind kind;
    enum vessel_language language;
    char *version;      /* as written, or NULL */
    char *file_name;    /* relative, safe components; NULL for a stub */
    char *file_content; /* NUL-free text; its length is strlen */
    char *file_to_run;
    char **arguments; /* one argument each, in order */
    size_t argument_count;
    struct environment_entry *environment;
    size_t environment_count;
    struct guardrails guardrails;
};

struct definition_path {
    size_t from, to; /* places in vessels */
    enum path_condition condition;
};

struct definition {
    char *name;
    struct id id;                      /* zero if the file names none */
    struct definition_vessel *vessels; /* in the order of the file */
    size_t vessel_count;
    /* An acyclic graph, connected when there is more than one vessel; sorted by from, then to. */
    struct definition_path *paths;
    size_t path_count;
    enum interrupt_policy on_interrupt;
    int max_concurrent_runs; /* 0 = no bound */
};

void definition_free(struct definition *definition); /* NULL is fine */

/* The canonical JSON form: what the store keeps, and what says whether two definitions are equal (byte for byte).
 * with_ids false leaves out all _ids, for that comparison. The caller frees it. Never NULL. */
char *definition_json_write(const struct definition *definition, bool with_ids);
/* Reads what definition_json_write wrote (with ids). NULL and *error if that is damaged. */
struct definition *definition_json_read(const char *json, size_t bytes, struct error *error);

void definition_sort_paths(struct definition *definition);

#endif
