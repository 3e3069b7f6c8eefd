/* A blueprint: the code of a vessel with typed inputs, which an organization keeps and whose
 * vessels several fleets may have. Immutable once created; its owner frees it. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_BLUEPRINT_H
#define WEBHOOKD_MODEL_BLUEPRINT_H

#include <stddef.h>

#include "base/error.h"
#include "base/id.h"
#include "model/definition.h"
#include "model/fleet_file.h"
#include "model/inputs.h"

/* Less than for a fleet file: the runner reads the whole blueprint for each attempt. */
#define BLUEPRINT_FILE_MAX_BYTES        (1u << 20)
#define BLUEPRINT_MAX_DESCRIPTION_BYTES (64 * 1024)

/* It decides who finds the blueprint in lists, not who may use it. Owners find all. */
enum blueprint_visibility { VISIBLE_TO_EVERYONE, VISIBLE_TO_EDITORS, VISIBLE_TO_NOBODY };

struct blueprint {
    char *name;
    struct id id; /* zero if the file gives none; not a part of the canonical form */
    char *synopsis;
    char *description; /* NULL if there is none */
    enum blueprint_visibility visibility;
    struct inputs inputs;
    /* The code, the guardrails, and the name once more. In its arguments, the values of its
     * environment and its file_to_run, "${NAME}" stands for an input (model/reference.h). */
    struct definition_vessel code;
};

void blueprint_free(struct blueprint *blueprint); /* NULL is fine */

/* Reads a blueprint file (YAML or JSON) as fleet_file_parse reads a fleet file. Of the options,
 * those for stubs and blueprints have no effect. */
struct blueprint *blueprint_file_parse(const char *text, size_t bytes,
                                       const struct fleet_file_options *options,
                                       struct fleet_problems *problems,
                                       struct fleet_problems *notes);

/* Returns NULL if file_to_run can be run once its inputs are put in: a relative path with safe
 * components. Otherwise returns a message that says which rule it breaks. */
const char *blueprint_path_problem(const char *file_to_run);

/* Returns the canonical form, which the store keeps and compares, without the id. The caller frees
 * it; never NULL. */
char *blueprint_json_write(const struct blueprint *blueprint);
/* Returns NULL and sets *error if the form is damaged. */
struct blueprint *blueprint_json_read(const char *json, size_t bytes, struct error *error);

/* The head: what the start of a run needs, but not the code. The store keeps it beside each
 * version. The caller frees the text; never NULL. */
char *blueprint_head_write(const struct blueprint *blueprint);
/* Completes a vessel of the blueprint by its head: sets the language and the packages, and replaces
 * the guardrails that the vessel does not give. Returns 0, or -1 with *error if the head is
 * damaged. */
int blueprint_head_apply(const char *json, size_t bytes, struct definition_vessel *vessel,
                         struct error *error);

#endif
