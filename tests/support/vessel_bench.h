/* webhookd-vessel as the daemon starts it: a job in a memory file, descriptors 3 to 9, a session of its own, no environment. The
 * program is $BUILD/webhookd-vessel. Everything here fails the running test when it fails.
 *
 * That a vessel has come to a point is awaited by named pipes in its working folder; that all of its processes are gone shows in
 * the end of such a pipe, which each of them holds. */
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

enum { BENCH_FDS = JOB_FD_BODY + 1 };

struct bench {
    char *path;    /* a temporary folder that plays the state folder: attempt/, runs/r/, log */
    char *workdir; /* runs/r */
    struct job job;
    int folder_fd, workdir_fd;  /* attempt/, runs/r/ */
    int record_fd;              /* attempt/r.1, to look at */
    const char *headers, *body; /* NULL: none */
    size_t body_bytes;
    pid_t pid; /* the supervisor's */
    struct attempt_result exit;
    struct buffer output;
};

void bench_open(struct bench *bench, const char *script); /* a job that runs it with bash */
void bench_close(struct bench *bench);
void bench_set_script(struct bench *bench, const char *script);
char *bench_below(const struct bench *bench, const char *name); /* path/name, allocated */
void bench_reopen(struct bench *bench); /* attempt/, where something else is mounted now */
void bench_make_folder(const char *path);
int bench_open_folder(const char *path);

/* The descriptors by their enum job_fd numbers, -1 for absent; all far above these numbers. */
void bench_make_fds(const struct bench *bench, int fds[BENCH_FDS]);
void bench_close_fds(const int fds[BENCH_FDS]);
int bench_memory_file(const void *data, size_t bytes);
char *bench_supervisor_path(void); /* allocated */
void bench_spawn_with(struct bench *bench, const int fds[BENCH_FDS]);

void bench_start(struct bench *bench);
void bench_wait(struct bench *bench);   /* to its end; then exit and output are filled */
void bench_run(struct bench *bench);    /* both */
void bench_forget(struct bench *bench); /* the last attempt, for another */

void bench_check_output(struct bench *bench, const char *expected);
void bench_check_result(const struct bench *bench, enum attempt_ending result, int exit_code);

/* Named pipes in the working folder. */
void bench_make_pipe(const struct bench *bench, const char *name);
int bench_await_writer(const struct bench *bench,
                       const char *name); /* until a process has it open for writing */
void bench_await_byte(int fd);
void bench_await_no_writer(int fd); /* reads to the end */
bool bench_has_no_writer(int fd);
void bench_let_pass(const struct bench *bench,
                    const char *name); /* whoever waits to read from it */

#endif
