/* What the daemon passes to the supervisor of an attempt (webhookd-vessel): descriptors with fixed
 * numbers, and a job. The job carries a version, because an upgraded supervisor may be spawned by a
 * daemon of the previous version. */
#ifndef WEBHOOKD_SUPERVISOR_JOB_H
#define WEBHOOKD_SUPERVISOR_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

#define JOB_FORMAT 5

/* Descriptors that the supervisor is spawned with. 0 to 2 are /dev/null; in a trial, 1 is a pipe
 * and 2 is the daemon's stderr. JOB_FD_HEADERS and JOB_FD_BODY are absent if they would be
 * empty. */
enum job_fd {
    JOB_FD_JOB = 3,     /* the job: a memfd, at its start */
    JOB_FD_LOCK = 4,    /* the record, read-only, with the flock */
    JOB_FD_RECORD = 5,  /* the record, for writing */
    JOB_FD_WORKDIR = 6, /* runs/<run id> */
    JOB_FD_OUTPUT = 7,  /* the output log, O_APPEND | O_WRONLY */
    /* The supervisor copies these, from their start, to <workdir>/<vessel run id>.webhook_headers
     * and <workdir>/<vessel run id>.webhook_body. */
    JOB_FD_HEADERS = 8,
    JOB_FD_BODY = 9,
    /* The file `ready` of the package environment that the vessel uses, with a shared flock, or
     * absent. The supervisor keeps it open: an environment in use is not removed. */
    JOB_FD_PACKAGES = 10,
    JOB_FDS /* one more than the last */
};

/* How a supervisor exits. After JOB_EXIT_SHORTAGE, _USAGE and _OTHER_FORMAT the attempt has neither
 * a result nor the mark of a start, so the daemon launches it again. */
enum job_exit {
    JOB_EXIT_DONE = 0,
    JOB_EXIT_SHORTAGE = 1,
    JOB_EXIT_USAGE = 2,        /* a person has started it */
    JOB_EXIT_OTHER_FORMAT = 3, /* the job has a format that it cannot read */
    JOB_EXIT_NO_RESULT = 4,    /* the attempt has ended, but its result cannot be written */
};

/* SIGTERM tells a supervisor to stop its vessel: SIGTERM, stop_grace, SIGKILL. If it is queued with
 * this value (sigqueue(3)), the supervisor kills the vessel immediately, and the ending is
 * ATTEMPT_OVER_DISK. It also kills a vessel that is being stopped; that ending stays. */
#define JOB_KILL 1

/* With this argument, a supervisor only tests whether the job's sandbox can be built, or, in off
 * mode, whether a vessel could be started. It needs JOB_FD_JOB and JOB_FD_WORKDIR. It exits with 0,
 * or writes to stdout why not. */
#define JOB_TRIAL_ARGUMENT "--try-sandbox"

/* What a supervisor is to do. Strings are never NULL. The creator owns it; job_free frees the
 * contents of one that job_read has filled. */
struct job {
    char *vessel_run_id;
    /* Absolute: the cwd. Off mode: where JOB_FD_WORKDIR is. Strict: where that folder is mounted;
     * for vessels that is SANDBOX_HOME. */
    char *workdir;
    bool is_strict; /* in a sandbox of its own */
    bool network;   /* strict: the machine's network; false = a loopback device and nothing else */
    /* Strict: further files and folders that it sees, absolute. */
    char **readable, **writable;
    size_t readable_count, writable_count;
    int64_t max_memory_bytes; /* strict; for each process */
    int64_t max_processes;    /* strict; for all together */
    int64_t max_open_files;   /* strict; for each process */

    /* Off mode, if root changes to another user: the state folder, which that user may not enter.
     * The vessel gets a mount namespace of its own, in which that folder contains nothing but
     * workdir. "" = the mounts stay as they are. */
    char *hidden_dir;

    char *interpreter; /* a path, or a name to look up in search_path */
    char *search_path; /* as in PATH; the vessel's own PATH does not decide what interprets it */

    /* Written to <workdir>/<vessel run id>.files/<file_name> with mode 0700; its folders are
     * created. */
    char *file_name;
    char *file_content;
    /* "" = none. Else <workdir>/<vessel run id>.files/node_modules is a link to this folder: Node
     * looks there for what a script imports. */
    char *modules_dir;
    /* In the same folder; run as: interpreter <absolute path> arguments… */
    char *file_to_run;
    char **arguments;
    size_t argument_count;
    char **environment; /* "NAME=value", complete: nothing else is passed on */
    size_t environment_count;
    bool change_user;
    uint32_t uid, gid; /* with change_user */

    /* With change_user: all supplementary groups (getgrouplist(3)); none = gid alone. The daemon
     * looks them up, because libc's name services would make the start of the statically linked
     * supervisor slow. */
    uint32_t *groups;
    size_t group_count;
    char *user; /* the user's name, for messages */
    int32_t nice;
    int64_t cutoff_ms;     /* from the start of the interpreter; 0 = none */
    int64_t stop_grace_ms; /* between SIGTERM and SIGKILL */
    int64_t max_output_bytes;

    /* The supervisor's own; not part of the written form. */
    bool has_headers, has_body; /* JOB_FD_HEADERS and JOB_FD_BODY were passed on */
    bool is_trial;              /* only the sandbox is built, nothing runs */
};

/* Appends the job's written form. Returns -1 if memory is short. */
int job_write(const struct job *job, struct buffer *into);
/* Fills *job, or leaves it empty and returns -1. ERROR_CONFLICT: the job has another format,
 * because the daemon has not been restarted since the supervisor was installed. */
int job_read(const void *data, size_t bytes, struct job *job, struct error *error);
void job_free(struct job *job);

#endif
