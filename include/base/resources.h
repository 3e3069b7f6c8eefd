/* Measures what the machine allows this process: open files, tasks (threads and processes) and
 * memory. config/bounds lowers bounds that would need more. */
#ifndef WEBHOOKD_BASE_RESOURCES_H
#define WEBHOOKD_BASE_RESOURCES_H

#include <stdint.h>

#define RESOURCE_REASON_BYTES 320

struct resource {
    int64_t amount;                     /* INT64_MAX = no limit is known */
    char reason[RESOURCE_REASON_BYTES]; /* "the hard limit on open files is 1024"; "" = no limit */
    const char *advice;                 /* "raise LimitNOFILE= in the unit (ulimit -Hn)" */
};

struct resources {
    struct resource files;  /* open files */
    struct resource tasks;  /* that can be started in addition to those that run now */
    struct resource memory; /* bytes */
};

/* Asks the kernel: RLIMIT_NOFILE (the hard limit), RLIMIT_NPROC, kernel.threads-max,
 * kernel.pid_max, pids.max and memory.max of the control group and the groups above it (both
 * versions), MemTotal. What cannot be read limits nothing. Reads files; any thread. */
void resources_measure(struct resources *resources);
/* The same with these folders instead of "/proc" and "/sys/fs/cgroup", and without the process's
 * own limits. For tests. */
void resources_measure_at(const char *proc, const char *cgroups, struct resources *resources);

/* Raises the soft limit on open files to this number, or to the hard limit if that is lower. */
void resources_raise_files(int64_t needed);

#endif
