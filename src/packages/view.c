/* See packages/view.h. Called by admin/packages. */
#include "packages/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "packages/cache.h"
#include "packages/core.h"
#include "packages/lock.h"
#include "packages/system.h"
#include "packages/task.h"
#include "packages/tool.h"

const char *view_state_name(enum view_state state)
{
    switch (state) {
    case VIEW_NOT_LOCKED:
        break;
    case VIEW_LOCKED:
        return "locked";
    case VIEW_INSTALLING:
        return "installing";
    case VIEW_READY:
        return "ready";
    case VIEW_FAILED:
        return "failed";
    }
    return "not_locked";
}

/* ---- the store ---- */

static struct package_lock_place lock_place(const struct view_place *place)
{
    return (struct package_lock_place){.fleet_no = place->fleet->no,
                                       .vessel_id = place->vessel->id,
                                       .version = place->fleet->version};
}

/* Finds the lock, and the key that follows from it. Returns 1, 0 if there is none, or -1. */
static int find_lock(struct store *store, const struct view_place *place, struct package_lock *lock,
                     char key[INSTALLER_KEY_BYTES], struct error *error)
{
    const struct definition_vessel *vessel = place->vessel;
    if (!tool_of(vessel->language) || vessel->packages.count == 0)
        return 0;
    const struct package_lock_place where = lock_place(place);
    char *request = lock_describe_request(vessel->language, &vessel->packages);
    int found = store_find_package_lock(store, &where, request, lock, error);
    free(request);
    if (found > 0)
        lock_make_key(vessel->language, lock, place->user->is_strict ? NULL : place->user, key);
    return found;
}

int view_find_key(struct store *store, const struct view_place *place,
                  char key[INSTALLER_KEY_BYTES], struct error *error)
{
    struct package_lock lock = {.request = NULL};
    int found = find_lock(store, place, &lock, key, error);
    store_free_package_lock(&lock);
    return found;
}

static int read_lock(struct store *store, const struct view_place *place, struct view *view,
                     struct error *error)
{
    struct package_lock lock = {.request = NULL};
    int found = find_lock(store, place, &lock, view->key, error);
    if (found > 0) {
        view->locked_ms = lock.locked_ms;
        tool_of(place->vessel->language)->read_versions(lock.lock, &view->locked);
    }
    store_free_package_lock(&lock);
    return found < 0 ? -1 : 0;
}

/* ---- the work ---- */

static enum view_state state_of(const struct task *task)
{
    switch (task->state) {
    case INSTALLER_WORKING:
        return VIEW_INSTALLING;
    case INSTALLER_FAILED:
        return VIEW_FAILED;
    case INSTALLER_READY:
        break;
    }
    return VIEW_NOT_LOCKED;
}

/* Copies what the tasks are at. A task that is ready says nothing: its environment may be gone. */
static void read_tasks(struct installer *installer, const struct view_place *place,
                       struct view *view)
{
    const struct package_lock_place where = lock_place(place);
    int blueprint_version = place->vessel->blueprint_version;
    pthread_mutex_lock(&installer->lock);
    const struct task *task = task_find(installer, &where, blueprint_version, false);
    if (task) {
        view->state = state_of(task);
        (void)snprintf(view->reason, sizeof(view->reason), "%s", task->reason);
        (void)snprintf(view->log, sizeof(view->log), "%s", task->log);
    }
    const struct task *refresh = task_find(installer, &where, blueprint_version, true);
    if (refresh) {
        view->refresh = state_of(refresh);
        (void)snprintf(view->refresh_reason, sizeof(view->refresh_reason), "%s", refresh->reason);
        (void)snprintf(view->refresh_log, sizeof(view->refresh_log), "%s", refresh->log);
    }
    pthread_mutex_unlock(&installer->lock);
}

/* ---- both ---- */

/* Sets the state of a vessel that needs packages of the system only. */
static void look_at_system(const struct definition_vessel *vessel, struct view *view)
{
    struct error missing = ERROR_INIT;
    view->state = VIEW_READY;
    if (system_packages_check(SYSTEM_PACKAGES_STATUS, &vessel->system_packages, &missing) == 0)
        return;
    view->state = VIEW_FAILED;
    (void)snprintf(view->reason, sizeof(view->reason), "%.*s",
                   (int)utf8_cut(missing.message, sizeof(view->reason) - 1), missing.message);
}

static void look_at_cache(struct installer *installer, struct view *view)
{
    if (view->key[0] == '\0')
        return;
    bool is_ready = core_has_cache(installer) && cache_has(&installer->cache, view->key);
    view->state = is_ready ? VIEW_READY : VIEW_LOCKED;
    if (view->log[0] == '\0')
        (void)snprintf(view->log, sizeof(view->log), "%s", view->key);
}

int view_vessel(struct installer *installer, struct store *store, const struct view_place *place,
                struct view *view, struct error *error)
{
    *view = (struct view){.state = VIEW_NOT_LOCKED};
    /* The tasks first: a lock that is found meanwhile is in the store then. */
    read_tasks(installer, place, view);
    if (read_lock(store, place, view, error) != 0)
        return -1;
    if (view->state != VIEW_NOT_LOCKED)
        return 0;
    if (place->vessel->packages.count == 0)
        look_at_system(place->vessel, view);
    else
        look_at_cache(installer, view);
    return 0;
}

void view_free(struct view *view)
{
    packages_free(&view->locked);
}
