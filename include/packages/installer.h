/* Packages: what a vessel asks for is locked to exact versions and hashes once, installed once for
 * all vessels with the same lock, and lent to attempts read-only.
 *
 * The runner asks for a ticket before it starts a vessel that has packages, looks at it whenever it
 * is told that something has changed, and drops it when the vessel is over. Threads of the
 * installer, which exist only once there is work for them, do what takes time: they read and commit
 * locks and run the tools (pip, npm) in sandboxes (supervisor/). What is under way or has failed is
 * in memory; locks are in the store, environments in packages.dir. */
#ifndef WEBHOOKD_PACKAGES_INSTALLER_H
#define WEBHOOKD_PACKAGES_INSTALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "config/config.h"
#include "model/definition.h"
#include "queue/commit.h"

#define INSTALLER_KEY_BYTES    65 /* 64 hexadecimal digits */
#define INSTALLER_REASON_BYTES 300

struct installer;

struct installer_options {
    struct config *config; /* held */
    const char *supervisor_path;
    struct store_options store; /* borrowed until the stop */
    struct commit_queue *queue;
    /* Called on an installer's thread after a ticket's state has changed: news for the runner (a
     * flag, invariant 9). May be NULL. */
    void (*changed)(void *context);
    void *context;
};

/* Never fails. Starts a thread only if packages.dir exists, to remove what an earlier webhookd left
 * unfinished there. */
struct installer *installer_start(const struct installer_options *options);
/* Ends the tools that are running and the threads. No ticket may exist any more. NULL is fine. */
void installer_stop(struct installer *installer);
/* Applies a fresh configuration and holds it. What has failed may be tried again. */
void installer_reconfigure(struct installer *installer, struct config *config);

/* The user that the tools run as: that of the vessel that asks, in a sandbox if is_strict; else in
 * one if the kernel allows it. */
struct installer_user {
    bool is_strict;
    bool change; /* webhookd is root and changes to this user */
    const char *name;
    uint32_t uid, gid;
    const uint32_t *groups;
    size_t group_count;
};

struct installer_request {
    int64_t fleet_no;
    int version;
    struct id vessel_id;
    int blueprint_version;                /* of the code, if that is a blueprint's; else 0 */
    const char *fleet_name;               /* for the log */
    const struct definition_vessel *code; /* what asks for packages: the vessel or its blueprint */
    struct installer_user user;
};

/* Whether a vessel has to ask. */
bool installer_is_needed(const struct definition_vessel *code);

struct installer_ticket;
/* Begins the work for this vessel of this version of a fleet, unless it is done or under way. If it
 * failed less than a minute ago, that outcome stands. Copies the request. Never blocks. */
struct installer_ticket *installer_ask(struct installer *installer,
                                       const struct installer_request *request);
/* Ends the work if nobody else waits for it. NULL is fine. */
void installer_drop(struct installer_ticket *ticket);

enum installer_state { INSTALLER_WORKING, INSTALLER_READY, INSTALLER_FAILED };
/* Copies the reason if the state is INSTALLER_FAILED. Never blocks. */
enum installer_state installer_look(struct installer_ticket *ticket,
                                    char reason[INSTALLER_REASON_BYTES]);

/* An attempt's share in its package environment. */
struct installer_use {
    char *path;  /* of the environment, NULL = the vessel needs none; owned */
    int lock_fd; /* `ready` with a shared lock, for JOB_FD_PACKAGES; -1 without an environment */
};
/* The ticket must be INSTALLER_READY. ERROR_UNAVAILABLE: the environment has been removed, and is
 * being installed again. */
int installer_use(struct installer_ticket *ticket, struct installer_use *use, struct error *error);

/* Begins the work as installer_ask does, but for nobody: the runs to come find it done. A run that
 * asks meanwhile and then is the last to drop its ticket ends the work. Blocks for a moment. Not on
 * the runner's thread. */
void installer_prepare(struct installer *installer, const struct installer_request *request);
/* Has the packages locked again that a vessel asks for, and the new lock installed. Only when that
 * is done does the new lock replace the old one, and runs that start then use it. If it fails, or
 * webhookd ends, the old one stays. One that is under way goes on. Never blocks. */
void installer_refresh(struct installer *installer, const struct installer_request *request);

struct installer_metrics {
    int64_t running, waiting;                /* tasks */
    uint64_t succeeded, failed;              /* since the start: environments; tasks */
    int64_t environments, environment_bytes; /* as of the last tidying: each hour, and after each
                                                installation */
};
void installer_get_metrics(struct installer *installer, struct installer_metrics *metrics);

/* Copies the last bytes of the log of the work that failed to the descriptor. */
void installer_copy_log(struct installer_ticket *ticket, int to_fd);

#endif
