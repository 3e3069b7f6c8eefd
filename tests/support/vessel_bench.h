/* webhookd-vessel as the daemon starts it: a job in a memory file, descriptors 3 to 10, a session
 * of its own, no environment. The program is $BUILD/webhookd-vessel. Each function fails the
 * running test if it cannot do its work.
 *
 * Named pipes in the working folder show how far a vessel has come. Each of the vessel's processes
 * holds such a pipe open, so its end of file shows that all of them are gone. */
#ifndef WEBHOOKD_TESTS_SUPPORT_VESSEL_BENCH_H
#define WEBHOOKD_TESTS_SUPPORT_VESSEL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "supervisor/job.h"
#include "supervisor/record.h"

#define BENCH_ID   "0198c0de-0000-7000-8000-000000000001"
#define BENCH_PATH "/usr/local/bin:/usr/bin:/bin"

enum { BENCH_FDS = JOB_FDS };

struct bench {
    char *path;    /* a temporary folder in place of the state folder: attempt/, runs/r/, log */
    char *workdir; /* runs/r */
    struct job job;
    int folder_fd, workdir_fd;  /* attempt/, runs/r/ */
    int record_fd;              /* attempt/r.1, for the test to read */
    const char *headers, *body; /* NULL: none */
    size_t body_bytes;
    pid_t pid; /* the supervisor's */
    struct attempt_result exit;
    struct buffer output;
};

/* Prepares a job that runs the script with bash. */
void bench_open(struct bench *bench, const char *script);
void bench_close(struct bench *bench);
void bench_set_script(struct bench *bench, const char *script);
/* Returns path/name. Free it. */
char *bench_below(const struct bench *bench, const char *name);
/* Reopens attempt/ after something else was mounted there. */
void bench_reopen(struct bench *bench);
void bench_make_folder(const char *path);
int bench_open_folder(const char *path);

/* Creates the descriptors, indexed by enum job_fd; -1 = absent. All have numbers far above those of
 * the enum. */
void bench_make_fds(const struct bench *bench, int fds[BENCH_FDS]);
void bench_close_fds(const int fds[BENCH_FDS]);
int bench_memory_file(const void *data, size_t bytes);
/* Free it. */
char *bench_supervisor_path(void);
void bench_spawn_with(struct bench *bench, const int fds[BENCH_FDS]);

void bench_start(struct bench *bench);
/* Waits for the supervisor's end, then fills exit and output. */
void bench_wait(struct bench *bench);
/* Starts it and waits. */
void bench_run(struct bench *bench);
/* Removes the last attempt's log, so that another attempt can run. */
void bench_forget(struct bench *bench);

void bench_check_output(struct bench *bench, const char *expected);
void bench_check_result(const struct bench *bench, enum attempt_ending result, int exit_code);

/* Named pipes in the working folder. */
void bench_make_pipe(const struct bench *bench, const char *name);
/* Waits until a process has the pipe open for writing. Returns a descriptor for reading. */
int bench_await_writer(const struct bench *bench, const char *name);
void bench_await_byte(int fd);
/* Reads to the end of the pipe. */
void bench_await_no_writer(int fd);
bool bench_has_no_writer(int fd);
/* Releases the processes that wait to read from the pipe. */
void bench_let_pass(const struct bench *bench, const char *name);

#endif
