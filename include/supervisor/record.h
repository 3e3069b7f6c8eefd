/* An attempt's record, which its supervisor writes and the daemon reads: the file
 * state_dir/attempts/<vessel run id>.<attempt>. Its result carries a version, because an upgraded
 * daemon meets the supervisors of the version before.
 *
 * The daemon locks the record (flock) before it spawns; the supervisor and, in a sandbox, its pid 1
 * inherit that descriptor, so the record is locked for as long as any of them lives. Each thing that
 * happens is written to its own place, in one write. Nothing is synced: the store is the durable
 * record.
 *
 *    0  "pid 12345"   the supervisor's, first of all; trusted only after pidfd_open and a second look
 *                     that the lock is held
 *   32  "started"     once the process that becomes the interpreter was let go
 *   64  the result    lines of a key, a space and a value
 *
 * One file, all of it in one block: there is one for each attempt, and making and removing a folder of
 * four files was a tenth of what an attempt cost. A result that needs no new block can be written to a
 * full disk. */
#ifndef WEBHOOKD_SUPERVISOR_RECORD_H
#define WEBHOOKD_SUPERVISOR_RECORD_H

#include <sys/types.h>

#include "base/error.h"
#include "model/attempt_result.h"

#define RECORD_FORMAT 1 /* of the result */

/* "<vessel run id>.<attempt>". */
#define RECORD_NAME_BYTES 64
char *record_name(const char *vessel_run_id, int attempt, char name[RECORD_NAME_BYTES]);

/* A record for a new attempt, empty whatever there was: a descriptor, and in *lock_fd another
 * one that holds the lock. -1, and no descriptor, if a supervisor holds it (ERROR_CONFLICT) or
 * it cannot be made. */
int record_take(int attempts_fd, const char *name, int *lock_fd, struct error *error);
/* To look at one. A descriptor, or -1 with errno. */
int record_open(int attempts_fd, const char *name);
/* 1 = someone else holds the lock, 0 = nobody does, -1 = it cannot be asked now. */
int record_lock_is_held(int record_fd);

int record_pid_write(int record_fd, pid_t pid, struct error *error);
/* The supervisor's pid, 0 if it has not been written yet, -1 if it makes no sense. */
pid_t record_pid_read(int record_fd);

int record_mark_started(int record_fd); /* 0 or -1 with errno; async-signal-safe */
/* 1 or 0; -1 if it cannot be read now. */
int record_has_started(int record_fd);

int record_write_result(int record_fd, const struct attempt_result *result, struct error *error);
/* 1 = there and read, 0 = not there, -1 = damaged or of a format this program does not know
 * (ERROR_INVALID), or not readable now. */
int record_read_result(int record_fd, struct attempt_result *result, struct error *error);

#endif
