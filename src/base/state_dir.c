/* The state folder: see state_dir.h. Called by webhookd/state.c, on the main thread, when webhookd
 * starts and stops. */
#include "base/state_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#define LOCK             "lock"
#define LOCK_PATIENCE_MS 1000
#define LOCK_PAUSE_US    5000

static const char *const folders[] = {"spool", "runs", "attempts", "logs", "trash"};

static bool is_name(const char *name, size_t bytes, const char *what)
{
    return strlen(what) == bytes && memcmp(name, what, bytes) == 0;
}

bool state_dir_uses(const char *name, size_t bytes)
{
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        if (is_name(name, bytes, folders[i]))
            return true;
    return is_name(name, bytes, STATE_DIR_BACKUP) || is_name(name, bytes, LOCK) ||
           is_name(name, bytes, STATE_DIR_SECRET);
}

/* The store, whose names may also be in the folder. */
struct store_names {
    const char *location;
    state_dir_is_stores *is_stores;
};

/* Files of a restored backup count too: a backup contains no lock file. */
static bool is_ours(const char *name, const struct store_names *store)
{
    return state_dir_uses(name, strlen(name)) || strcmp(name, ".") == 0 ||
           strcmp(name, "..") == 0 ||
           strcmp(name, "lost+found") == 0 || /* from mkfs, if the folder is a whole file system */
           store->is_stores(store->location, name);
}

static int check_contents(int fd, const char *path, const struct store_names *store,
                          struct error *error)
{
    if (faccessat(fd, LOCK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        error_set_errno(error, errno, "cannot read \"%s\"", path);
        if (copy >= 0)
            close(copy);
        return -1;
    }
    int result = 0;
    struct dirent *entry;
    while (result == 0 && (errno = 0, entry = readdir(stream)))
        if (!is_ours(entry->d_name, store))
            result =
                error_set(error, ERROR_CONFIG,
                          "\"%s\" is not a state folder of webhookd: it contains \"%.100s\"; set "
                          "state_dir to a new or empty folder",
                          path, entry->d_name);
    if (result == 0 && errno != 0)
        result = error_set_errno(error, errno, "cannot read \"%s\"", path);
    closedir(stream);
    return result;
}

static int check_folder(int fd, const char *path, const struct store_names *store,
                        struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set_errno(error, errno, "cannot examine \"%s\"", path);
    if (status.st_uid != geteuid())
        return error_set(
            error, ERROR_CONFIG,
            "\"%s\" belongs to another user; chown it to the user that webhookd runs as", path);
    if (check_contents(fd, path, store, error) != 0)
        return -1;
    if ((status.st_mode & 077) != 0 && fchmod(fd, 0700) != 0)
        return error_set_errno(error, errno, "cannot set the mode of \"%s\" to 0700", path);
    return 0;
}

/* A webhookd that was killed may have left a child that has not called exec yet and still holds the
 * lock for a moment. */
static int take_lock(struct state_dir *state, const char *path, struct error *error)
{
    state->lock_fd = openat(state->fd, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (state->lock_fd < 0)
        return error_set_errno(error, errno, "cannot open \"%s/" LOCK "\"", path);
    int64_t until_ms = clock_monotonic_ms() + LOCK_PATIENCE_MS;
    int result;
    while ((result = flock(state->lock_fd, LOCK_EX | LOCK_NB)) != 0 && errno == EWOULDBLOCK &&
           clock_monotonic_ms() < until_ms)
        (void)usleep(LOCK_PAUSE_US);
    if (result == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return error_set(
            error, ERROR_CONFLICT,
            "another webhookd uses \"%s\" (it holds the lock); stop it or change state_dir", path);
    return error_set_errno(error, errno, "cannot lock \"%s/" LOCK "\"", path);
}

static int make_folders(int fd, const char *path, struct error *error)
{
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        int folder_fd = file_open_folder(fd, folders[i], 0700, error);
        if (folder_fd < 0)
            return -1;
        close(folder_fd);
    }
    return file_sync(fd, path, error);
}

static int open_folder(const char *path, struct error *error)
{
    bool exists = mkdir(path, 0700) == 0 || errno == EEXIST;
    if (!exists && errno == ENOENT)
        return error_set(error, ERROR_CONFIG,
                         "cannot create \"%s\": its parent folder does not exist", path);
    if (!exists && errno == EACCES)
        return error_set(error, ERROR_CONFIG,
                         "cannot create \"%s\": its parent folder is closed to the user that "
                         "webhookd runs as; create the folder and chown it to that user",
                         path);
    if (!exists && errno != ENOTDIR)
        return error_set_errno(error, errno, "cannot create the folder \"%s\"", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno == ENOTDIR)
        return error_set(error, ERROR_CONFIG, "\"%s\" is not a folder", path);
    if (errno == EACCES)
        return error_set(error, ERROR_CONFIG,
                         "\"%s\" is closed to the user that webhookd runs as; chown it to that "
                         "user, and let the user enter the folders above it",
                         path);
    return error_set_errno(error, errno, "cannot open the folder \"%s\"", path);
}

/* The state folder may be new. A user who may search but not read its parent cannot sync the
 * parent; webhookd then assumes that another user created the folder. */
static int sync_parent(int fd, const char *path, struct error *error)
{
    int parent_fd = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent_fd < 0 && errno == EACCES)
        return 0;
    if (parent_fd < 0)
        return error_set_errno(error, errno, "cannot open the folder above \"%s\"", path);
    char *parent = memory_format("%s/..", path);
    int result = file_sync(parent_fd, parent, error);
    free(parent);
    close(parent_fd);
    return result;
}

int state_dir_open(struct state_dir *state, const char *path, const char *store_location,
                   state_dir_is_stores *is_stores, struct error *error)
{
    const struct store_names store = {store_location, is_stores};
    state->fd = open_folder(path, error);
    if (state->fd >= 0 && check_folder(state->fd, path, &store, error) == 0 &&
        take_lock(state, path, error) == 0 && make_folders(state->fd, path, error) == 0 &&
        sync_parent(state->fd, path, error) == 0)
        return 0;
    state_dir_close(state);
    return -1;
}

void state_dir_close(struct state_dir *state)
{
    if (state->lock_fd >= 0)
        close(state->lock_fd);
    if (state->fd >= 0)
        close(state->fd);
    state->fd = state->lock_fd = -1;
}
