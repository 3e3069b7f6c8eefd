/* The tasks of the installer (core.h). Every function is called under the installer's lock, on any
 * thread. */
#ifndef WEBHOOKD_PACKAGES_TASK_H
#define WEBHOOKD_PACKAGES_TASK_H

#include "packages/core.h"

/* Returns a task without tickets that is neither queued nor idle. Copies the request. */
struct task *task_new(struct installer *installer, const struct installer_request *request,
                      bool is_refresh);
void task_free(struct task *task);
/* Returns the task for the vessel in this version of its fleet, or NULL. */
struct task *task_find(struct installer *installer, const struct package_lock_place *place,
                       int blueprint_version, bool is_refresh);

/* Queues it for a thread. It fails if there is no thread and none can be started. */
void task_enqueue(struct task *task);
void task_fail(struct task *task, const char *why);
/* Lets all that have failed be tried again: the configuration may be the remedy. */
void task_forget_failures(struct installer *installer);
/* Whether it has failed, but longer ago than a failure stands. */
bool task_may_be_tried_again(const struct task *task);

/* Keeps a task without tickets for the next run. It may be freed: there is a bound. */
void task_become_idle(struct task *task);
void task_leave_idle(struct task *task); /* or does nothing */

#endif
