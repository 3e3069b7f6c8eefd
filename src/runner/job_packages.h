/* The part of an attempt's job that comes from its package environment. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_JOB_PACKAGES_H
#define WEBHOOKD_RUNNER_JOB_PACKAGES_H

#include "model/definition.h"
#include "supervisor/job.h"

/* Adds the environment to what the job's vessel sees, and has the vessel use it. `environment` is
 * its path, NULL = none; it is borrowed until job_packages_remove. */
void job_packages_add(struct job *job, char *environment, enum vessel_language language);
/* Frees what job_packages_add has allocated. */
void job_packages_remove(struct job *job, const char *environment, enum vessel_language language);

#endif
