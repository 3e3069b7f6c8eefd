/* What the daemon and a vessel's supervisor (webhookd-vessel) tell each other: descriptors by fixed numbers, a job, and an
 * attempt's record. Both formats carry a version: an upgraded daemon meets the supervisors of the one before.
 *
 * The record is the file state_dir/attempts/<vessel run id>.<attempt>. It is flock()ed by the daemon before it spawns; supervisor (and, in a
 * sandbox, its pid 1) inherit that descriptor, so it is locked for as long as any of them lives. What happens is written into it where it has its
 * place, each in one write; not synced, as the store is the durable record:
 *
 *    0  "pid 12345"   the supervisor's, first of all; trusted only after pidfd_open and a look that the lock is held
 *   32  "started"     once the process that becomes the interpreter was let go
 *   64  the result    lines of a key, a space and a value
 *
 * One file, all of it in one block, because there is one for each attempt: making and removing a folder of four was a tenth of what an attempt
 * cost, and a result that needs no new block can be written to a full disk.
 */
#ifndef WEBHOOKD_BASE_RECORD_H
#define WEBHOOKD_BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

#define RECORD_FORMAT 1 /* of the exit record */
#define JOB_FORMAT    4

/* Descriptors that the supervisor is spawned with. 0 to 2 are /dev/null. The last two are absent if there is nothing in them. */
enum job_fd {
    JOB_FD_JOB = 3,     /* the job, a memfd at its start */
    JOB_FD_LOCK = 4,    /* the record, read-only, with the flock */
    JOB_FD_RECORD = 5,  /* the record, to be written */
    JOB_FD_WORKDIR = 6, /* runs/<run id> */
    JOB_FD_OUTPUT = 7,  /* the output log, O_APPEND | O_WRONLY */
    JOB_FD_HEADERS =
        8,           /* to be copied to <workdir>/<vessel run id>.webhook_headers, from its start */
    JOB_FD_BODY = 9, /* to be copied to <workdir>/<vessel run id>.webhook_body, from its start */
};

/* Called with it, a supervisor only tries whether the job's sandbox can be built, with JOB_FD_JOB and JOB_FD_WORKDIR: exits with 0, or says
 * on stdout why not. */
#define JOB_TRIAL_ARGUMENT "--try-sandbox"

/* What a supervisor is to do. Strings are never NULL. Owned by whoever made it (job_free frees the contents). */
struct job {
    char *vessel_run_id;
    char *workdir;  /* absolute, as the vessel sees it: its cwd and HOME */
    bool is_strict; /* in a sandbox of its own; workdir is SANDBOX_HOME then */
    bool network; /* strict: keeps the machine's; else it has a loopback device and nothing more */
    char **readable, **writable; /* strict: further files and folders that it sees, absolute */
    size_t readable_count, writable_count;
    int64_t max_memory_bytes, max_processes,
        max_open_files; /* strict: of each process; of all; of each process */
    char *
        hidden_dir; /* off mode, root changing to another user: the state folder, which that user may not enter. The vessel gets a mount
                           namespace of its own in which only workdir is found there. "" = leave the mounts alone */
    char *interpreter; /* a path, or a name to be looked up in search_path */
    char *search_path; /* as in PATH; the vessel's own PATH does not decide what interprets it */
    char *
        file_name; /* written to <workdir>/<vessel run id>.files/<file_name>, its folders made, mode 0700 */
    char *file_content;
    char *file_to_run; /* below the same folder; run as: interpreter <absolute path> arguments… */
    char **arguments;
    size_t argument_count;
    char **environment; /* "NAME=value", complete: nothing else is passed on */
    size_t environment_count;
    bool change_user;
    uint32_t uid, gid; /* with change_user */
    uint32_t *
        groups; /* and its supplementary groups, all of them (getgrouplist(3)). The daemon looks them up: libc's name services would
                           make the supervisor, which is linked statically, slow to start. None = gid alone */
    size_t group_count;
    char *user; /* its name, for messages */
    int32_t nice;
    int64_t cutoff_ms;     /* from the start of the interpreter; 0 = none */
    int64_t stop_grace_ms; /* between SIGTERM and SIGKILL */
    int64_t max_output_bytes;
};

int job_write(const struct job *job, struct buffer *into);
/* ERROR_UNAVAILABLE: it is of another format, from a daemon that was not restarted since the supervisor was installed. */
int job_read(const void *data, size_t bytes, struct job *job, struct error *error);
void job_free(struct job *job);

enum record_result {
    RECORD_EXITED, /* by itself, or by a signal that nobody here sent: exit_code, 128 + n for signal n */
    RECORD_CUTOFF,      /* ended by the supervisor at the cutoff */
    RECORD_STOPPED,     /* the supervisor was told to stop it */
    RECORD_NOT_STARTED, /* it could not be executed: exit_code is 127, reason says why */
};

struct record_exit {
    enum record_result result;
    int exit_code;                /* 0 to 255 */
    char reason[300];             /* "" if there is nothing to say */
    int64_t started_ms, ended_ms; /* wall clock; started_ms 0 if it never was */
    int64_t output_bytes;         /* in the log, without the line about the cut */
    bool output_cut;
};

/* "<vessel run id>.<attempt>". */
#define RECORD_NAME_BYTES 64
char *record_name(const char *vessel_run_id, int attempt, char name[RECORD_NAME_BYTES]);

/* A record for a new attempt, empty whatever there was: a descriptor, and in *lock_fd another one that holds the lock. -1, and no
 * descriptor, if a supervisor holds it (ERROR_CONFLICT) or it cannot be made. */
int record_take(int attempts_fd, const char *name, int *lock_fd, struct error *error);
/* To look at one. A descriptor, or -1 with errno. */
int record_open(int attempts_fd, const char *name);
/* 1 = someone else holds the lock, 0 = nobody does, -1 = it cannot be asked now. */
int record_lock_is_held(int job_fd);

int record_pid_write(int job_fd, pid_t pid, struct error *error);
/* The supervisor's pid, 0 if it has not been written yet, -1 if it makes no sense. */
pid_t record_pid_read(int job_fd);

int record_mark_started(int job_fd); /* 0 or -1 with errno; async-signal-safe */
/* 1 or 0; -1 if it cannot be read now. */
int record_has_started(int job_fd);

int record_exit_write(int job_fd, const struct record_exit *exit, struct error *error);
/* 1 = there and read, 0 = not there, -1 = damaged or of a format this program does not know (ERROR_INVALID), or not readable now. */
int record_exit_read(int job_fd, struct record_exit *exit, struct error *error);

#endif
