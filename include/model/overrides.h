/* The overrides of a fleet run that the API trigger starts: for each vessel, variables and
 * arguments that replace those of the fleet file, or a status that it gets without being run.
 * Values are secrets: overrides_wipe overwrites them, and no problem or error quotes one. They are
 * literal: no reference to a credential is looked for in them. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_OVERRIDES_H
#define WEBHOOKD_MODEL_OVERRIDES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "model/definition.h"
#include "model/fleet_file.h"

#define OVERRIDES_MAX_BYTES   (1u << 20) /* of the request's JSON */
#define OVERRIDES_MAX_VESSELS 1000       /* listed in a request */
#define OVERRIDES_MAX_VALUES  1000       /* variables and arguments of a request, together */

/* The reason and the output of a vessel run that got its status without being run. */
#define OVERRIDES_SKIPPED_REASON "skipped by override"
#define OVERRIDES_SKIPPED_OUTPUT "Vessel has been skipped due to override.\n"

enum override_status {
    OVERRIDE_RUN = 0, /* the vessel is run */
    OVERRIDE_SUCCESS,
    OVERRIDE_ERRORED,
};

struct vessel_override {
    char *vessel; /* its name; NULL if the request's entry has none that can be read */
    enum override_status status;
    struct environment_entry *variables; /* the values are NULL if only the names are known */
    size_t variable_count;
    bool has_arguments; /* they replace the vessel's, also if there are none */
    char **arguments;   /* NULL if only the names are known */
    size_t argument_count;
};

/* Zeroed: none. */
struct overrides {
    struct vessel_override *vessels;
    size_t vessel_count;
};

/* Overwrites and frees everything; zeroes the struct. */
void overrides_wipe(struct overrides *overrides);

/* Returns the vessel's entry, or NULL. */
const struct vessel_override *overrides_find(const struct overrides *overrides, const char *vessel);
/* Returns the variable's entry, or NULL. The override may be NULL. */
const struct environment_entry *overrides_variable(const struct vessel_override *override,
                                                   const char *name);
/* Whether anything is overridden; whether a variable or arguments are. */
bool overrides_are_empty(const struct overrides *overrides);
bool overrides_have_values(const struct overrides *overrides);
bool overrides_has_values(const struct vessel_override *override); /* NULL: false */

struct blueprint;

/* The rules for what overrides may set. */
struct overrides_rules {
    bool is_trigger; /* only variables that the definition or the vessel's blueprint names */
    /* Returns the blueprint of a vessel that has one, borrowed until the next call, or NULL if it
     * cannot be read. NULL: no vessel has one. */
    const struct blueprint *(*blueprint_of)(void *context, const struct definition_vessel *vessel);
    void *context;
};

/* Checks the overrides against the definition that the run will have: which variables they set, and
 * whether the values of inputs are of the inputs' types. Returns 0, or -1 with at least one
 * problem, whose path is that in the request: "vessel_overrides[0].name". */
int overrides_check(const struct overrides *overrides, const struct definition *definition,
                    const struct overrides_rules *rules, struct fleet_problems *problems);

/* Reads and checks a request's JSON (docs/openapi.yaml); nothing but white space means no
 * overrides. Returns as overrides_check; after a failure there is nothing to wipe. */
int overrides_json_read(const char *json, size_t bytes, const struct definition *definition,
                        const struct overrides_rules *rules, struct overrides *overrides,
                        struct fleet_problems *problems);

/* The stored forms. Without values, a form has names and statuses only. The buffer is reserved at
 * first, so that no copy of a value is left behind; its owner wipes it. Returns 0, or -1 if there
 * is no memory. */
int overrides_form_write(const struct overrides *overrides, bool with_values,
                         struct buffer *buffer);
/* Reads what overrides_form_write has written. Returns 0, or -1 with *error if it is damaged. */
int overrides_form_read(const void *form, size_t bytes, bool with_values,
                        struct overrides *overrides, struct error *error);

#endif
