/* Creates a backup: one tar archive, created while it is sent. First comes the database, as an
 * online copy, which delays no other request; then the files beside it: spooled bodies and output.
 * A body is on disk before its run is in the database, so every run in the copy has its body,
 * unless retention deletes both meanwhile. The archive never contains secret.key. On admin workers'
 * threads, which may block.
 *
 * An archive is complete or ends early: an error closes the connection before the end of the
 * answer. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/change.h"
#include "admin/routes.h"
#include "admin/tar.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define STOPPING "webhookd is shutting down"

enum part {
    PART_DATABASE,
    PART_SPOOL, /* spool/… */
    PART_LOGS,  /* logs/<day>/… */
    PART_END,   /* two blocks of zeros */
    PART_OVER,
};

struct backup {
    struct admin *admin;
    struct id request_id;
    struct caller_ticket ticket;
    int64_t begun_ms, sent_bytes;
    struct error error; /* why it cannot continue */
    int state_fd;       /* borrowed */
    enum part part;
    int copy_fd;        /* the copy of the database, an unlinked file; -1: passed on to fd */
    DIR *folder, *days; /* being read */
    char day[NAME_MAX + 1];
    int fd;        /* the file that is being sent, or -1 */
    uint64_t left; /* bytes of the file still to be sent */
    size_t zeros;  /* to be sent after the file */
    char block[TAR_BLOCK];
    size_t block_left; /* bytes of the file's header still to be sent */
};

/* ---- files ---- */

/* Notes why the archive ends early. A complete archive contains every file, except those that
 * retention has deleted meanwhile. */
static int fail(struct backup *backup, const char *what, const char *name)
{
    return error_set_errno(&backup->error, errno, "cannot %s \"%s\"", what, name);
}

static int begin_file(struct backup *backup, int fd, const char *name)
{
    struct stat status;
    backup->fd = fd;
    if (fstat(fd, &status) != 0)
        return fail(backup, "examine", name);
    if (!S_ISREG(status.st_mode) || strlen(name) >= TAR_NAME_BYTES)
        return error_set(&backup->error, ERROR_INTERNAL,
                         "\"%s\" is not a file that webhookd has created", name);
    backup->left = (uint64_t)status.st_size; /* its current length: output may grow */
    backup->zeros = (TAR_BLOCK - backup->left % TAR_BLOCK) % TAR_BLOCK;
    tar_header(backup->block, name, backup->left, status.st_mtime);
    backup->block_left = TAR_BLOCK;
    return 0;
}

/* Returns 1 if the folder was opened, 0 if it does not exist any more, or -1. */
static int open_folder(struct backup *backup, int dir_fd, const char *name, DIR **folder)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    *folder = fd < 0 ? NULL : fdopendir(fd);
    if (*folder)
        return 1;
    fail(backup, "open the folder", name);
    if (fd >= 0)
        close(fd);
    return -1;
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
    *folder = NULL;
}

/* Returns the next name in the folder. Returns NULL at its end, and sets the error if it cannot be
 * read. */
static const char *next_name(struct backup *backup, DIR *folder, const char *folder_name)
{
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(folder);
    } while (entry && entry->d_name[0] == '.');
    if (entry)
        return entry->d_name;
    if (errno != 0)
        fail(backup, "read the folder", folder_name);
    return NULL;
}

/* Begins the next file of the open folder. Returns 1, 0 if there are no more files, or -1. */
static int next_file(struct backup *backup, const char *prefix)
{
    const char *file;
    while ((file = next_name(backup, backup->folder, prefix))) {
        char name[2 * NAME_MAX];
        if (strstr(file, ".part")) /* still being received: it belongs to no run */
            continue;
        snprintf(name, sizeof(name), "%s/%s", prefix, file);
        int fd = openat(dirfd(backup->folder), file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return fail(backup, "open", name);
        return begin_file(backup, fd, name) == 0 ? 1 : -1;
    }
    close_folder(&backup->folder);
    return error_is_set(&backup->error) ? -1 : 0;
}

/* Opens the next day's folder. Returns 1, 0 if there are no more, or -1. */
static int next_day(struct backup *backup)
{
    const char *day;
    while ((day = next_name(backup, backup->days, "logs"))) {
        int opened = open_folder(backup, dirfd(backup->days), day, &backup->folder);
        snprintf(backup->day, sizeof(backup->day), "logs/%.200s", day);
        if (opened != 0)
            return opened;
    }
    return error_is_set(&backup->error) ? -1 : 0;
}

/* ---- the sequence ---- */

/* Advances to the next file, or to the end. */
static int advance(struct backup *backup)
{
    int found = 0;
    switch (backup->part) {
    case PART_DATABASE:
        if (backup->copy_fd >= 0) {
            int fd = backup->copy_fd;
            backup->copy_fd = -1;
            return begin_file(backup, fd, commit_backup_name(backup->admin->options.queue));
        }
        backup->part = PART_SPOOL;
        return open_folder(backup, backup->state_fd, "spool", &backup->folder) < 0 ? -1 : 0;
    case PART_SPOOL:
        if (backup->folder && (found = next_file(backup, "spool")) != 0)
            return found < 0 ? -1 : 0;
        backup->part = PART_LOGS;
        return open_folder(backup, backup->state_fd, "logs", &backup->days) < 0 ? -1 : 0;
    case PART_LOGS:
        if (backup->folder && (found = next_file(backup, backup->day)) != 0)
            return found < 0 ? -1 : 0;
        if (backup->days && (found = next_day(backup)) != 0)
            return found < 0 ? -1 : 0;
        backup->zeros = 2 * TAR_BLOCK;
        backup->part = PART_END;
        return 0;
    case PART_END:
        backup->part = PART_OVER;
        return 0;
    case PART_OVER:
        break;
    }
    return 0;
}

static ssize_t give_file(struct backup *backup, char *data, size_t bytes)
{
    size_t wanted = backup->left < bytes ? (size_t)backup->left : bytes;
    ssize_t count;
    do
        count = read(backup->fd, data, wanted);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return fail(backup, "read", backup->block); /* the header begins with the name */
    if (count == 0)
        return error_set(&backup->error, ERROR_INTERNAL,
                         "\"%s\" has become shorter while it was sent", backup->block);
    backup->left -= (uint64_t)count;
    return count;
}

static size_t give_block(struct backup *backup, char *data, size_t bytes)
{
    size_t count = backup->block_left < bytes ? backup->block_left : bytes;
    memcpy(data, backup->block + TAR_BLOCK - backup->block_left, count);
    backup->block_left -= count;
    return count;
}

static size_t give_zeros(struct backup *backup, char *data, size_t bytes)
{
    size_t count = backup->zeros < bytes ? backup->zeros : bytes;
    memset(data, 0, count);
    backup->zeros -= count;
    return count;
}

static void close_file(struct backup *backup)
{
    if (backup->fd >= 0)
        close(backup->fd);
    backup->fd = -1;
}

static ssize_t backup_give(struct backup *backup, char *data, size_t bytes)
{
    while (backup->part != PART_OVER) {
        if (atomic_load(&backup->admin->stopping))
            return error_set(&backup->error, ERROR_UNAVAILABLE, STOPPING);
        if (!caller_is_let_in(backup->admin, &backup->ticket))
            return error_set(&backup->error, ERROR_CONFLICT,
                             "the reader's API key was revoked or expired, or its session ended");
        if (backup->block_left > 0)
            return (ssize_t)give_block(backup, data, bytes);
        if (backup->fd >= 0 && backup->left > 0)
            return give_file(backup, data, bytes);
        close_file(backup);
        if (backup->zeros > 0)
            return (ssize_t)give_zeros(backup, data, bytes);
        if (advance(backup) != 0)
            return -1;
    }
    return 0;
}

static ssize_t backup_read(void *context, char *data, size_t bytes)
{
    struct backup *backup = context;
    ssize_t count = backup_give(backup, data, bytes);
    if (count > 0)
        backup->sent_bytes += count;
    return count;
}

static void backup_done(void *context)
{
    struct backup *backup = context;
    if (backup->part != PART_OVER && !error_is_set(&backup->error))
        error_set(&backup->error, ERROR_UNAVAILABLE,
                  "the reader closed the connection or stopped reading");
    if (error_is_set(&backup->error))
        log_error("backup aborted", log_id("request", &backup->request_id),
                  log_int("bytes", backup->sent_bytes), log_why(&backup->error));
    else
        log_info("backup sent", log_id("request", &backup->request_id),
                 log_int("bytes", backup->sent_bytes),
                 log_int("duration_ms", clock_monotonic_ms() - backup->begun_ms));
    close_folder(&backup->folder);
    close_folder(&backup->days);
    close_file(backup);
    if (backup->copy_fd >= 0)
        close(backup->copy_fd);
    atomic_store(&backup->admin->makes_backup, false);
    free(backup);
}

/* ---- the copy of the database ---- */

/* The disk needs room for the rest of the copy. The space that min_free reserves is not used for
 * backups either. */
static int may_go_on(void *context, int64_t bytes_left, struct error *error)
{
    struct admin *admin = context;
    if (atomic_load(&admin->stopping))
        return error_set(error, ERROR_UNAVAILABLE, STOPPING);
    if (commit_has_room(admin->options.queue, bytes_left, error) != 0) {
        error_context(error, "no room for a copy of the database");
        return -1;
    }
    return 0;
}

/* ---- the handler ---- */

/* A backup changes nothing in the store, but it is entered in the audit log. */
static const struct change_kind backup_kind = {.action = "backup"};

/* Only one backup at a time, until its last byte is sent: each takes as much disk space as the
 * database. */
int backup_create(struct admin_request *request, struct error *error)
{
    struct admin *admin = request->admin;
    struct change audited = {.kind = &backup_kind};
    int64_t begun_ms = clock_monotonic_ms();
    if (atomic_exchange(&admin->makes_backup, true))
        return error_set(error, ERROR_CONFLICT,
                         "another backup is in progress: wait until it has ended");
    const struct store_backup_guard guard = {may_go_on, admin};
    int copy_fd = commit_backup(admin->options.queue, &guard, error);
    if (copy_fd >= 0 && change_commit(request, &audited, error) != 0) {
        close(copy_fd); /* no backup without an entry in the audit log */
        copy_fd = -1;
    }
    if (copy_fd < 0) {
        atomic_store(&admin->makes_backup, false);
        return -1;
    }
    struct backup *backup = memory_alloc(sizeof(*backup));
    backup->admin = admin;
    backup->ticket = request->caller.ticket;
    backup->request_id = *http_request_id(request->exchange);
    backup->begun_ms = begun_ms;
    backup->state_fd = admin->options.state_fd;
    backup->copy_fd = copy_fd;
    backup->fd = -1;
    request->answer.content_type = "application/x-tar";
    request->answer.stream = (struct http_stream){backup_read, backup_done, backup};
    return 0;
}
