/* A fleet's definition, validated and complete: what a version stores and a run executes. Immutable
 * once created; its owner frees it. Any thread. */
#ifndef WEBHOOKD_MODEL_DEFINITION_H
#define WEBHOOKD_MODEL_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "model/guardrails.h"
#include "model/packages.h"

enum vessel_language { LANGUAGE_BASH, LANGUAGE_PYTHON, LANGUAGE_NODE };
enum vessel_kind {
    VESSEL_CODE,
    /* A vessel whose source is of a type that webhookd cannot run (BLUEPRINT, GIT:
     * webhookd-fleet(5)), kept because of the option `stub` (fleet_file.h). It ends errored, with
     * the reason "not available here". */
    VESSEL_STUB,
    /* A vessel whose code is that of a blueprint (model/blueprint.h). Its environment has the
     * inputs that the fleet file gives, as they are written there. */
    VESSEL_BLUEPRINT
};
enum path_condition { PATH_SUCCESS, PATH_ERRORED, PATH_COMPLETED };
enum interrupt_policy { INTERRUPT_FAIL, INTERRUPT_RERUN };

/* Stands for a hidden value wherever one is shown or stored, and in a fleet file that keeps the
 * value which the fleet has. */
#define DEFINITION_HIDDEN "SHIPYARD_HIDDEN"

/* The longest name of a hidden variable: it is a part of what its value is sealed for. */
#define DEFINITION_HIDDEN_NAME_BYTES 128
/* Of a fleet. They are sealed and compared on the committer's thread, while requests wait. */
#define DEFINITION_MAX_HIDDEN 1000

struct environment_entry {
    char *name;
    char *value;
    /* The value is a secret. A definition that was read from a fleet file has the real value, or
     * DEFINITION_HIDDEN to keep the fleet's. One that was read from the store has
     * DEFINITION_HIDDEN: the store has the value sealed. definition_free wipes the value. */
    bool hidden;
};

struct definition_vessel {
    char *name;
    struct id id; /* zero if the file gives none, until the store assigns one */
    enum vessel_kind kind;
    enum vessel_language language;
    char *version; /* as written in the file, or NULL */
    /* Of a stub and of a blueprint's vessel these are NULL: */
    char *file_name;    /* relative, with safe components */
    char *file_content; /* text without NUL characters */
    char *file_to_run;
    char **arguments; /* in order; each string is one argument */
    size_t argument_count;
    struct environment_entry *environment;
    size_t environment_count;
    struct package_list packages;        /* of the language: pip or npm; empty for BASH */
    struct package_list system_packages; /* of Debian */
    struct guardrails guardrails;
    /* VESSEL_BLUEPRINT: which blueprint, and its version; 0 = the current one. In the definition of
     * a run, the version that the run executes. */
    struct id blueprint_id;
    int blueprint_version;
};

struct definition_path {
    size_t from, to; /* indexes into vessels */
    enum path_condition condition;
};

struct definition {
    char *name;
    struct id id;                      /* zero if the file gives none */
    struct definition_vessel *vessels; /* in the order of the file */
    size_t vessel_count;
    /* A connected graph without cycles, sorted by from, then to. */
    struct definition_path *paths;
    size_t path_count;
    enum interrupt_policy on_interrupt;
    int max_concurrent_runs; /* 0 = unlimited */
};

void definition_free(struct definition *definition); /* NULL is fine */

/* Whether the entry is hidden and the definition does not have its value. */
bool definition_lacks_value(const struct environment_entry *entry);
bool definition_has_hidden(const struct definition *definition);

/* Returns the canonical JSON form, which the store keeps and compares: two definitions are equal,
 * but for hidden values, if their forms are equal byte for byte. It has DEFINITION_HIDDEN instead
 * of each hidden value. Leaves out all _ids unless with_ids. The caller frees the result, which is
 * never NULL. */
char *definition_json_write(const struct definition *definition, bool with_ids);
/* Reads what definition_json_write has written with ids. Returns NULL and sets *error if it is
 * damaged. */
struct definition *definition_json_read(const char *json, size_t bytes, struct error *error);

/* Sorts the paths by from, then to. */
void definition_sort_paths(struct definition *definition);

#endif
