/* Rewrites the log that an earlier process left behind. Called at each start, before the first
 * connection is opened. After a failed sync, the kernel may count pages as clean that never reached
 * the disk. What the log holds after a restart may then exist in memory only: further commits would
 * be appended behind it, their syncs would succeed, and a power failure would leave a hole in front
 * of them. Therefore the log is written again, byte for byte, and synced before it is used. About
 * fsync(2) after an error, see "Can Applications Recover from fsync Failures?", Rebello et al.,
 * 2020. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/sqlite/connection.h"

#define PIECE_BYTES (1u << 20)

static int write_again(int fd, const char *path, char *piece, struct error *error)
{
    off_t at = 0;
    for (;;) {
        ssize_t bytes = pread(fd, piece, PIECE_BYTES, at);
        if (bytes < 0 && errno == EINTR)
            continue;
        if (bytes < 0)
            return error_set_errno(error, errno, "cannot read \"%s\"", path);
        if (bytes == 0)
            break;
        ssize_t written = pwrite(fd, piece, (size_t)bytes, at);
        if (written == 0 || (written < 0 && errno != EINTR))
            return error_set_errno(error, written == 0 ? EIO : errno, "cannot rewrite \"%s\"",
                                   path);
        at += written > 0 ? written : 0;
    }
    if (fdatasync(fd) != 0)
        return error_set_errno(error, errno, "cannot sync \"%s\"", path);
    return 0;
}

int sqlite_prepare(const struct store_options *options, struct error *error)
{
    char *database = connection_path(options);
    char *path = memory_format("%s-wal", database);
    free(database);
    int result = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        char *piece = memory_alloc(PIECE_BYTES);
        result = write_again(fd, path, piece, error);
        free(piece);
        close(fd);
    } else if (errno != ENOENT) {
        result = error_set_errno(error, errno, "cannot open \"%s\"", path);
    }
    free(path);
    return result;
}
