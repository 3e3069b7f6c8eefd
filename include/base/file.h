/* Files: reading, writing, syncing and removing, relative to a folder's descriptor. Every
 * descriptor is opened with close-on-exec set. */
#ifndef WEBHOOKD_BASE_FILE_H
#define WEBHOOKD_BASE_FILE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends the whole file to the buffer. The error names the path: ERROR_NOT_FOUND if the file is
 * missing, ERROR_INVALID if it is not a regular file (links are followed) or is longer than
 * limit_bytes. On failure the buffer keeps its contents. */
int file_read(int dir_fd, const char *path, size_t limit_bytes, struct buffer *into,
              struct error *error);

/* Writes all bytes, continuing after EINTR and short writes. Returns 0, or -1 with errno. */
int file_write_all(int fd, const void *data, size_t bytes);
/* Reads `bytes` bytes or up to the end of the file. Returns the number read, or -1 with errno. */
ssize_t file_read_all(int fd, void *data, size_t bytes);

/* Creates a file in memory that holds these bytes, positioned at its start. Returns a descriptor,
 * or -1. */
int file_in_memory(const void *data, size_t bytes, struct error *error);
/* Takes ownership of fd and moves it to a number of at least `lowest`, so that it does not collide
 * with the fixed descriptors of a spawned process (supervisor/job.h). Returns the number. Closes fd
 * and returns -1 on failure. */
int file_move_up(int fd, int lowest, struct error *error);

/* Returns the name of the file system behind fd if a server decides about its owners, syncs and
 * locks ("NFS"; "FUSE", which may hide one), or NULL. */
const char *file_system_with_server(int fd);

/* Opens the folder and creates it with this mode if it is missing (one level). Returns a
 * descriptor, or -1. */
int file_open_folder(int dir_fd, const char *name, mode_t mode, struct error *error);

/* Returns 1 if the folder holds any entry, 0 if it is empty or missing, -1 on error. */
int file_folder_holds_any(int dir_fd, const char *name, struct error *error);

/* Calls fsync; `what` names the file in the error. */
int file_sync(int fd, const char *what, struct error *error);

/* Removes a file, or a whole tree of any depth, below dir_fd: iteratively and by descriptor,
 * without following links or crossing mounts. Before that, makes folders accessible again whose
 * owner has removed a permission. Succeeds if the name does not exist. Only for threads that may
 * block for long. */
int file_remove_tree(int dir_fd, const char *name, struct error *error);
/* The same, but gives up with ERROR_UNAVAILABLE as soon as *stop is set. Another call can remove
 * the rest. */
int file_remove_tree_until(int dir_fd, const char *name, const atomic_bool *stop,
                           struct error *error);

#endif
