/* An attempt's record, which its supervisor writes and the daemon reads: the file
 * state_dir/attempts/<vessel run id>.<attempt>. Its result carries a version, because an upgraded
 * daemon meets supervisors of the previous version.
 *
 * The daemon locks the record (flock) before it spawns; the supervisor and, in a sandbox, its pid 1
 * inherit that descriptor, so the record stays locked for as long as either of them lives. Each
 * event is written to its own place, in one write. Nothing is synced: the store is the durable
 * record.
 *
 *    0  "pid 12345"   the supervisor's, first of all; trusted only if the lock is still held after
 *                     pidfd_open
 *   32  "started"     once the process that becomes the interpreter has been released
 *   64  the result    lines of a key, a space and a value
 *
 * The record is one file, all of it in one block. A folder with a file for each part would
 * take a tenth of an attempt's cost to create and remove. A result that needs no new block can be
 * written even to a full disk. */
#ifndef WEBHOOKD_SUPERVISOR_RECORD_H
#define WEBHOOKD_SUPERVISOR_RECORD_H

#include <sys/types.h>

#include "base/error.h"
#include "model/attempt_result.h"

#define RECORD_FORMAT 1 /* of the result */

#define RECORD_NAME_BYTES 64
/* Writes "<vessel run id>.<attempt>" to `name`, and returns that. */
char *record_name(const char *vessel_run_id, int attempt, char name[RECORD_NAME_BYTES]);

/* Takes the record for a new attempt and empties it. Returns a descriptor for writing, and in
 * *lock_fd another one that holds the lock. Returns -1, with *lock_fd -1, no descriptor left open
 * and the record unchanged, if a supervisor holds the lock (ERROR_CONFLICT) or the record cannot be
 * created. */
int record_take(int attempts_fd, const char *name, int *lock_fd, struct error *error);
/* Opens a record for reading. Returns a descriptor, or -1 with errno. */
int record_open(int attempts_fd, const char *name);
/* Returns 1 if another open file description holds the lock, 0 if none does, -1 if that cannot be
 * queried now. */
int record_lock_is_held(int record_fd);

int record_pid_write(int record_fd, pid_t pid, struct error *error);
/* Returns the supervisor's pid, 0 if it has not been written yet, -1 if it is invalid or cannot be
 * read. */
pid_t record_pid_read(int record_fd);

/* Returns 0, or -1 with errno. Async-signal-safe. */
int record_mark_started(int record_fd);
/* Returns 1 or 0, or -1 if the record cannot be read now. */
int record_has_started(int record_fd);

int record_write_result(int record_fd, const struct attempt_result *result, struct error *error);
/* Returns 1 if there is a result, 0 if there is none, -1 if it is damaged or has a format that this
 * program does not know (ERROR_INVALID), or cannot be read now. */
int record_read_result(int record_fd, struct attempt_result *result, struct error *error);

#endif
