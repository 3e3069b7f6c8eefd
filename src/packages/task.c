/* See task.h. Called by packages/installer and packages/threads. */
#include "packages/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "packages/threads.h"

#define MAX_IDLE      256   /* tasks without tickets; one more, and the oldest is forgotten */
#define FAILED_FOR_MS 60000 /* a failure is not tried again within this time */

static void copy_packages(struct package_list *to, const struct package_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        packages_add(to, from->items[i].name, from->items[i].version);
}

static struct list *bucket_of(struct installer *installer, const struct id *vessel_id)
{
    return &installer->buckets[vessel_id->bytes[sizeof(vessel_id->bytes) - 1] % CORE_BUCKETS];
}

struct task *task_new(struct installer *installer, const struct installer_request *request,
                      bool is_refresh)
{
    struct task *task = memory_alloc(sizeof(*task));
    const struct installer_user *user = &request->user;
    task->installer = installer;
    task->is_refresh = is_refresh;
    task->place.fleet_no = request->fleet_no;
    task->place.vessel_id = request->vessel_id;
    task->blueprint_version = request->blueprint_version;
    task->place.version = request->version;
    task->fleet_name = memory_string(request->fleet_name);
    task->language = request->code->language;
    copy_packages(&task->packages, &request->code->packages);
    copy_packages(&task->system_packages, &request->code->system_packages);
    task->user = *user;
    task->user.name = memory_string(user->name);
    task->user.groups = memory_copy(user->groups, user->group_count * sizeof(*user->groups));
    list_append(bucket_of(installer, &task->place.vessel_id), &task->same_bucket);
    return task;
}

void task_leave_idle(struct task *task)
{
    if (!task->is_idle)
        return;
    list_remove(&task->installer->idle, &task->idle);
    task->installer->idle_count--;
    task->is_idle = false;
}

void task_free(struct task *task)
{
    union {
        const void *borrowed;
        void *owned;
    } name = {task->user.name}, groups = {task->user.groups};
    task_leave_idle(task);
    list_remove(bucket_of(task->installer, &task->place.vessel_id), &task->same_bucket);
    free(task->fleet_name);
    packages_free(&task->packages);
    packages_free(&task->system_packages);
    free(name.owned);
    free(groups.owned);
    free(task);
}

struct task *task_find(struct installer *installer, const struct package_lock_place *place,
                       int blueprint_version, bool is_refresh)
{
    LIST_EACH(struct task, task, bucket_of(installer, &place->vessel_id), same_bucket)
        if (task->place.fleet_no == place->fleet_no && task->place.version == place->version &&
            task->blueprint_version == blueprint_version && task->is_refresh == is_refresh &&
            id_equal(&task->place.vessel_id, &place->vessel_id))
            return task;
    return NULL;
}

void task_become_idle(struct task *task)
{
    struct installer *installer = task->installer;
    list_append(&installer->idle, &task->idle);
    installer->idle_count++;
    task->is_idle = true;
    if (installer->idle_count > MAX_IDLE)
        task_free(LIST_FIRST(&installer->idle, struct task, idle));
}

void task_fail(struct task *task, const char *why)
{
    task->state = INSTALLER_FAILED;
    task->failed_ms = clock_monotonic_ms();
    (void)snprintf(task->reason, sizeof(task->reason), "%.*s",
                   (int)utf8_cut(why, sizeof(task->reason) - 1), why);
}

void task_enqueue(struct task *task)
{
    struct installer *installer = task->installer;
    struct error error = ERROR_INIT;
    task->state = INSTALLER_WORKING;
    task->log[0] = '\0';
    if (threads_start_one(installer, &error) != 0) {
        task_fail(task, error.message); /* without a thread, nothing would ever be done */
        return;
    }
    list_append(&installer->queue, &task->queued);
    task->is_queued = true;
    pthread_cond_signal(&installer->news);
}

void task_forget_failures(struct installer *installer)
{
    for (size_t i = 0; i < CORE_BUCKETS; i++)
        LIST_EACH(struct task, task, &installer->buckets[i], same_bucket)
            task->failed_ms = clock_monotonic_ms() - FAILED_FOR_MS;
}

bool task_may_be_tried_again(const struct task *task)
{
    return task->state == INSTALLER_FAILED &&
           clock_monotonic_ms() - task->failed_ms >= FAILED_FOR_MS;
}
