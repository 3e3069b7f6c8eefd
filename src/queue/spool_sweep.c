/* One pass over the spool after a start, on a thread with a read connection of its own: removes the
 * bodies without a run. Started and stopped by queue/spool.c. */
#include "queue/spool_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "store/runs.h"

struct spool_sweep {
    int folder_fd; /* borrowed */
    struct store *store;
    struct id *ids; /* complete bodies that existed at the start */
    size_t count, capacity;
    atomic_bool stopping;
    pthread_t thread;
};

static void sweep_note(struct spool_sweep *sweep, const char *name)
{
    struct id id;
    if (id_parse(name, &id) == 0) {
        if (sweep->count == sweep->capacity) {
            sweep->capacity = sweep->capacity ? 2 * sweep->capacity : 64;
            sweep->ids = memory_array(sweep->ids, sweep->capacity, sizeof(*sweep->ids));
        }
        sweep->ids[sweep->count++] = id;
    } else if (strlen(name) > 5 && strcmp(name + strlen(name) - 5, ".part") == 0) {
        (void)unlinkat(sweep->folder_fd, name, 0); /* its request ended with the earlier process */
    }
}

static int sweep_list(struct spool_sweep *sweep, struct error *error)
{
    int fd = openat(sweep->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        error_set_errno(error, errno, "cannot list the folder \"spool\"");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    struct dirent *entry;
    while ((entry = readdir(folder)))
        sweep_note(sweep, entry->d_name);
    closedir(folder);
    return 0;
}

static int found(void *context, const struct run_row *run)
{
    (void)run;
    *(bool *)context = true;
    return 1;
}

static void *sweep_main(void *argument)
{
    struct spool_sweep *sweep = argument;
    int64_t removed = 0;
    for (size_t i = 0; i < sweep->count && !atomic_load(&sweep->stopping); i++) {
        struct run_filter filter = {.request_id = &sweep->ids[i], .limit = 1};
        struct error error = ERROR_INIT;
        bool has_run = false;
        if (store_list_runs(sweep->store, &filter, found, &has_run, &error) != 0) {
            log_warning("spool not swept", log_why(&error));
            break;
        }
        char name[ID_TEXT_BYTES];
        if (!has_run && unlinkat(sweep->folder_fd, id_format(&sweep->ids[i], name), 0) == 0)
            removed++;
    }
    if (removed > 0)
        log_info("spooled bodies without a fleet run removed", log_int("bodies", removed));
    return NULL;
}

static void sweep_free(struct spool_sweep *sweep)
{
    store_close(sweep->store);
    free(sweep->ids);
    free(sweep);
}

struct spool_sweep *spool_sweep_start(int folder_fd, const struct store_options *store,
                                      struct error *error)
{
    struct spool_sweep *sweep = memory_alloc(sizeof(*sweep));
    sweep->folder_fd = folder_fd;
    struct store_options reading = *store;
    reading.mode = STORE_READ;
    sweep->store = store_open(&reading, error);
    if (sweep->store && sweep_list(sweep, error) == 0 &&
        thread_start(&sweep->thread, "spool sweep", sweep_main, sweep, error) == 0)
        return sweep;
    sweep_free(sweep);
    return NULL;
}

void spool_sweep_stop(struct spool_sweep *sweep)
{
    if (!sweep)
        return;
    atomic_store(&sweep->stopping, true);
    pthread_join(sweep->thread, NULL);
    sweep_free(sweep);
}
