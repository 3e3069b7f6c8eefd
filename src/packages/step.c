/* See step.h. Called by packages/install. */
#include "packages/step.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/memory.h"
#include "base/tree_walk.h"
#include "supervisor/job.h"
#include "supervisor/record.h"
#include "supervisor/spawn.h"

#define LOOK_MS       250
#define ENTRIES       20000 /* of the place that are counted at each look */
#define LOG_BYTES     (1024 * 1024)
#define RECORD_SUFFIX ".record"

static char tool_id[] = ".webhookd"; /* so that files_place creates STEP_FILES */
static char script_name[] = "tool.sh";
static char nothing[] = "";

bool step_is_record(const char *name)
{
    size_t bytes = strlen(name), suffix = strlen(RECORD_SUFFIX);
    return bytes > suffix && strcmp(name + bytes - suffix, RECORD_SUFFIX) == 0;
}

/* ---- the job ---- */

/* Neither the daemon's environment nor a configuration file of the machine decides what the tools
 * do. */
static char **make_environment(const struct step *step, size_t *count)
{
    const struct config *config = step->config;
    const char *proxy = config->packages.proxy;
    char *items[] = {
        memory_format("PATH=%s", config->runner.path),
        memory_format("HOME=%s/" STEP_FILES, step->place->path),
        memory_format("TMPDIR=%s/" STEP_FILES, step->place->path),
        memory_string("LANG=C.UTF-8"),
        memory_string("PIP_CONFIG_FILE=/dev/null"),
        memory_format("NETRC=%s/.webhookd.webhook_body", step->place->path),
        memory_format("http_proxy=%s", proxy),
        memory_format("https_proxy=%s", proxy),
    };
    *count = ARRAY_COUNT(items) - (proxy[0] == '\0' ? 2 : 0);
    for (size_t i = *count; i < ARRAY_COUNT(items); i++)
        free(items[i]);
    return memory_copy(items, *count * sizeof(*items));
}

/* Returns the paths that tools see besides those that every vessel sees. */
static char **make_readable(const struct step *step, size_t *count)
{
    const struct config *config = step->config;
    const struct config_list *links = &config->packages.pip_find_links;
    char **paths = memory_alloc((links->count + 1) * sizeof(*paths));
    *count = 0;
    for (size_t i = 0; i < links->count; i++)
        paths[(*count)++] = links->items[i];
    if (config->packages.ca_file[0] != '\0')
        paths[(*count)++] = config->packages.ca_file;
    return paths;
}

static int make_job_file(const struct step *step, struct error *error)
{
    const struct config *config = step->config;
    const struct installer_user *user = step->user;
    struct buffer text = BUFFER_INIT;
    struct job job = {
        .vessel_run_id = tool_id,
        .workdir = step->place->path,
        .is_strict = user->is_strict,
        .network = step->network,
        .max_memory_bytes = config->packages.max_memory_bytes,
        .max_processes = config->runner.max_processes,
        .max_open_files = config->runner.max_open_files,
        .hidden_dir = nothing,
        .interpreter = config->runner.bash,
        .search_path = config->runner.path,
        .file_name = script_name,
        .file_content = step->script,
        .modules_dir = nothing,
        .file_to_run = script_name,
        .arguments = step->arguments,
        .argument_count = step->argument_count,
        .change_user = user->change,
        .uid = user->uid,
        .gid = user->gid,
        .user = memory_string(user->name),
        .groups = memory_copy(user->groups, user->group_count * sizeof(*user->groups)),
        .group_count = user->group_count,
        .nice = (int32_t)config->runner.nice,
        .cutoff_ms = config->packages.timeout_ms,
        .stop_grace_ms = config->runner.stop_grace_ms,
        .max_output_bytes = LOG_BYTES,
    };
    job.environment = make_environment(step, &job.environment_count);
    job.readable = make_readable(step, &job.readable_count);
    int fd = job_write(&job, &text) != 0
                 ? error_set(error, ERROR_UNAVAILABLE, "no memory for the job of an installation")
                 : file_in_memory(text.data, text.bytes, error);
    buffer_free(&text);
    for (size_t i = 0; i < job.environment_count; i++)
        free(job.environment[i]);
    free(job.environment);
    free(job.readable);
    free(job.groups);
    free(job.user);
    return fd;
}

/* ---- its descriptors ---- */

static void close_all(int fds[JOB_FDS])
{
    for (int i = 0; i < JOB_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Passwords of the index, for pip. The supervisor places them as a file of the tool's user. */
static int open_netrc(const struct step *step, struct error *error)
{
    const char *path = step->config->packages.netrc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        error_set_errno(error, errno, "packages.netrc: cannot open \"%s\"", path);
    return fd;
}

static int duplicate(int fd, struct error *error)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_FIRST_FD);
    if (copy < 0)
        error_set_errno(error, errno, "cannot duplicate a descriptor");
    return copy;
}

static void place(int fds[JOB_FDS], enum job_fd number, int fd, struct error *error)
{
    fds[number] = fd < 0 ? -1 : file_move_up(fd, SPAWN_FIRST_FD, error);
}

static int make_descriptors(const struct step *step, const char *record, int fds[JOB_FDS],
                            struct error *error)
{
    int lock_fd = -1;
    for (int i = 0; i < JOB_FDS; i++)
        fds[i] = -1;
    place(fds, JOB_FD_RECORD, record_take(step->cache->building_fd, record, &lock_fd, error),
          error);
    place(fds, JOB_FD_LOCK, lock_fd, error);
    place(fds, JOB_FD_JOB, make_job_file(step, error), error);
    fds[JOB_FD_WORKDIR] = duplicate(step->place->fd, error);
    fds[JOB_FD_OUTPUT] = duplicate(step->log_fd, error);
    if (step->network && step->reads_netrc && step->config->packages.netrc[0] != '\0')
        place(fds, JOB_FD_BODY, open_netrc(step, error), error);
    if (!error_is_set(error))
        return 0;
    close_all(fds);
    return -1;
}

/* ---- watching it ---- */

static bool is_too_large(const struct step *step, struct tree_walk *walk)
{
    int64_t budget = ENTRIES;
    enum tree_walk_progress progress = TREE_WALK_GOES_ON;
    if (!walk->innermost)
        progress = tree_walk_begin(walk, step->place->parent_fd, step->place->name);
    if (progress == TREE_WALK_GOES_ON)
        (void)tree_walk_go_on(walk, &budget);
    return walk->size.bytes > step->config->packages.max_size_bytes;
}

static int why_not(const struct step *step, struct tree_walk *walk, struct error *error)
{
    if (step->is_unwanted(step->context))
        return error_set(error, ERROR_UNAVAILABLE, "stopped, because nobody waits for it any more");
    if (is_too_large(step, walk))
        return error_set(error, ERROR_FULL, "it needs more disk space than packages.max_size");
    return 0;
}

/* Waits for the supervisor's end, and has it kill its tool if that is to be ended. The supervisor
 * is a child, so its end can be awaited in any case. */
static void watch(const struct step *step, pid_t pid, struct error *error)
{
    struct tree_walk walk = {.innermost = NULL};
    int pidfd = pidfd_open(pid, 0);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    while (pidfd >= 0 && poll(&end, 1, LOOK_MS) <= 0)
        if (why_not(step, &walk, error) != 0)
            spawn_kill(pidfd);
    tree_walk_end(&walk);
    if (pidfd >= 0)
        close(pidfd);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static int read_result(const struct step *step, const char *record, struct attempt_result *result,
                       struct error *error)
{
    int fd = record_open(step->cache->building_fd, record);
    int found = fd < 0 ? 0 : record_read_result(fd, result, error);
    if (fd >= 0)
        close(fd);
    if (found > 0)
        return 0;
    return error_set(error, ERROR_UNAVAILABLE, "the supervisor of a tool left no result");
}

int step_run(const struct step *step, struct attempt_result *result, struct error *error)
{
    char *record = memory_format("%s" RECORD_SUFFIX, step->place->name);
    int fds[JOB_FDS];
    pid_t pid;
    int outcome = make_descriptors(step, record, fds, error);
    if (outcome == 0) {
        outcome = spawn_supervisor(step->supervisor_path, fds, &pid, error);
        close_all(fds);
    }
    if (outcome == 0) {
        watch(step, pid, error);
        outcome = error_is_set(error) ? -1 : read_result(step, record, result, error);
    }
    (void)unlinkat(step->cache->building_fd, record, 0);
    free(record);
    return outcome;
}
