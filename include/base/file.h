/* Files: reading, writing, syncing and removing, relative to a folder's descriptor, close-on-exec from birth. */
#ifndef WEBHOOKD_BASE_FILE_H
#define WEBHOOKD_BASE_FILE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends the whole file to the buffer, at most limit_bytes (more is ERROR_INVALID). The path is named in the error.
 * A missing file is ERROR_NOT_FOUND; anything but a regular file (or what a link leads to) is ERROR_INVALID. */
int file_read(int dir_fd, const char *path, size_t limit_bytes, struct buffer *into,
              struct error *error);

/* Writes all bytes, restarting after EINTR and short writes. 0, or -1 with errno. */
int file_write_all(int fd, const void *data, size_t bytes);
/* Reads until `bytes` or the end. The number read, or -1 with errno. */
ssize_t file_read_all(int fd, void *data, size_t bytes);

/* A file that lies in memory alone, with these bytes, read from its start. A descriptor, or -1. */
int file_in_memory(const void *data, size_t bytes, struct error *error);
/* Takes the descriptor over and gives it a number that is at least `lowest`, out of the way of those that spawning uses. -1: closed. */
int file_move_up(int fd, int lowest, struct error *error);

/* Opens the folder, made with mode if it is missing (one level). A descriptor, or -1. */
int file_open_folder(int dir_fd, const char *name, mode_t mode, struct error *error);

int file_sync(int fd, const char *what,
              struct error *error); /* fsync; `what` names it in the error */

/* Removes a file or a whole tree below dir_fd: iteratively, by descriptor, following no link, crossing no mount, whatever its depth;
 * unreadable folders of ours are made readable first. A missing name is fine. For threads that may take their time. */
int file_remove_tree(int dir_fd, const char *name, struct error *error);
/* The same, given up with ERROR_UNAVAILABLE as soon as *stop is set: what is left can be removed by another call. */
int file_remove_tree_until(int dir_fd, const char *name, const atomic_bool *stop,
                           struct error *error);

#endif
