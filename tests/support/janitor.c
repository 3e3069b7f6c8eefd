#include "support/janitor.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#define TRIES         100
#define GENTLE_TRIES  20
#define TRY_EVERY_US  50000
#define MOST_MOUNTS   16
#define COMM_OF_LIMIT 15 /* the kernel keeps this many characters of a program's name */

static bool lies_below(const char *path, const char *folder)
{
    size_t bytes = strlen(folder);
    return strncmp(path, folder, bytes) == 0 && (path[bytes] == '/' || path[bytes] == '\0');
}

static bool is_supervisor(const char *pid)
{
    char path[64], comm[64] = "";
    snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    if (!fgets(comm, sizeof(comm), file))
        comm[0] = '\0';
    fclose(file);
    return strncmp(comm, "webhookd-vessel", COMM_OF_LIMIT) == 0;
}

static bool has_open_below(const char *pid, const char *folder)
{
    char path[64], target[PATH_MAX];
    snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
    DIR *stream = opendir(path);
    if (!stream)
        return false;
    bool found = false;
    struct dirent *entry;
    while (!found && (entry = readdir(stream))) {
        ssize_t bytes = readlinkat(dirfd(stream), entry->d_name, target, sizeof(target) - 1);
        if (bytes > 0) {
            target[bytes] = '\0';
            found = lies_below(target, folder);
        }
    }
    closedir(stream);
    return found;
}

int janitor_signal_supervisors(const char *folder, int signal)
{
    DIR *processes = opendir("/proc");
    int count = 0;
    struct dirent *entry;
    while (processes && (entry = readdir(processes))) {
        const char *pid = entry->d_name;
        if (!isdigit((unsigned char)pid[0]) || !is_supervisor(pid) || !has_open_below(pid, folder))
            continue;
        count++;
        if (signal != 0)
            kill((pid_t)atoi(pid), signal);
    }
    if (processes)
        closedir(processes);
    return count;
}

void janitor_unmount(const char *folder)
{
    char *points[MOST_MOUNTS];
    int count = 0;
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent *entry;
    while (mounts && count < MOST_MOUNTS && (entry = getmntent(mounts)))
        if (lies_below(entry->mnt_dir, folder))
            points[count++] = memory_string(entry->mnt_dir);
    if (mounts)
        endmntent(mounts);
    while (count-- > 0) {
        umount2(points[count], MNT_DETACH);
        free(points[count]);
    }
}

static void clean(const char *folder)
{
    for (int tries = 0; tries < TRIES && access(folder, F_OK) == 0; tries++) {
        struct error error = ERROR_INIT;
        /* SIGTERM first, so that the supervisors also end what their vessels have started. */
        janitor_signal_supervisors(folder, tries < GENTLE_TRIES ? SIGTERM : SIGKILL);
        janitor_unmount(folder);
        if (file_remove_tree(AT_FDCWD, folder, &error) == 0)
            return;
        usleep(TRY_EVERY_US); /* a process that has just been killed may still write */
    }
}

void janitor_watch(const char *folder)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    close(pid == 0 ? ends[1] : ends[0]);
    if (pid != 0)
        return; /* the other end stays open as long as this process lives */
    setsid();
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    dup2(ends[0], STDIN_FILENO);
    close_range(STDIN_FILENO + 1, ~0U, 0);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
        ;
    clean(folder);
    _exit(0);
}
