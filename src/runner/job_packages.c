/* See job_packages.h. Called by runner/launch. */
#include "runner/job_packages.h"

#include <stdlib.h>

#include "base/memory.h"

static void add_readable(struct job *job, char *environment)
{
    char **readable = memory_alloc((job->readable_count + 1) * sizeof(*readable));
    for (size_t i = 0; i < job->readable_count; i++)
        readable[i] = job->readable[i];
    readable[job->readable_count++] = environment;
    job->readable = readable;
}

void job_packages_add(struct job *job, char *environment, enum vessel_language language)
{
    static char nothing[] = "";
    job->modules_dir = nothing;
    if (!environment)
        return;
    add_readable(job, environment);
    switch (language) {
    case LANGUAGE_BASH:
        break;
    case LANGUAGE_PYTHON:
        job->interpreter = memory_format("%s/bin/python", environment);
        break;
    case LANGUAGE_NODE:
        job->modules_dir = memory_format("%s/node_modules", environment);
        break;
    }
}

void job_packages_remove(struct job *job, const char *environment, enum vessel_language language)
{
    if (!environment)
        return;
    free(job->readable);
    if (language == LANGUAGE_PYTHON)
        free(job->interpreter);
    if (language == LANGUAGE_NODE)
        free(job->modules_dir);
}
