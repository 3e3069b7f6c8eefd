/* Finds and signals the vessel's processes through /proc. Called by supervise.c when it ends a
 * vessel.
 *
 * The pid of a direct child cannot be reused until the child is reaped here. The pid of a deeper
 * process could be reused at any time, so a pidfd is opened first and then the parent is checked:
 * if the parent is in this tree, the pidfd is of the right process. The parent may have changed
 * since the process was found, because the tree begins to die with the first signal. It is then the
 * next reaper above: this process, pid 1 of a sandbox, or a subreaper of the vessel's own. */
#include "supervisor/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/memory.h"

#define CHILDREN_LIMIT_BYTES (8 * 1024 * 1024)

enum { PATH_BYTES = 64, STAT_LIMIT_BYTES = 4096 };

struct processes {
    pid_t *items;
    size_t count, capacity;
};

static void add(struct processes *list, pid_t pid)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? 2 * list->capacity : 16;
        list->items = memory_array(list->items, list->capacity, sizeof(*list->items));
    }
    list->items[list->count++] = pid;
}

/* Adds the children of one thread, listed as "12 34 56 ". A thread that has ended has none. */
static void add_children_of_thread(struct processes *list, pid_t parent, const char *thread)
{
    char path[PATH_BYTES];
    struct buffer text = BUFFER_INIT;
    struct error ignored = ERROR_INIT;
    (void)snprintf(path, sizeof(path), "/proc/%ld/task/%.20s/children", (long)parent, thread);
    if (file_read(AT_FDCWD, path, CHILDREN_LIMIT_BYTES, &text, &ignored) == 0) {
        char *end;
        for (const char *at = buffer_text(&text);; at = end) {
            long pid = strtol(at, &end, 10);
            if (end == at || pid <= 0)
                break;
            add(list, (pid_t)pid);
        }
    }
    buffer_free(&text);
}

static void add_children(struct processes *list, pid_t parent)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)parent);
    DIR *threads = opendir(path);
    if (!threads)
        return;
    for (struct dirent *entry; (entry = readdir(threads));)
        if (entry->d_name[0] != '.')
            add_children_of_thread(list, parent, entry->d_name);
    closedir(threads);
}

struct process_state {
    char letter; /* 'R', 'S', …; 'Z' = has ended, but was not reaped; '\0' = there is none */
    pid_t parent;
};

static struct process_state state_of(pid_t pid)
{
    char path[PATH_BYTES];
    struct buffer text = BUFFER_INIT;
    struct error ignored = ERROR_INIT;
    struct process_state state = {'\0', -1};
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    if (file_read(AT_FDCWD, path, STAT_LIMIT_BYTES, &text, &ignored) == 0) {
        /* "12 (name, which may contain anything) S 34 …" */
        const char *after = strrchr(buffer_text(&text), ')');
        if (after && strlen(after) > 4)
            state = (struct process_state){after[2], (pid_t)strtol(after + 4, NULL, 10)};
    }
    buffer_free(&text);
    return state;
}

static bool is_of_tree(pid_t pid, const struct processes *list)
{
    if (pid == getpid())
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == pid)
            return true;
    return false;
}

static void signal_one(pid_t pid, const struct processes *list, int signal_number)
{
    int fd = pidfd_open(pid, 0);
    if (fd < 0)
        return;
    if (is_of_tree(state_of(pid).parent, list))
        (void)pidfd_send_signal(fd, signal_number, NULL, 0);
    close(fd);
}

/* All processes are found before the first is signalled, because the first signal makes the tree
 * fall apart. There is no second pass for processes that were missed: it would also find those that
 * are started to clean up. */
void tree_signal(pid_t leader, int signal_number)
{
    struct processes list = {NULL, 0, 0};
    add_children(&list, getpid());
    for (size_t i = 0; i < list.count; i++)
        add_children(&list, list.items[i]);
    if (leader > 0)
        (void)kill(-leader, signal_number);
    for (size_t i = 0; i < list.count; i++)
        if (leader == 0 || getpgid(list.items[i]) != leader)
            signal_one(list.items[i], &list, signal_number);
    free(list.items);
}

unsigned tree_count(pid_t leader)
{
    struct processes list = {NULL, 0, 0};
    unsigned count = 0;
    add_children(&list, getpid());
    for (size_t i = 0; i < list.count; i++) {
        add_children(&list, list.items[i]);
        char letter = state_of(list.items[i]).letter;
        if (list.items[i] != leader && letter != '\0' && letter != 'Z' && letter != 'X')
            count++;
    }
    free(list.items);
    return count;
}

int tree_kill_children(void)
{
    struct processes list = {NULL, 0, 0};
    int taken = 0;
    add_children(&list, getpid());
    for (size_t i = 0; i < list.count; i++)
        if (kill(list.items[i], SIGKILL) == 0)
            taken++;
    free(list.items);
    return taken;
}
