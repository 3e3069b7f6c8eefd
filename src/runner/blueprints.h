/* The blueprints of a run's vessels: which versions it executes, and their code. On the runner's
 * thread. A run whose vessels have none costs one look at each vessel. */
#ifndef WEBHOOKD_RUNNER_BLUEPRINTS_H
#define WEBHOOKD_RUNNER_BLUEPRINTS_H

#include "model/blueprint.h"
#include "runner/core.h"

/* Decides, for each vessel of a blueprint, on the version that the run executes: the one that is
 * set, else the current one. Sets blueprint_version, the same for all vessels that follow a
 * blueprint, and completes the vessel: language, packages, guardrails. The definition is the
 * caller's own, and not a run's yet. A blueprint that is missing is no error: its vessel fails when
 * it is started. */
int blueprints_resolve(struct store *store, struct definition *definition, struct error *error);

/* The code that an attempt executes. */
struct vessel_code {
    const struct definition_vessel *vessel; /* with the file: the run's, or the blueprint's */
    struct blueprint *blueprint;            /* NULL: the vessel has none */
};

/* Loads the code of a run's vessel. ERROR_INVALID: the blueprint is missing or damaged, so the
 * vessel cannot be started. The caller calls blueprints_close in any case. */
int blueprints_open(const struct run *run, size_t vessel, struct vessel_code *code,
                    struct error *error);
void blueprints_close(struct vessel_code *code);

#endif
