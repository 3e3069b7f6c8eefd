/* The trash's thread. Nothing refers to what is in the trash, and a crash in the middle leaves it
 * there for the next start. Filled by the runner's thread (at recovery, by that of
 * runner_start). */
#include "runner/trash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

/* A tree that could not be removed is renamed with this prefix, so that it is not tried (and
 * reported) again before the next start. */
#define STUCK_PREFIX "stuck-"

struct trash {
    int trash_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    bool has_news;

    atomic_bool is_stopping; /* written under the lock, so that no wait misses it */
};

static void remove_entry(struct trash *trash, const char *name)
{
    struct error error = ERROR_INIT;
    if (file_remove_tree_until(trash->trash_fd, name, &trash->is_stopping, &error) == 0 ||
        error.kind == ERROR_UNAVAILABLE) /* a stop waits for no tree; the next start goes on */
        return;
    log_warning("trash not removed, will retry at the next start", log_text("name", name),
                log_why(&error));
    if (strncmp(name, STUCK_PREFIX, strlen(STUCK_PREFIX)) == 0)
        return;
    char *stuck = memory_format(STUCK_PREFIX "%s", name);
    (void)renameat(trash->trash_fd, name, trash->trash_fd, stuck);
    free(stuck);
}

static void empty_trash(struct trash *trash, bool also_stuck)
{
    int fd = openat(trash->trash_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        struct error error = ERROR_INIT;
        error_set_errno(&error, errno, "cannot list the folder \"trash\"");
        log_warning("trash not emptied", log_why(&error));
        if (fd >= 0)
            close(fd);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(stream)) && !atomic_load(&trash->is_stopping)) {
        const char *name = entry->d_name;
        bool is_stuck = strncmp(name, STUCK_PREFIX, strlen(STUCK_PREFIX)) == 0;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && (also_stuck || !is_stuck))
            remove_entry(trash, name);
    }
    closedir(stream);
}

static void *trash_main(void *argument)
{
    struct trash *trash = argument;
    bool first = true;
    for (;;) {
        pthread_mutex_lock(&trash->lock);
        while (!trash->has_news && !atomic_load(&trash->is_stopping))
            pthread_cond_wait(&trash->news, &trash->lock);
        bool stopping = atomic_load(&trash->is_stopping);
        trash->has_news = false;
        pthread_mutex_unlock(&trash->lock);
        if (stopping)
            return NULL;
        empty_trash(trash, first);
        first = false;
    }
}

static void trash_free(struct trash *trash)
{
    pthread_cond_destroy(&trash->news);
    pthread_mutex_destroy(&trash->lock);
    free(trash);
}

struct trash *trash_start(int trash_fd, struct error *error)
{
    struct trash *trash = memory_alloc(sizeof(*trash));
    trash->trash_fd = trash_fd;
    trash->has_news = true; /* the last daemon may have left something */
    pthread_mutex_init(&trash->lock, NULL);
    pthread_cond_init(&trash->news, NULL);
    if (thread_start(&trash->thread, "trash", trash_main, trash, error) == 0)
        return trash;
    trash_free(trash);
    return NULL;
}

void trash_stop(struct trash *trash)
{
    if (!trash)
        return;
    pthread_mutex_lock(&trash->lock);
    atomic_store(&trash->is_stopping, true);
    pthread_cond_signal(&trash->news);
    pthread_mutex_unlock(&trash->lock);
    pthread_join(trash->thread, NULL);
    trash_free(trash);
}

int trash_discard(struct trash *trash, int folder_fd, const char *name, struct error *error)
{
    int result = renameat(folder_fd, name, trash->trash_fd, name);
    /* A folder must be writable to get another parent; a vessel running as webhookd's own user may
     * have taken that right away. */
    if (result != 0 && errno == EACCES && fchmodat(folder_fd, name, 0700, 0) == 0)
        result = renameat(folder_fd, name, trash->trash_fd, name);
    if (result != 0 && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)) {
        struct id id = id_random();
        char text[ID_TEXT_BYTES];
        char *other = memory_format("%.100s.%s", name, id_format(&id, text));
        result = renameat(folder_fd, name, trash->trash_fd, other);
        free(other);
    }
    if (result != 0)
        return errno == ENOENT
                   ? 0
                   : error_set_errno(error, errno, "cannot move \"%s\" to the trash", name);
    pthread_mutex_lock(&trash->lock);
    trash->has_news = true;
    pthread_cond_signal(&trash->news);
    pthread_mutex_unlock(&trash->lock);
    return 0;
}
