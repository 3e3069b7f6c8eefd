/* Places the vessel's files. Called by the process that becomes the interpreter (in strict mode by
 * its parent, pid 1 of the sandbox), with the rights of the vessel's user.
 *
 * Vessels of one run share the working folder and know each other's ids, so an upstream vessel may
 * have put anything under the names used here: links that lead elsewhere, folders, files that it
 * holds open. Therefore no existing file is opened for writing: it is removed and created again
 * with O_EXCL. Paths are opened component by component, without following links, so none leads out
 * of the working folder. */
#include "supervisor/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

enum {
    NAME_BYTES = 96,     /* a vessel run's id and a suffix */
    PIECE_BYTES = 65536, /* the largest body in a memory file; a larger one is a file of its own */
    TRIES = 4,           /* another process may create obstacles while they are removed */
};

static char piece[PIECE_BYTES];

/* Opens the entry with this name, which is one component. Does not follow a link. */
static int open_entry(int dir_fd, const char *name, int flags, mode_t mode)
{
    return openat(dir_fd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

static int remove_obstacle(int dir_fd, const char *name, struct error *error)
{
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    return file_remove_tree(dir_fd, name, error);
}

/* Creates an empty file of that name. Returns a descriptor, or -1. */
static int create_file(int dir_fd, const char *name, mode_t mode, struct error *error)
{
    for (int i = 0; i < TRIES; i++) {
        int fd = open_entry(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            return error_set_errno(error, errno, "cannot create \"%s\"", name);
        if (remove_obstacle(dir_fd, name, error) != 0)
            return -1;
    }
    return error_set_errno(error, EEXIST, "cannot create \"%s\"", name);
}

/* Creates an empty folder of that name and opens it. Returns a descriptor, or -1. */
static int create_folder(int dir_fd, const char *name, struct error *error)
{
    for (int i = 0; i < TRIES; i++) {
        if (mkdirat(dir_fd, name, 0700) == 0) {
            int fd = open_entry(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
            if (fd < 0)
                error_set_errno(error, errno, "cannot open the folder \"%s\"", name);
            return fd;
        }
        if (errno != EEXIST)
            return error_set_errno(error, errno, "cannot create the folder \"%s\"", name);
        if (remove_obstacle(dir_fd, name, error) != 0)
            return -1;
    }
    return error_set_errno(error, EEXIST, "cannot create the folder \"%s\"", name);
}

/* ---- copies ---- */

/* Lets the kernel copy, or share the blocks if the file system can. Returns how many bytes it
 * copied. Not every source and target is supported; the caller copies the rest by hand. */
static off_t copy_in_kernel(int from_fd, int to_fd, off_t bytes)
{
    off_t done = 0;
    while (done < bytes) {
        off_t at = done;
        ssize_t copied = copy_file_range(from_fd, &at, to_fd, NULL, (size_t)(bytes - done), 0);
        if (copied <= 0)
            break;
        done += copied;
    }
    return done;
}

static int copy_by_hand(int from_fd, int to_fd, off_t from, off_t bytes)
{
    while (from < bytes) {
        ssize_t got = pread(from_fd, piece, sizeof(piece), from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = ENODATA; /* the source has become shorter */
        if (got <= 0 || file_write_all(to_fd, piece, (size_t)got) != 0)
            return -1;
        from += got;
    }
    return 0;
}

static int copy_file(int from_fd, int to_fd)
{
    struct stat status;
    if (fstat(from_fd, &status) != 0)
        return -1;
    off_t done = 0;
    if (status.st_size > PIECE_BYTES)
        done = copy_in_kernel(from_fd, to_fd, status.st_size);
    return copy_by_hand(from_fd, to_fd, done, status.st_size);
}

static int place_copy(const struct job *job, const char *suffix, bool wanted, int from_fd,
                      struct error *error)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%s.%s", job->vessel_run_id, suffix);
    if (!wanted)
        return remove_obstacle(JOB_FD_WORKDIR, name, error);
    int fd = create_file(JOB_FD_WORKDIR, name, 0600, error);
    if (fd < 0)
        return -1;
    int result = copy_file(from_fd, fd);
    if (result != 0)
        error_set_errno(error, errno, "cannot write \"%s\"", name);
    if (close(fd) != 0 && result == 0)
        result = error_set_errno(error, errno, "cannot write \"%s\"", name);
    return result;
}

/* ---- the file to run ---- */

/* Creates the folders of path and descends into them. Returns the descriptor of the last one
 * (dir_fd itself if there is none), or -1. Sets *name to the last component. */
static int descend(int dir_fd, const char *path, const char **name, struct error *error)
{
    int fd = dir_fd;
    for (const char *slash; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char *folder = memory_string_n(path, (size_t)(slash - path));
        int deeper = create_folder(fd, folder, error);
        free(folder);
        if (fd != dir_fd)
            close(fd);
        fd = deeper;
    }
    *name = path;
    return fd;
}

static int write_script(const struct job *job, int files_fd, struct error *error)
{
    const char *name;
    int folder_fd = descend(files_fd, job->file_name, &name, error);
    if (folder_fd < 0)
        return -1;
    int result = -1;
    int fd = create_file(folder_fd, name, 0700, error);
    if (fd >= 0) {
        result = file_write_all(fd, job->file_content, strlen(job->file_content));
        if (result != 0)
            error_set_errno(error, errno, "cannot write \"%s\"", job->file_name);
        if (close(fd) != 0 && result == 0)
            result = error_set_errno(error, errno, "cannot write \"%s\"", job->file_name);
    }
    if (folder_fd != files_fd)
        close(folder_fd);
    return result;
}

/* Places the script in a fresh folder each time, because otherwise the script might import a module
 * that another vessel left there. */
static int place_script(const struct job *job, struct error *error)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%s.files", job->vessel_run_id);
    int fd = create_folder(JOB_FD_WORKDIR, name, error);
    if (fd < 0)
        return -1;
    int result = write_script(job, fd, error);
    if (result == 0 && job->modules_dir[0] != '\0' &&
        symlinkat(job->modules_dir, fd, "node_modules") != 0)
        result = error_set_errno(error, errno, "cannot create the link \"node_modules\"");
    close(fd);
    return result;
}

int files_place(const struct job *job, struct error *error)
{
    if (place_script(job, error) != 0 ||
        place_copy(job, "webhook_headers", job->has_headers, JOB_FD_HEADERS, error) != 0 ||
        place_copy(job, "webhook_body", job->has_body, JOB_FD_BODY, error) != 0) {
        error_context(error, "cannot place the vessel's files");
        return -1;
    }
    return 0;
}

char *files_script_path(const struct job *job)
{
    return memory_format("%s/%s.files/%s", job->workdir, job->vessel_run_id, job->file_to_run);
}
