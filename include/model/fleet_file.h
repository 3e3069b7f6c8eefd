/* Turns a fleet file (YAML or JSON) into a definition. Checks everything and reports all problems
 * together, each with its path and line. Pure, except for what has_credential and missing_packages
 * do: no I/O, no clock, no threads. */
#ifndef WEBHOOKD_MODEL_FLEET_FILE_H
#define WEBHOOKD_MODEL_FLEET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/definition.h"
#include "model/reference.h"

#define FLEET_FILE_MAX_BYTES (8u << 20)

struct fleet_problem {
    char *message; /* the problem and its remedy */
    char *path;    /* "vessels.fetch.guardrails.retry_count"; "" for the file as a whole */
    int line;      /* from 1; 0 if unknown: JSON has lines for syntax errors only */
};

struct fleet_problems {
    struct fleet_problem *items;
    size_t count;
};

struct inputs;

/* A blueprint as a fleet file's vessel sees it. */
struct fleet_blueprint {
    struct id id;
    const struct inputs *inputs; /* borrowed; NULL: the blueprint has no such version */
};

struct fleet_file_options {
    /* Keep git vessels, and those of blueprints that do not exist: they end errored, "not available
     * here". */
    bool stub;
    bool strict; /* refuse what would be accepted without effect */
    /* Whether the fleet's organization has this credential. NULL: references are not looked up. */
    bool (*has_credential)(void *context, const struct reference *reference);
    /* Finds a blueprint of the fleet's organization, by its exact name or its id; version 0: the
     * current one. Returns false if there is none. NULL: there are no blueprints. */
    bool (*find_blueprint)(void *context, const char *name, int version,
                           struct fleet_blueprint *found);
    void *context;
    /* Returns what to say about those of a vessel's system packages that the machine lacks (a note,
     * or, if strict, a problem), or NULL; freed by the caller. NULL: they are not looked up. */
    char *(*missing_packages)(void *context, const struct package_list *system_packages);
    bool missing_credentials; /* note missing credentials instead of refusing the file */
};

/* Returns the definition, which the caller frees with definition_free, or NULL with at least one
 * problem. Adds to `notes`, also on success, what is accepted but has no effect (packages,
 * triggers, …) or may be a mistake. Both lists are sorted by line; entries without a line come
 * last. The file is read as JSON if its first character other than white space is '{'. The caller
 * frees both lists with report_free_problems. */
struct definition *fleet_file_parse(const char *text, size_t bytes,
                                    const struct fleet_file_options *options,
                                    struct fleet_problems *problems, struct fleet_problems *notes);

void report_free_problems(struct fleet_problems *problems);

#endif
