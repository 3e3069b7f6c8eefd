/* See supervisor/spawn.h. Called by runner/launch on the runner's thread, and by packages/step on
 * those of the installer. */
#include "supervisor/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "base/kernel.h"

static int fill_actions(const int fds[JOB_FDS], posix_spawn_file_actions_t *actions)
{
    int failure = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);
    for (int to = 1; to <= 2 && failure == 0; to++)
        failure = posix_spawn_file_actions_adddup2(actions, 0, to);
    for (int to = JOB_FD_JOB; to < JOB_FDS && failure == 0; to++)
        failure = fds[to] >= 0 ? posix_spawn_file_actions_adddup2(actions, fds[to], to)
                               : posix_spawn_file_actions_addclose(actions, to);
    if (failure == 0)
        failure = posix_spawn_file_actions_addclosefrom_np(actions, JOB_FDS);
    return failure;
}

/* Gives the supervisor a session of its own, so that a Ctrl-C in webhookd's terminal does not reach
 * it. All signals stay blocked until the supervisor is ready for them: one that arrived in its
 * first microseconds would end it without a record. None is ignored. */
static int fill_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all;
    sigfillset(&all);
    int failure = posix_spawnattr_setsigmask(attributes, &all);
    if (failure == 0)
        failure = posix_spawnattr_setsigdefault(attributes, &all);
    if (failure == 0)
        failure = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                           POSIX_SPAWN_SETSIGDEF);
    return failure;
}

int spawn_supervisor(const char *path, const int fds[JOB_FDS], pid_t *pid, struct error *error)
{
    char name[] = "webhookd-vessel";
    char *arguments[] = {name, NULL}, *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int failure = fill_actions(fds, &actions);
    if (failure == 0)
        failure = fill_attributes(&attributes);
    if (failure == 0)
        failure = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failure == 0)
        return 0;
    *pid = 0;
    return error_set_errno(error, failure, "cannot spawn \"%s\"", path);
}

void spawn_kill(int supervisor_pidfd)
{
    siginfo_t kill_it = {.si_signo = SIGTERM, .si_code = SI_QUEUE};
    kill_it.si_pid = getpid();
    kill_it.si_uid = getuid();
    kill_it.si_value.sival_int = JOB_KILL;
    (void)pidfd_send_signal(supervisor_pidfd, SIGTERM, &kill_it, 0);
}
