/* The state that the files of the installer share: see packages/installer.h for what it does.
 *
 * A task is one vessel of one version of a fleet, or of its blueprint:
 *
 *   ask ─► queued ─► running ─► ready ──┐ the environment was removed
 *             ▲         └─────► failed ─┤ and a minute has passed
 *             └─────────────────────────┘
 *
 * Its tickets are those who wait for it or use it. A task without tickets stays in memory for the
 * next run, up to a bound. */
#ifndef WEBHOOKD_PACKAGES_CORE_H
#define WEBHOOKD_PACKAGES_CORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "packages/cache.h"
#include "packages/install.h"
#include "packages/installer.h"

#define CORE_MAX_THREADS 64
#define CORE_BUCKETS     256

struct task {
    struct installer *installer;
    struct list_node same_bucket, queued, idle;
    struct package_lock_place place;
    int blueprint_version;
    char *fleet_name;
    enum vessel_language language;
    struct package_list packages, system_packages;
    struct installer_user user; /* name and groups are owned */
    /* Looks for a new lock of what is locked already. It is not the task that runs wait for: if it
     * fails, they go on with the old lock. */
    bool is_refresh;
    int tickets;
    bool is_prepared; /* one of the tickets is the installer's own: until the work is done */
    enum installer_state state;
    bool is_queued, is_running, is_idle;
    bool is_outdated; /* a refresh has replaced the lock while it was running */
    bool is_given_up; /* its tool was told to end, because nobody waited for it */
    int64_t failed_ms;
    char reason[INSTALLER_REASON_BYTES];
    char key[INSTALLER_KEY_BYTES];
    char log[INSTALL_LOG_BYTES]; /* "" until a tool runs */
};

struct installer_ticket {
    struct task *task;
};

/* An environment that a thread is installing. */
struct claim {
    struct list_node among;
    char key[INSTALLER_KEY_BYTES];
};

struct installer {
    struct installer_options options;
    pthread_mutex_t opening; /* held while the cache is opened */
    bool is_open;            /* guarded by `opening`; once true, the cache does not change */
    struct cache cache;

    pthread_mutex_t lock;    /* guards the following */
    pthread_cond_t news;     /* a task is queued, or the installer stops */
    pthread_cond_t released; /* a claim was given up */
    struct config *config;   /* in force */
    struct list buckets[CORE_BUCKETS];
    struct list queue;  /* tasks, linked by `queued` */
    struct list idle;   /* tasks without tickets, the least recently used first */
    struct list claims; /* linked by `among` */
    size_t idle_count;
    int64_t clean_ms; /* when the next cleaning is due, on the monotonic clock */
    pthread_t threads[CORE_MAX_THREADS];
    size_t thread_count, free_threads;
    struct installer_metrics metrics; /* but what is counted when it is asked for */
    int64_t running;                  /* tasks that a thread works on */
    bool is_stopping;
};

/* Opens packages.dir unless it is open, and creates it, so that it need not exist where nobody has
 * packages. Blocks. */
int core_open_cache(struct installer *installer, const struct config *config, struct error *error);

/* Whether there is a folder, which is open then. Does not create it. Blocks. */
bool core_has_cache(struct installer *installer);

/* Waits until nobody else installs or removes the environment, and claims it. */
void core_claim(void *installer, const char *key);
void core_release(void *installer, const char *key);

#endif
