/* A backup: one tar, made while it is sent. First the database, by an online copy in a single step, which holds up nobody; then what lies
 * beside it: spooled bodies and output. A body is on disk before its run is in the database, so every run in the copy has its own, unless
 * retention deletes both meanwhile. Never the key. On admin workers' threads, which may take their time. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/calls.h"
#include "admin/tar.h"
#include "base/log.h"
#include "base/memory.h"

#define DATABASE "webhookd.db" /* under the default name, whatever it is called here */
#define COPY     "backup.tmp"

enum part {
    PART_DATABASE,
    PART_SPOOL, /* spool/… */
    PART_LOGS,  /* logs/<day>/… */
    PART_END,   /* two blocks of zeros */
    PART_OVER,
};

struct backup {
    int state_fd; /* borrowed */
    enum part part;
    int copy_fd;        /* the database's copy, which has no name any more; -1 once it is sent */
    DIR *folder, *days; /* that is being read */
    char day[NAME_MAX + 1];
    int fd;        /* of the file that is being sent, or -1 */
    uint64_t left; /* of its bytes */
    size_t zeros;  /* to be sent behind it */
    char block[TAR_BLOCK];
    size_t block_left; /* of its header */
};

/* ---- files ---- */

static void begin_file(struct backup *backup, int fd, const char *name)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || strlen(name) >= TAR_NAME_BYTES) {
        close(fd);
        return;
    }
    backup->fd = fd;
    backup->left = (uint64_t)status.st_size; /* as long as it is now: output may grow */
    backup->zeros = (TAR_BLOCK - backup->left % TAR_BLOCK) % TAR_BLOCK;
    tar_header(backup->block, name, backup->left, status.st_mtime);
    backup->block_left = TAR_BLOCK;
}

static DIR *open_folder(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && folder == NULL)
        close(fd);
    return folder;
}

static void close_folder(DIR **folder)
{
    if (*folder != NULL)
        closedir(*folder);
    *folder = NULL;
}

/* The next file of the open folder; false at its end. What has gone meanwhile is passed over. */
static bool next_file(struct backup *backup, const char *prefix)
{
    struct dirent *entry;
    while ((entry = readdir(backup->folder)) != NULL) {
        char name[2 * NAME_MAX];
        if (entry->d_name[0] == '.' || strstr(entry->d_name, ".part") != NULL)
            continue;
        int fd = openat(dirfd(backup->folder), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            continue;
        snprintf(name, sizeof(name), "%s/%s", prefix, entry->d_name);
        begin_file(backup, fd, name);
        if (backup->fd >= 0)
            return true;
    }
    close_folder(&backup->folder);
    return false;
}

static bool next_day(struct backup *backup)
{
    struct dirent *entry;
    while (backup->days != NULL && (entry = readdir(backup->days)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        backup->folder = open_folder(dirfd(backup->days), entry->d_name);
        if (backup->folder == NULL)
            continue;
        snprintf(backup->day, sizeof(backup->day), "logs/%.200s", entry->d_name);
        return true;
    }
    close_folder(&backup->days);
    return false;
}

/* ---- one after the other ---- */

static void advance(struct backup *backup)
{
    switch (backup->part) {
    case PART_DATABASE:
        if (backup->copy_fd >= 0) {
            begin_file(backup, backup->copy_fd, DATABASE);
            backup->copy_fd = -1;
            return;
        }
        backup->folder = open_folder(backup->state_fd, "spool");
        backup->part = PART_SPOOL;
        return;
    case PART_SPOOL:
        if (backup->folder != NULL && next_file(backup, "spool"))
            return;
        backup->days = open_folder(backup->state_fd, "logs");
        backup->part = PART_LOGS;
        return;
    case PART_LOGS:
        if ((backup->folder != NULL && next_file(backup, backup->day)) || next_day(backup))
            return;
        backup->zeros = 2 * TAR_BLOCK;
        backup->part = PART_END;
        return;
    case PART_END:
        backup->part = PART_OVER;
        return;
    case PART_OVER:
        return;
    }
}

static ssize_t give_file(struct backup *backup, char *data, size_t bytes)
{
    size_t wanted = backup->left < bytes ? (size_t)backup->left : bytes;
    ssize_t count;
    do
        count = read(backup->fd, data, wanted);
    while (count < 0 && errno == EINTR);
    if (count <= 0) { /* its header has promised more */
        log_error("backup broken off", log_text("reason", count < 0 ? "a file cannot be read"
                                                                    : "a file became shorter"));
        return -1;
    }
    backup->left -= (uint64_t)count;
    return count;
}

static ssize_t backup_read(void *context, char *data, size_t bytes)
{
    struct backup *backup = context;
    while (backup->part != PART_OVER) {
        if (backup->block_left > 0) {
            size_t count = backup->block_left < bytes ? backup->block_left : bytes;
            memcpy(data, backup->block + TAR_BLOCK - backup->block_left, count);
            backup->block_left -= count;
            return (ssize_t)count;
        }
        if (backup->fd >= 0 && backup->left > 0)
            return give_file(backup, data, bytes);
        if (backup->fd >= 0) {
            close(backup->fd);
            backup->fd = -1;
        }
        if (backup->zeros > 0) {
            size_t count = backup->zeros < bytes ? backup->zeros : bytes;
            memset(data, 0, count);
            backup->zeros -= count;
            return (ssize_t)count;
        }
        advance(backup);
    }
    return 0;
}

static void backup_done(void *context)
{
    struct backup *backup = context;
    close_folder(&backup->folder);
    close_folder(&backup->days);
    if (backup->fd >= 0)
        close(backup->fd);
    if (backup->copy_fd >= 0)
        close(backup->copy_fd);
    free(backup);
}

/* ---- the call ---- */

/* One copy at a time, under a name that it gives up at once; what an earlier process has left of one goes first. */
static int copy_database(struct admin *admin, struct error *error)
{
    const struct store_options *store = &admin->options.store;
    int state_fd = admin->options.state_fd, fd = -1;
    char *path = memory_format("%s/" COPY, store->state_dir);
    pthread_mutex_lock(&admin->backup_lock);
    (void)unlinkat(state_fd, COPY, 0);
    if (store_backup(store, path, error) == 0 &&
        (fd = openat(state_fd, COPY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        error_set_errno(error, errno, "cannot open the copy of the database");
    (void)unlinkat(state_fd, COPY, 0);
    pthread_mutex_unlock(&admin->backup_lock);
    free(path);
    return fd;
}

int call_backup(struct admin_request *request, struct error *error)
{
    int copy_fd = copy_database(request->admin, error);
    if (copy_fd < 0)
        return -1;
    struct backup *backup = memory_alloc(sizeof(*backup));
    backup->state_fd = request->admin->options.state_fd;
    backup->copy_fd = copy_fd;
    backup->fd = -1;
    request->answer.content_type = "application/x-tar";
    request->answer.stream = (struct http_stream){backup_read, backup_done, backup};
    log_info("backup", log_id("request", http_request_id(request->exchange)));
    return 0;
}
