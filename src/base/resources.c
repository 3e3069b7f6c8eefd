/* See resources.h. Called by main.c and daemon.c, on the main thread. */
#include "base/resources.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"

#define FILE_MAX_BYTES ((size_t)1024 * 1024) /* a longer file in /proc is not read */

/* Takes over the amount if it is lower than the one known so far. */
static void limit(struct resource *resource, int64_t amount, const char *advice, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

static void limit(struct resource *resource, int64_t amount, const char *advice, const char *format,
                  ...)
{
    if (amount < 0)
        amount = 0;
    if (amount >= resource->amount)
        return;
    resource->amount = amount;
    resource->advice = advice;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(resource->reason, sizeof(resource->reason), format, arguments);
    va_end(arguments);
}

/* Returns the file's text, which the caller frees, or NULL if it cannot be read. */
static char *read_text(const char *path)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    if (file_read(AT_FDCWD, path, FILE_MAX_BYTES, &text, &error) == 0)
        return buffer_take(&text);
    buffer_free(&text);
    return NULL;
}

/* Returns the number with which the file begins, or INT64_MAX ("max", or no such file). */
static int64_t read_number(const char *folder, const char *name)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return INT64_MAX;
    char *text = read_text(path), *end = NULL;
    int64_t number = text ? strtoll(text, &end, 10) : 0;
    bool is_number = text && end != text;
    free(text);
    return is_number ? number : INT64_MAX;
}

/* ---- control groups (cgroups(7)) ---- */

/* A process is in one group of each hierarchy; each group above it limits it, too. */
struct hierarchy {
    const char *controller; /* as in /proc/self/cgroup; "" = version 2 */
    const char *folder;     /* below /sys/fs/cgroup */
    const char *tasks_max, *tasks_now;
    const char *memory_max;
};

static const struct hierarchy hierarchies[] = {
    {"", "", "pids.max", "pids.current", "memory.max"},
    {"", "/unified", "pids.max", "pids.current", "memory.max"},
    {"pids", "/pids", "pids.max", "pids.current", NULL},
    {"memory", "/memory", NULL, NULL, "memory.limit_in_bytes"},
};

static void limit_by_group(struct resources *resources, const struct hierarchy *hierarchy,
                           const char *group)
{
    if (hierarchy->tasks_max) {
        int64_t max = read_number(group, hierarchy->tasks_max);
        int64_t now = read_number(group, hierarchy->tasks_now);
        if (max != INT64_MAX && now != INT64_MAX)
            limit(&resources->tasks, max - now, "raise TasksMax= in the unit",
                  "%s in %.200s is %" PRId64, hierarchy->tasks_max, group, max);
    }
    if (hierarchy->memory_max) {
        int64_t max = read_number(group, hierarchy->memory_max);
        limit(&resources->memory, max, "raise MemoryMax= in the unit, or configure less",
              "%s in %.200s is %" PRId64, hierarchy->memory_max, group, max);
    }
}

/* Visits the group and those above it. `path` is as in /proc/self/cgroup. */
static void limit_by_hierarchy(struct resources *resources, const struct hierarchy *hierarchy,
                               const char *cgroups, const char *path)
{
    char group[PATH_MAX];
    size_t root = strlen(cgroups) + strlen(hierarchy->folder);
    if (snprintf(group, sizeof(group), "%s%s%s", cgroups, hierarchy->folder, path) >=
        (int)sizeof(group))
        return;
    for (;;) {
        limit_by_group(resources, hierarchy, group);
        char *slash = strrchr(group, '/');
        if (!slash || (size_t)(slash - group) < root)
            return;
        *slash = '\0';
    }
}

/* Whether the comma-separated list has this element. An empty list has the element "". */
static bool list_has(const char *list, const char *element)
{
    size_t bytes = strlen(element);
    for (;;) {
        size_t next = strcspn(list, ",");
        if (next == bytes && memcmp(list, element, bytes) == 0)
            return true;
        if (list[next] == '\0')
            return false;
        list += next + 1;
    }
}

static void limit_by_cgroups(struct resources *resources, const char *proc, const char *cgroups)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/self/cgroup", proc);
    char *text = read_text(path), *rest = NULL;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) { /* 4:memory:/system.slice/webhookd.service */
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++)
            if (list_has(controllers + 1, hierarchies[i].controller))
                limit_by_hierarchy(resources, &hierarchies[i], cgroups,
                                   strcmp(group, "/") == 0 ? "" : group);
    }
    free(text);
}

/* ---- the machine ---- */

static void limit_by_machine(struct resources *resources, const char *proc)
{
    static const char *const names[] = {"threads-max", "pid_max"};
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/sys/kernel", proc);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int64_t max = read_number(path, names[i]);
        limit(&resources->tasks, max, "raise it with sysctl", "kernel.%s is %" PRId64, names[i],
              max);
    }
    snprintf(path, sizeof(path), "%s/meminfo", proc);
    char *text = read_text(path);
    const char *total = text ? strstr(text, "MemTotal:") : NULL;
    int64_t kib = total ? strtoll(total + strlen("MemTotal:"), NULL, 10) : 0;
    if (kib > 0)
        limit(&resources->memory, kib * 1024, "add memory, or configure less",
              "the machine has %" PRId64 " MiB of memory", kib / 1024);
    free(text);
}

/* ---- the process ---- */

static void limit_by_process(struct resources *resources)
{
    struct rlimit files, tasks;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max != RLIM_INFINITY)
        limit(&resources->files, (int64_t)files.rlim_max,
              "raise LimitNOFILE= in the unit (ulimit -Hn), or configure less",
              "the hard limit on open files is %" PRId64, (int64_t)files.rlim_max);
    /* The kernel does not apply it to root. */
    if (getuid() != 0 && getrlimit(RLIMIT_NPROC, &tasks) == 0 && tasks.rlim_cur != RLIM_INFINITY)
        limit(&resources->tasks, (int64_t)tasks.rlim_cur,
              "raise LimitNPROC= in the unit (ulimit -u)",
              "the limit on the user's processes is %" PRId64, (int64_t)tasks.rlim_cur);
}

void resources_measure_at(const char *proc, const char *cgroups, struct resources *resources)
{
    *resources = (struct resources){.files = {.amount = INT64_MAX},
                                    .tasks = {.amount = INT64_MAX},
                                    .memory = {.amount = INT64_MAX}};
    limit_by_machine(resources, proc);
    limit_by_cgroups(resources, proc, cgroups);
}

void resources_measure(struct resources *resources)
{
    resources_measure_at("/proc", "/sys/fs/cgroup", resources);
    limit_by_process(resources);
}

void resources_raise_files(int64_t needed)
{
    struct rlimit limits;
    if (getrlimit(RLIMIT_NOFILE, &limits) != 0 || limits.rlim_cur == RLIM_INFINITY ||
        (int64_t)limits.rlim_cur >= needed)
        return;
    bool is_enough = limits.rlim_max == RLIM_INFINITY || (int64_t)limits.rlim_max > needed;
    limits.rlim_cur = is_enough ? (rlim_t)needed : limits.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limits); /* the bounds fit into the hard limit */
}
