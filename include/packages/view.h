/* The state of a vessel's packages, for those who look: the present work on them, else the store's
 * lock and the environment. Any thread that may block, so not the runner's. */
#ifndef WEBHOOKD_PACKAGES_VIEW_H
#define WEBHOOKD_PACKAGES_VIEW_H

#include <stdint.h>

#include "base/error.h"
#include "model/definition.h"
#include "packages/installer.h"
#include "store/package_locks.h"

enum view_state {
    VIEW_NOT_LOCKED, /* webhookd has not been asked yet, or has forgotten what became of it */
    VIEW_LOCKED,     /* the environment does not exist now: the next run has it installed */
    VIEW_INSTALLING,
    VIEW_READY,
    VIEW_FAILED,
};
const char *view_state_name(enum view_state state); /* "not_locked" */

#define VIEW_LOG_BYTES 128

struct view {
    enum view_state state;
    char reason[INSTALLER_REASON_BYTES]; /* VIEW_FAILED */
    char key[INSTALLER_KEY_BYTES];       /* "" without a lock */
    char log[VIEW_LOG_BYTES];            /* for environments_open_log; "" = there is none yet */
    int64_t locked_ms;                   /* wall clock; 0 without a lock */
    struct package_list locked;          /* exact versions */
    /* Of a new lock: VIEW_NOT_LOCKED if none is being looked for, else VIEW_INSTALLING, or
     * VIEW_FAILED for the last one. */
    enum view_state refresh;
    char refresh_reason[INSTALLER_REASON_BYTES];
    char refresh_log[VIEW_LOG_BYTES];
};
/* A vessel in a version of its fleet. All are borrowed. */
struct view_place {
    const struct package_fleet *fleet;
    const struct definition_vessel *vessel; /* of a blueprint: with its packages */
    const struct installer_user *user;      /* that it runs as */
};
/* Fills in what a vessel with packages has there. */
int view_vessel(struct installer *installer, struct store *store, const struct view_place *place,
                struct view *view, struct error *error);
void view_free(struct view *view);

/* Finds the environment's key for a vessel. Returns 1, 0 if it has none (no packages of its
 * language, or no lock), or -1. */
int view_find_key(struct store *store, const struct view_place *place,
                  char key[INSTALLER_KEY_BYTES], struct error *error);

#endif
