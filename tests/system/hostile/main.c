/* A vessel that tries what a vessel must not be able to do. Run by test_hostile.c in strict mode,
 * and for control where the same attempts succeed. `hostile_vessel GROUP` makes the attempts of
 * that group and prints a line for each: its name, and "ok", the name of an errno, or the signal
 * that killed the attempt. Each runs in a process of its own.
 *
 * What would stop the machine is called with arguments that the kernel refuses.
 *
 * Linked without sanitizers, which need more memory than a vessel may have. The environment names
 * what the test has prepared: SECRET, SOCKET, ABSTRACT, PORT, VICTIM, IPC_KEY, QUEUE, KEY. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile/hostile.h"

/* ---- for the attempts ---- */

long fail_with(int errnum)
{
    errno = errnum;
    return -1;
}

const char *given(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

pid_t victim(void)
{
    return (pid_t)strtol(given("VICTIM"), NULL, 10);
}

long read_some(const char *path)
{
    char bytes[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t count = read(fd, bytes, sizeof(bytes));
    return count == 0 ? fail_with(ENODATA) : count;
}

long list(const char *path)
{
    return opendir(path) ? 0 : -1;
}

/* ---- the whole ---- */

/* Prints how the attempt went. Its process reports errno as its exit status. */
static void report(const struct attempt *attempt)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(attempt->run() < 0 ? errno : 0);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        printf("%s not tried\n", attempt->name);
    else if (WIFSIGNALED(status))
        printf("%s SIG%s\n", attempt->name, sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == 0)
        printf("%s ok\n", attempt->name);
    else
        printf("%s %s\n", attempt->name, strerrorname_np(WEXITSTATUS(status)));
}

int main(int argc, char **argv)
{
    static const struct attempt *const tables[] = {
        attempts_on_files, attempts_on_processes,    attempts_on_sockets, attempts_on_keys,
        attempts_on_calls, attempts_on_architecture, attempts_on_mounts,  attempts_on_limits,
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct attempt *attempt = tables[i]; attempt->name; attempt++)
            if (argc == 2 && strcmp(attempt->group, argv[1]) == 0)
                report(attempt);
    return 0;
}
