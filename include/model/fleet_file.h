/* A fleet file (YAML or JSON) → a definition: everything checked, all errors at once, each with its path and line.
 * Pure: no I/O, no clock, no threads. */
#ifndef WEBHOOKD_MODEL_FLEET_FILE_H
#define WEBHOOKD_MODEL_FLEET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/definition.h"

#define FLEET_FILE_MAX_BYTES (8u << 20)

struct fleet_problem {
    char *message; /* what is wrong and what to do */
    char *path;    /* "vessels.fetch.guardrails.retry_count", "" for the file as a whole */
    int line;      /* from 1; 0 where the syntax gives none (JSON) */
};

struct fleet_problems {
    struct fleet_problem *items;
    size_t count;
};

struct fleet_file_options {
    bool stub; /* keep blueprint and git vessels; they will end errored with "not available here" */
};

/* The definition (the caller's, definition_free), or NULL with at least one problem. `notes` gets what was accepted but is not acted on yet
 * (packages, triggers, retries, …), also on success. JSON is chosen when the first character that is no white space is '{'. */
struct definition *fleet_file_parse(const char *text, size_t bytes,
                                    const struct fleet_file_options *options,
                                    struct fleet_problems *problems, struct fleet_problems *notes);

void report_free_problems(struct fleet_problems *problems);

#endif
