/* From fork to exec. The functions under "the supervisor's side" run in the supervisor; all others
 * run in the forked process until it is the interpreter. In strict mode those are two processes:
 * pid 1 of the sandbox prepares, and forks the one that waits to be released.
 *
 * The order matters. What takes time (mounts, files) comes before the supervisor's byte. The mark
 * is written after the byte and right before the point of no return, because an attempt without the
 * mark is run again. In off mode the process takes on the vessel's user twice: first only as its
 * effective user, to place the files with no more rights than the vessel has, while other processes
 * of that user can neither signal nor trace this one; and for good after the mark. Each change of
 * user makes the kernel forget the death signal, so it is set again. */
#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/keyring.h"
#include "base/memory.h"
#include "supervisor/files.h"
#include "supervisor/record.h"
#include "supervisor/sandbox.h"
#include "supervisor/hide.h"

enum { NOT_STARTED_CODE = 127 };

static void die_with(pid_t supervisor)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != supervisor)
        _exit(NOT_STARTED_CODE); /* the supervisor died before the signal was set */
}

/* ---- the vessel's user ---- */

static int cannot_become(const struct job *job, struct error *error)
{
    return error_set_errno(error, errno, "cannot become user \"%s\" (%u)", job->user, job->uid);
}

/* From here on, created files belong to the vessel's user, and only what that user may do
 * succeeds. */
static int put_on_user(const struct job *job, struct error *error)
{
    const gid_t own_group = job->gid;
    const gid_t *groups = job->group_count > 0 ? job->groups : &own_group;
    if (fchown(JOB_FD_WORKDIR, job->uid, job->gid) != 0 || fchmod(JOB_FD_WORKDIR, 0700) != 0)
        return error_set_errno(error, errno, "cannot give the working folder to user \"%s\"",
                               job->user);
    if (setgroups(job->group_count > 0 ? job->group_count : 1, groups) != 0 ||
        setegid(job->gid) != 0 || seteuid(job->uid) != 0)
        return cannot_become(job, error);
    return 0;
}

static int take_off_user(uid_t uid, gid_t gid, const struct job *job, struct error *error)
{
    if (seteuid(uid) != 0 || setegid(gid) != 0)
        return cannot_become(job, error);
    return 0;
}

static int become_user(const struct job *job, struct error *error)
{
    /* Capabilities that a service manager gave to an unprivileged daemon are not for vessels. */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (!job->change_user)
        return 0;
    if (setresgid(job->gid, job->gid, job->gid) != 0 ||
        setresuid(job->uid, job->uid, job->uid) != 0)
        return cannot_become(job, error);
    return 0;
}

/* ---- before its release ---- */

/* In a sandbox the vessel's files are placed from inside: no other process and no other place is in
 * reach. The death signal is set after the last change of user. If the supervisor died before that,
 * the talk socket ends instead of yielding a byte. */
static int prepare_strict(const struct job *job, struct error *error)
{
    if (sandbox_enter(job, error) != 0)
        return -1;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return error_set_errno(error, errno, "cannot set the parent-death signal");
    return job->is_trial ? 0 : files_place(job, error);
}

/* The keyring is created while the real user is still the daemon's. If that is root, the keyring
 * counts against root's large quota: a vessel that uses up the quota of the vessels' user does not
 * keep others from starting. A trial creates none, because room for one may be short for the
 * moment. */
static int prepare(const struct job *job, struct error *error)
{
    if (!job->is_trial && keyring_leave_session(error) != 0)
        return -1;
    if (job->hidden_dir[0] != '\0' && hide_state_dir(job, error) != 0)
        return -1;
    if (!job->change_user)
        return files_place(job, error);
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (put_on_user(job, error) != 0 || files_place(job, error) != 0)
        return -1;
    return take_off_user(uid, gid, job, error);
}

/* ---- becoming the interpreter ---- */

static bool may_be_elsewhere(int errnum)
{
    return errnum == ENOENT || errnum == ENOTDIR || errnum == EACCES || errnum == ELOOP ||
           errnum == ENAMETOOLONG;
}

/* The command to be executed. It is prepared before the limits take effect, so that nothing is
 * allocated under them. */
struct command {
    char **argv;
    char **files; /* to be tried in order; ends with NULL */
};

/* Searches like a shell, except that an empty element does not mean the current folder, which
 * contains data that the sender of the request chose. */
static char **list_files(const struct job *job)
{
    size_t most = 2, count = 0;
    for (const char *at = job->search_path; *at != '\0'; at++)
        most += *at == ':';
    char **files = memory_alloc((most + 1) * sizeof(*files));
    if (strchr(job->interpreter, '/')) {
        files[0] = job->interpreter;
        return files;
    }
    for (const char *at = job->search_path; *at != '\0';) {
        size_t chars = strcspn(at, ":");
        if (chars > 0)
            files[count++] = memory_format("%.*s/%s", (int)chars, at, job->interpreter);
        at += chars + (at[chars] == ':' ? 1 : 0);
    }
    return files;
}

/* The process executes or exits, so nothing of it is freed. */
static void command_init(struct command *command, const struct job *job)
{
    command->argv = memory_alloc((job->argument_count + 3) * sizeof(*command->argv));
    command->argv[0] = job->interpreter;
    command->argv[1] = files_script_path(job);
    for (size_t i = 0; i < job->argument_count; i++)
        command->argv[2 + i] = job->arguments[i];
    command->files = list_files(job);
}

/* Returns only on failure. */
static void exec_command(const struct command *command, const struct job *job, struct error *error)
{
    bool is_path = strchr(job->interpreter, '/');
    int failure = ENOENT;
    for (char **file = command->files; *file; file++) {
        execve(*file, command->argv, job->environment);
        if (is_path || !may_be_elsewhere(errno)) {
            error_set_errno(error, errno, "cannot execute \"%s\"", *file);
            return;
        }
        if (errno != ENOENT && errno != ENOTDIR)
            failure = errno;
    }
    error_set(error, ERROR_NOT_FOUND, "cannot execute \"%s\": %s in %s", job->interpreter,
              kernel_error_text(failure), job->search_path);
}

/* Ignored signals stay ignored across an exec, and the daemon's dispositions are not for the
 * vessel. */
static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &action, NULL); /* fails for SIGKILL, SIGSTOP and libc's own */
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The working folder is found by path, as the vessel's user, in the mounts that the vessel will
 * see. */
static int enter_workdir(const struct job *job, struct error *error)
{
    if (chdir(job->workdir) == 0)
        return 0;
    return error_set_errno(error, errno, "cannot enter the working folder \"%s\"", job->workdir);
}

/* Sets cwd and output. */
static int settle(const struct job *job, int output_fd, struct error *error)
{
    if (enter_workdir(job, error) != 0)
        return -1;
    if (dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0)
        return error_set_errno(error, errno, "cannot redirect stdout and stderr");
    /* webhookd's descriptors are close-on-exec from their creation; this is for any that the daemon
     * forgot. */
    (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    return 0;
}

/* What the forked process needs to know about the supervisor. */
struct line {
    pid_t supervisor;
    int talk_fd, output_fd;
    atomic_uint *leftovers; /* as in struct child */
};

/* Returns true at the supervisor's byte, false at the end of the stream. Every signal is blocked,
 * so read never fails with EINTR. */
static bool await_byte(const struct line *line)
{
    char byte;
    return read(line->talk_fd, &byte, 1) == 1;
}

/* In off mode a trial ends here, after the last step before the interpreter that can fail. */
static int end_trial(const struct job *job, struct error *error)
{
    if (become_user(job, error) == 0)
        (void)enter_workdir(job, error);
    return -1;
}

/* Returns 0 in the process that is to become the interpreter. Any other result means that this
 * process ends here, with or without an error. A trial ends here, once it has tried everything that
 * the kernel may forbid. */
static int get_ready(const struct job *job, const struct line *line, struct error *error)
{
    (void)setsid(); /* a session and process group of its own */
    (void)umask(022);
    if (!job->is_strict) {
        die_with(line->supervisor);
        if (prepare(job, error) != 0)
            return -1;
        die_with(line->supervisor);
        return job->is_trial ? end_trial(job, error) : 0;
    }
    if (!await_byte(line) || prepare_strict(job, error) != 0)
        return -1;
    if (job->is_trial) {
        (void)sandbox_lock(job, error);
        return -1;
    }
    if (sandbox_fork_main(line->leftovers, error) != 0)
        return -1;
    (void)setsid();
    return 0;
}

static int take_on(const struct line *line, const struct job *job, struct error *error)
{
    if (job->is_strict)
        return sandbox_lock(job, error);
    if (become_user(job, error) != 0)
        return -1;
    die_with(line->supervisor);
    return 0;
}

static void run(const struct job *job, const struct line *line, struct error *error)
{
    struct command command;
    if (get_ready(job, line, error) != 0)
        return;
    command_init(&command, job);
    if (!await_byte(line))
        return;
    if (record_mark_started(JOB_FD_RECORD) != 0) {
        error_set_errno(error, errno, "cannot mark the attempt as started");
        return;
    }
    /* From here on the attempt counts as started, and an error as its end. */
    if (take_on(line, job, error) == 0) {
        if (settle(job, line->output_fd, error) == 0) {
            reset_signals();
            exec_command(&command, job, error);
        }
    }
    if (error_may_pass(error))
        error->kind = ERROR_INTERNAL;
}

/* Sends the error in one piece, so that it is read in one. A supervisor that is gone is not an
 * error here. */
static void send_report(int talk_fd, const struct error *why)
{
    if (error_is_set(why))
        (void)send(talk_fd, why, sizeof(*why), MSG_NOSIGNAL);
}

/* ---- the supervisor's side ---- */

static pid_t fork_child(const struct job *job, struct error *error)
{
    if (job->is_strict)
        return sandbox_fork(job, error);
    pid_t pid = fork();
    if (pid < 0)
        error_set_errno(error, errno, "cannot fork");
    return pid;
}

/* The vessel's user must own the pipe: opening /dev/stdout or /dev/stderr opens it anew, with the
 * rights of the process that does so. */
static int make_output(const struct job *job, int output[2], struct error *error)
{
    if (pipe2(output, O_CLOEXEC) != 0)
        return error_set_errno(error, errno, "cannot create a pipe");
    if (!job->change_user || fchown(output[1], job->uid, job->gid) == 0)
        return 0;
    error_set_errno(error, errno, "cannot give the output pipe to user \"%s\"", job->user);
    close(output[0]);
    close(output[1]);
    return -1;
}

/* Strict mode only. pid 1 may keep no descriptor, so it reports through memory. */
static int share_memory(const struct job *job, atomic_uint **leftovers, struct error *error)
{
    *leftovers = NULL;
    if (!job->is_strict)
        return 0;
    void *memory =
        mmap(NULL, sizeof(**leftovers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return error_set_errno(error, errno, "cannot share memory with the sandbox");
    *leftovers = memory; /* all zero; unmapped by the exit of the process */
    return 0;
}

/* Strict mode only: the working folder must belong to the vessel's user before the child enters it.
 * In off mode the child changes the owner itself (put_on_user). */
static int hand_over_workdir(const struct job *job, struct error *error)
{
    if (job->is_trial || !job->is_strict || !job->change_user)
        return 0;
    if (fchown(JOB_FD_WORKDIR, job->uid, job->gid) != 0 || fchmod(JOB_FD_WORKDIR, 0700) != 0)
        return error_set_errno(error, errno, "cannot give the working folder to user \"%s\"",
                               job->user);
    return 0;
}

static void end_child(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

int child_start(const struct job *job, struct child *child, struct error *error)
{
    int talk[2], output[2];
    atomic_uint *leftovers;
    if (hand_over_workdir(job, error) != 0 || share_memory(job, &leftovers, error) != 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) != 0)
        return error_set_errno(error, errno, "cannot create a socket pair");
    if (make_output(job, output, error) != 0)
        goto no_pipe;
    struct line line = {getpid(), talk[1], output[1], leftovers};
    pid_t pid = fork_child(job, error);
    if (pid < 0)
        goto no_child;
    if (pid == 0) {
        struct error why = ERROR_INIT;
        close(talk[0]); /* else it would never see the end of the stream */
        run(job, &line, &why);
        send_report(talk[1], &why);
        _exit(job->is_trial && !error_is_set(&why) ? 0 : NOT_STARTED_CODE);
    }
    *child = (struct child){
        .pid = pid, .talk_fd = talk[0], .output_fd = output[0], .leftovers = leftovers};
    if (job->is_strict) {
        if (sandbox_map(pid, job, error) != 0) {
            end_child(pid);
            goto no_child;
        }
        child_let_go(child); /* from its wait for sandbox_map */
    }
    close(talk[1]);
    close(output[1]);
    return 0;

no_child:
    close(output[0]);
    close(output[1]);
no_pipe:
    close(talk[0]);
    close(talk[1]);
    return -1;
}

int child_try(const struct job *job, struct error *error)
{
    struct child child;
    if (child_start(job, &child, error) != 0)
        return -1;
    child_read_report(&child, error);
    int status = 0;
    (void)waitpid(child.pid, &status, 0);
    if (!error_is_set(error) && status != 0)
        error_set(error, ERROR_INTERNAL, "the process that builds the sandbox was killed");
    return error_is_set(error) ? -1 : 0;
}

void child_let_go(const struct child *child)
{
    (void)send(child->talk_fd, "", 1, MSG_NOSIGNAL);
}

/* A connection reset is the end of the stream as well: the process died before it had read its
 * byte. */
void child_read_report(const struct child *child, struct error *why)
{
    if (recv(child->talk_fd, why, sizeof(*why), MSG_WAITALL) != (ssize_t)sizeof(*why))
        error_clear(why);
}
