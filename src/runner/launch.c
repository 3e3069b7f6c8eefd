/* Folders, descriptors and the supervisor's process of an attempt. Called by runner/attempt on the
 * runner's thread; launch_make_workdir also by trial_folder.c on its caller's. Everything is
 * created relative to descriptors of the state folder. Data that only the supervisor reads (job,
 * headers, a small body) goes into memory files, never into argv or onto the disk. */
#include "runner/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "supervisor/allow_list.h"
#include "supervisor/spawn.h"
#include "runner/blueprints.h"
#include "runner/environment.h"
#include "runner/isolation.h"
#include "runner/job_packages.h"
#include "runner/settings.h"
#include "runner/vessel_packages.h"
#include "runner/vessel_values.h"

/* Takes ownership of the descriptor and moves it out of the way of the numbers that spawning will
 * use. */
static int place(struct attempt *attempt, enum job_fd number, int fd, struct error *error)
{
    attempt->fds[number] = file_move_up(fd, SPAWN_FIRST_FD, error);
    return attempt->fds[number] < 0 ? -1 : 0;
}

static const struct definition_vessel *definition_of(const struct attempt *attempt)
{
    return &attempt->vessel->run->definition->vessels[attempt->vessel->index];
}

/* ---- folders ---- */

static const struct isolation *isolation_of(const struct attempt *attempt)
{
    const struct run *run = attempt->vessel->run;
    return runner_settings_isolation(run->runner->settings, run->work->org_name,
                                     run->work->project_name, run->work->fleet_name);
}

int launch_make_workdir(int runs_fd, const char *name, const struct vessel_user *user,
                        struct error *error)
{
    int fd = file_open_folder(runs_fd, name, 0700, error);
    if (fd < 0 || !user->change || fchown(fd, user->uid, user->gid) == 0)
        return fd;
    error_set_errno(error, errno, "cannot give the working folder runs/%s to user \"%s\"", name,
                    user->name);
    close(fd);
    return -1;
}

static int make_workdir(struct attempt *attempt, struct error *error)
{
    const struct run *run = attempt->vessel->run;
    char name[ID_TEXT_BYTES];
    int fd = launch_make_workdir(run->runner->runs_fd, id_format(&run->work->ids.run_id, name),
                                 &isolation_of(attempt)->user, error);
    return fd < 0 ? -1 : place(attempt, JOB_FD_WORKDIR, fd, error);
}

/* Creates the record and takes its lock, which the daemon holds until the supervisor has it. If a
 * supervisor holds the lock, this fails, and nothing that belongs to that supervisor has been
 * touched. */
static int make_record(struct attempt *attempt, struct error *error)
{
    int lock_fd;
    int fd = record_take(attempt->vessel->run->runner->attempts_fd, attempt->name, &lock_fd, error);
    if (fd < 0)
        return -1;
    int result = place(attempt, JOB_FD_RECORD, fd, error);
    return place(attempt, JOB_FD_LOCK, lock_fd, error) != 0 ? -1 : result;
}

/* Creates the log. There is a folder of logs for each day. The day is the one in the vessel run's
 * id, so the id alone tells where a log is. */
static int make_log(struct attempt *attempt, struct error *error)
{
    const struct run *run = attempt->vessel->run;
    char day[CLOCK_TEXT_BYTES];
    clock_format_day(id_time_ms(&run->vessel_run_ids[attempt->vessel->index]), day);
    int folder = file_open_folder(run->runner->logs_fd, day, 0700, error);
    if (folder < 0)
        return -1;
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(folder, attempt->name, flags, 0600);
    /* The lock of the record is taken. So the log of an earlier try is empty, because nothing
     * ran. */
    if (fd < 0 && errno == EEXIST && unlinkat(folder, attempt->name, 0) == 0)
        fd = openat(folder, attempt->name, flags, 0600);
    int errnum = errno;
    close(folder);
    if (fd < 0)
        return error_set_errno(error, errnum, "cannot create logs/%s/%s", day, attempt->name);
    return place(attempt, JOB_FD_OUTPUT, fd, error);
}

/* ---- what the supervisor reads ---- */

#define JOB_NUMBER_BYTES 8           /* before each text */
#define JOB_REST_BYTES   (64 * 1024) /* for what a job has besides its longest parts */

static int make_memory_file(struct attempt *attempt, enum job_fd number, const void *data,
                            size_t bytes, struct error *error)
{
    int fd = file_in_memory(data, bytes, error);
    return fd < 0 ? -1 : place(attempt, number, fd, error);
}

static int make_headers(struct attempt *attempt, struct error *error)
{
    const struct run_work *work = attempt->vessel->run->work;
    if (work->headers_bytes == 0 ||
        (work->headers_bytes == 2 && memcmp(work->headers_json, "{}", 2) == 0))
        return 0;
    return make_memory_file(attempt, JOB_FD_HEADERS, work->headers_json, work->headers_bytes,
                            error);
}

/* Does not use spool_open, because errno decides whether a later try can help. */
static int open_spooled(struct attempt *attempt, struct error *error)
{
    const struct run *run = attempt->vessel->run;
    char id[ID_TEXT_BYTES];
    char *path = memory_format("spool/%s", id_format(&run->work->request_id, id));
    int fd = openat(run->runner->options.state_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int errnum = errno;
    free(path);
    if (fd >= 0)
        return place(attempt, JOB_FD_BODY, fd, error);
    if (errnum == ENOENT)
        return error_set(error, ERROR_NOT_FOUND, "the body is gone from the spool folder");
    return error_set_errno(error, errnum, "cannot open the spooled body %s", id);
}

static int make_body(struct attempt *attempt, struct error *error)
{
    const struct run_work *work = attempt->vessel->run->work;
    if (work->body_bytes == 0)
        return 0;
    switch (work->body_place) {
    case BODY_NONE:
    case BODY_ABSENT:
        return 0;
    case BODY_INLINE:
        return make_memory_file(attempt, JOB_FD_BODY, work->body, (size_t)work->body_bytes, error);
    case BODY_SPOOLED:
        return open_spooled(attempt, error);
    }
    return 0;
}

/* ---- packages ---- */

/* Writes an attempt's log that holds the end of the installation's. */
static void show_installation(struct attempt *attempt)
{
    struct error ignored = ERROR_INIT; /* the reason is known without it */
    if (make_record(attempt, &ignored) == 0 && make_log(attempt, &ignored) == 0)
        vessel_packages_copy_log(attempt->vessel, attempt->fds[JOB_FD_OUTPUT]);
}

/* The supervisor keeps the environment's lock until its vessel has ended. */
static int use_packages(struct attempt *attempt, struct installer_use *use, struct error *error)
{
    if (vessel_packages_use(attempt->vessel, use, error) == 0)
        return use->lock_fd < 0 ? 0 : place(attempt, JOB_FD_PACKAGES, use->lock_fd, error);
    if (vessel_packages_have_failed(attempt->vessel))
        show_installation(attempt);
    return -1;
}

/* ---- the job ---- */

static char *interpreter_of(const struct config *config, enum vessel_language language)
{
    switch (language) {
    case LANGUAGE_BASH:
        return config->runner.bash;
    case LANGUAGE_PYTHON:
        return config->runner.python;
    case LANGUAGE_NODE:
        return config->runner.node;
    }
    return config->runner.bash;
}

/* The parts of which a job is made; all borrowed. */
struct parts {
    const struct vessel_code *code;
    const struct vessel_values *values;
    const struct installer_use *packages;
};

/* Fills in the job. Borrows everything but the environment, the id, the working folder's path and
 * what the packages add, which job_fini frees. */
static void job_init(struct job *job, const struct attempt *attempt, const struct parts *parts)
{
    const struct run *run = attempt->vessel->run;
    const struct runner *runner = run->runner;
    const struct config *config = runner->settings->config;
    const struct isolation *isolation = isolation_of(attempt);
    size_t index = attempt->vessel->index;
    const struct definition_vessel *vessel = parts->code->vessel;
    const struct vessel_values *values = parts->values;
    char *packages = parts->packages->path;
    static char nothing[] = "";
    char text[ID_TEXT_BYTES];
    *job = (struct job){
        .vessel_run_id = memory_string(id_format(&run->vessel_run_ids[index], text)),
        .workdir = isolation->is_strict ? memory_string(SANDBOX_HOME)
                                        : memory_format("%s/runs/%s", runner->state_path,
                                                        id_format(&run->work->ids.run_id, text)),
        .hidden_dir =
            isolation->user.change && !isolation->is_strict ? runner->state_path : nothing,
        .interpreter = interpreter_of(config, vessel->language),
        .search_path = config->runner.path,
        .file_name = vessel->file_name,
        .file_content = vessel->file_content,
        .file_to_run = values->file_to_run,
        .arguments = values->arguments,
        .argument_count = values->argument_count,
        .nice = (int32_t)config->runner.nice,
        .cutoff_ms = run->definition->vessels[index].guardrails.cutoff_ms,
        .stop_grace_ms = config->runner.stop_grace_ms,
        .max_output_bytes = config->runner.max_output_bytes,
    };
    isolation_describe(runner->settings, isolation, job);
    job_packages_add(job, packages, vessel->language);
    struct environment_input input = {
        .work = run->work,
        .definition = run->definition,
        .vessel = index,
        .blueprint = parts->code->blueprint,
        .vessel_run_ids = run->vessel_run_ids,
        .attempt = attempt->number,
        .run_started_ms = run->started_ms,
        .vessel_started_ms = attempt->vessel->started_ms,
        .workdir = job->workdir,
        .user = isolation->is_strict ? SANDBOX_USER : isolation->user.name,
        .path = config->runner.path,
        .packages = packages,
        .time_zone = runner->settings->time_zone,
        .own = values->environment,
        .own_count = values->environment_count,
    };
    job->environment = environment_make(&input, &job->environment_count);
}

static void job_fini(struct job *job, const struct parts *parts)
{
    const struct vessel_values *values = parts->values;
    job_packages_remove(job, parts->packages->path, parts->code->vessel->language);
    for (size_t i = 0; i < job->environment_count; i++) {
        if (values->are_secret)
            secret_wipe(job->environment[i], strlen(job->environment[i]));
        free(job->environment[i]);
    }
    free(job->environment);
    free(job->workdir);
    free(job->vessel_run_id);
}

/* Makes room for the whole job, so that no copy of a secret stays behind when the buffer grows. */
static void reserve(struct buffer *buffer, const struct job *job)
{
    size_t bytes = JOB_REST_BYTES + strlen(job->file_content);
    for (size_t i = 0; i < job->argument_count; i++)
        bytes += JOB_NUMBER_BYTES + strlen(job->arguments[i]);
    for (size_t i = 0; i < job->environment_count; i++)
        bytes += JOB_NUMBER_BYTES + strlen(job->environment[i]);
    (void)buffer_reserve(buffer, bytes);
}

static int write_job(struct attempt *attempt, const struct parts *parts, struct error *error)
{
    struct job job;
    struct buffer buffer = BUFFER_INIT;
    bool is_secret = parts->values->are_secret;
    job_init(&job, attempt, parts);
    if (is_secret)
        reserve(&buffer, &job);
    int result;
    if (job_write(&job, &buffer) != 0)
        result = error_set(error, ERROR_UNAVAILABLE, "no memory for the job of an attempt");
    else
        result = make_memory_file(attempt, JOB_FD_JOB, buffer.data, buffer.bytes, error);
    if (is_secret)
        buffer_wipe(&buffer);
    buffer_free(&buffer);
    job_fini(&job, parts);
    return result;
}

static int make_job_of(struct attempt *attempt, const struct vessel_code *code,
                       const struct installer_use *packages, struct error *error)
{
    struct vessel_values values;
    if (vessel_values_open(attempt->vessel->run, definition_of(attempt), code, &values, error) != 0)
        return -1;
    const struct parts parts = {code, &values, packages};
    int result = write_job(attempt, &parts, error);
    vessel_values_free(&values);
    return result;
}

static int make_job(struct attempt *attempt, struct error *error)
{
    struct vessel_code code;
    struct installer_use packages = {.lock_fd = -1};
    int result = blueprints_open(attempt->vessel->run, attempt->vessel->index, &code, error);
    if (result == 0)
        result = use_packages(attempt, &packages, error);
    if (result == 0)
        result = make_job_of(attempt, &code, &packages, error);
    free(packages.path);
    blueprints_close(&code);
    return result;
}

/* ---- the whole ---- */

int launch_prepare(struct attempt *attempt, struct error *error)
{
    if (attempt->is_prepared)
        return 0;
    if (make_workdir(attempt, error) == 0 && make_body(attempt, error) == 0 &&
        make_headers(attempt, error) == 0 && make_job(attempt, error) == 0 &&
        make_record(attempt, error) == 0 && make_log(attempt, error) == 0) {
        attempt->is_prepared = true;
        return 0;
    }
    launch_close(attempt);
    return -1;
}

void launch_close(struct attempt *attempt)
{
    for (int i = 0; i < JOB_FDS; i++) {
        if (attempt->fds[i] >= 0)
            close(attempt->fds[i]);
        attempt->fds[i] = -1;
    }
    attempt->is_prepared = false;
}

int64_t launch_log_bytes(const struct attempt *attempt)
{
    const struct run *run = attempt->vessel->run;
    char day[CLOCK_TEXT_BYTES];
    clock_format_day(id_time_ms(&run->vessel_run_ids[attempt->vessel->index]), day);
    char *path = memory_format("%s/%s", day, attempt->name);
    struct stat status;
    int result = fstatat(run->runner->logs_fd, path, &status, AT_SYMLINK_NOFOLLOW);
    free(path);
    return result == 0 ? (int64_t)status.st_size : 0;
}

/* ---- the supervisor ---- */

int launch_spawn(struct attempt *attempt, struct error *error)
{
    const char *path = attempt->vessel->run->runner->supervisor_path;
    return spawn_supervisor(path, attempt->fds, &attempt->pid, error);
}
