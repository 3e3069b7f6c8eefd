/* webhookd-vessel: the supervisor around one attempt of one vessel. The daemon spawns it with
 * descriptors that have fixed numbers (supervisor/job.h), an empty environment and a session of its
 * own; it outlives the daemon. One thread.
 *
 *     main ─► supervise ─┬─ child ─┬─ sandbox ─ rootfs  strict mode: namespaces, pid 1, the root
 *                        │         ├─ hide              off mode: the vessel's mounts
 *                        │         ├─ files             the vessel's files
 *                        │         └─ exec
 *                        ├─ output                      stdout and stderr into the log
 *                        └─ tree                        ends all of it
 *
 * Its start is part of the time from a POST to the vessel's first instruction, and there is one for
 * each attempt. Therefore it is linked statically and makes few system calls. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "supervisor/child.h"
#include "supervisor/job.h"
#include "supervisor/record.h"
#include "supervisor/output.h"
#include "supervisor/supervise.h"

#define JOB_LIMIT_BYTES ((off_t)256 * 1024 * 1024)

enum { NOT_STARTED_CODE = 127, WRITE_TRIES = 3 };

static bool may_be_absent(const struct job *job, int fd)
{
    if (job->is_trial)
        return fd != JOB_FD_JOB && fd != JOB_FD_WORKDIR;
    return fd == JOB_FD_HEADERS || fd == JOB_FD_BODY || fd == JOB_FD_PACKAGES;
}

/* Checks the inherited descriptors. Nothing may be opened before this: it would take the number of
 * a descriptor that is absent. */
static int take_descriptors(struct job *job, struct error *error)
{
    for (int fd = JOB_FD_JOB; fd < JOB_FDS; fd++) {
        bool is_there = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
        if (fd == JOB_FD_HEADERS)
            job->has_headers = is_there;
        if (fd == JOB_FD_BODY)
            job->has_body = is_there;
        if (!is_there && !may_be_absent(job, fd))
            error_set(error, ERROR_INVALID, "descriptor %d was not inherited", fd);
    }
    return error_is_set(error) ? -1 : 0;
}

/* Blocks all signals, so that none can end the supervisor in the middle of its work: not a broken
 * pipe, a terminal or a limit on file sizes. SIGTERM and SIGCHLD are read from a descriptor. The
 * daemon may have ignored SIGCHLD, and then no child could be reaped. */
static int take_signals(struct error *error)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t all;
    (void)sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) != 0 || sigaction(SIGCHLD, &action, NULL) != 0)
        return error_set_errno(error, errno, "cannot block signals");
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return error_set_errno(error, errno, "cannot become a subreaper");
    return 0;
}

static int read_job(struct job *job, struct error *error)
{
    struct stat status;
    if (fstat(JOB_FD_JOB, &status) != 0)
        return error_set_errno(error, errno, "cannot examine the job");
    if (status.st_size > JOB_LIMIT_BYTES)
        return error_set(error, ERROR_INVALID, "the job is longer than 256 MiB");
    size_t bytes = (size_t)status.st_size;
    char *data = malloc(bytes + 1);
    if (!data)
        return error_set(error, ERROR_UNAVAILABLE, "no memory for the job");
    int result = -1;
    ssize_t got = file_read_all(JOB_FD_JOB, data, bytes);
    if (got == (ssize_t)bytes) {
        const struct job passed_on = *job;
        result = job_read(data, bytes, job, error);
        job->has_headers = passed_on.has_headers;
        job->has_body = passed_on.has_body;
        job->is_trial = passed_on.is_trial;
    } else {
        error_set_errno(error, got < 0 ? errno : ENODATA, "cannot read the job");
    }
    free(data);
    return result;
}

static int set_up(struct job *job, struct error *error)
{
    if (take_signals(error) != 0 || record_pid_write(JOB_FD_RECORD, getpid(), error) != 0 ||
        read_job(job, error) != 0)
        return -1;
    /* Relative to the daemon's niceness. Without the right to lower it, the supervisor keeps the
     * present one. */
    int ignored = nice(job->nice);
    (void)ignored;
    return 0;
}

/* Writes the result: without it, webhookd could not know what happened. Tries once a second for as
 * long as the disk is full. Any other failure is given WRITE_TRIES tries; then webhookd records the
 * attempt as interrupted. Returns false in that case. */
static bool write_result(const struct attempt_result *result, struct output *output)
{
    for (int failures = 0;;) {
        struct error error = ERROR_INIT;
        if (output_finish(output) && record_write_result(JOB_FD_RECORD, result, &error) == 0)
            return true;
        if (error_is_set(&error) && !error_may_pass(&error) && ++failures == WRITE_TRIES)
            return false;
        const struct timespec pause = {.tv_sec = 1};
        (void)nanosleep(&pause, NULL);
    }
}

/* Tests whether vessels can be isolated and started, for webhookd's start, reload and
 * --check-config: goes as far as a job's interpreter would, and ends. Writes to stdout why that
 * failed. */
static int try_sandbox(void)
{
    struct job job = {.is_trial = true};
    struct error error = ERROR_INIT;
    if (take_descriptors(&job, &error) == 0 && take_signals(&error) == 0 &&
        read_job(&job, &error) == 0 && child_try(&job, &error) == 0) {
        job_free(&job);
        return EXIT_SUCCESS;
    }
    job_free(&job);
    (void)file_write_all(STDOUT_FILENO, error.message, strlen(error.message));
    return error.kind == ERROR_CONFLICT ? JOB_EXIT_OTHER_FORMAT : EXIT_FAILURE;
}

/* A person has started it, not webhookd. */
static int refuse_start(void)
{
    static const char text[] = "webhookd-vessel is started by webhookd; see webhookd(8)\n";
    (void)file_write_all(STDERR_FILENO, text, sizeof(text) - 1);
    return JOB_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    bool is_trial = argc == 2 && strcmp(argv[1], JOB_TRIAL_ARGUMENT) == 0;
    if ((argc > 1 && !is_trial) || fcntl(JOB_FD_JOB, F_GETFD) < 0)
        return refuse_start();
    if (is_trial)
        return try_sandbox();
    struct job job = {.has_body = false};
    struct error error = ERROR_INIT;
    struct attempt_result result = {.ending = ATTEMPT_NOT_STARTED, .exit_code = NOT_STARTED_CODE};
    struct output output;
    output_init(&output, INT64_MAX);

    /* A passing shortage before the vessel ran is not a result, nor is a daemon that has to be
     * restarted: an attempt that has neither a result nor the mark is launched again. */
    if (take_descriptors(&job, &error) != 0 || set_up(&job, &error) != 0) {
        if (error.kind == ERROR_CONFLICT)
            return JOB_EXIT_OTHER_FORMAT;
        if (error_may_pass(&error))
            return JOB_EXIT_SHORTAGE;
        attempt_result_set_reason(&result, error.message);
    } else {
        output_init(&output, job.max_output_bytes);
        if (!supervise(&job, &output, &result))
            return JOB_EXIT_SHORTAGE;
    }
    if (result.ending == ATTEMPT_NOT_STARTED)
        output_say(&output, result.reason);
    result.output_bytes = output.written_bytes;
    result.output_cut = output.cut;
    result.ended_ms = clock_wall_ms();
    bool is_written = write_result(&result, &output);
    job_free(&job);
    return is_written ? JOB_EXIT_DONE : JOB_EXIT_NO_RESULT;
}
