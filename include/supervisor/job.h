/* What the daemon tells the supervisor of an attempt (webhookd-vessel): descriptors by fixed
 * numbers, and a job. The job carries a version, because an upgraded daemon and supervisors of
 * the version before meet. */
#ifndef WEBHOOKD_SUPERVISOR_JOB_H
#define WEBHOOKD_SUPERVISOR_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

#define JOB_FORMAT 4

/* Descriptors that the supervisor is spawned with. 0 to 2 are /dev/null. The last two are absent
 * if there is nothing in them. */
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

/* Called with it, a supervisor only tries whether the job's sandbox can be built. It needs
 * JOB_FD_JOB and JOB_FD_WORKDIR; it exits with 0, or says on stdout why not. */
#define JOB_TRIAL_ARGUMENT "--try-sandbox"

/* What a supervisor is to do. Strings are never NULL. Owned by whoever made it (job_free frees
 * the contents). */
struct job {
    char *vessel_run_id;
    char *workdir;  /* absolute, as the vessel sees it: its cwd and HOME */
    bool is_strict; /* in a sandbox of its own; workdir is SANDBOX_HOME then */
    bool network; /* strict: keeps the machine's; else it has a loopback device and nothing more */
    char **readable, **writable; /* strict: further files and folders that it sees, absolute */
    size_t readable_count, writable_count;
    int64_t max_memory_bytes; /* strict; of each process */
    int64_t max_processes;    /* strict; of all together */
    int64_t max_open_files;   /* strict; of each process */

    /* Off mode, root changing to another user: the state folder, which that user may not enter. The
     * vessel gets a mount namespace of its own in which only workdir is found there. "" = leave the
     * mounts alone. */
    char *hidden_dir;

    char *interpreter; /* a path, or a name to be looked up in search_path */
    char *search_path; /* as in PATH; the vessel's own PATH does not decide what interprets it */

    /* Written to <workdir>/<vessel run id>.files/<file_name>, its folders made, mode 0700. */
    char *file_name;
    char *file_content;
    char *file_to_run; /* below the same folder; run as: interpreter <absolute path> arguments… */
    char **arguments;
    size_t argument_count;
    char **environment; /* "NAME=value", complete: nothing else is passed on */
    size_t environment_count;
    bool change_user;
    uint32_t uid, gid; /* with change_user */

    /* With change_user: the supplementary groups, all of them (getgrouplist(3)); none = gid alone.
     * The daemon looks them up: libc's name services would make the supervisor, which is linked
     * statically, slow to start. */
    uint32_t *groups;
    size_t group_count;
    char *user; /* its name, for messages */
    int32_t nice;
    int64_t cutoff_ms;     /* from the start of the interpreter; 0 = none */
    int64_t stop_grace_ms; /* between SIGTERM and SIGKILL */
    int64_t max_output_bytes;

    /* The supervisor's own: not written, not read. */
    bool has_headers, has_body; /* JOB_FD_HEADERS and JOB_FD_BODY were passed on */
    bool is_trial;              /* only the sandbox is built, nothing runs */
};

int job_write(const struct job *job, struct buffer *into);
/* ERROR_UNAVAILABLE: it is of another format, from a daemon that was not restarted since the
 * supervisor was installed. */
int job_read(const void *data, size_t bytes, struct job *job, struct error *error);
void job_free(struct job *job);

#endif
