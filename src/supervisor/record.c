/* An attempt's record: see supervisor/record.h. Called by the runner on its thread and by
 * webhookd-vessel; record_name also by retention on its thread and by admin workers. */
#include "supervisor/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* Offsets in the record. */
enum { PID_AT = 0, STARTED_AT = 32, RESULT_AT = 64, RESULT_LIMIT_BYTES = 1024 };

static const char started[] = "started\n";

/* ---- places in a record ---- */

/* Writes in one piece; a partial write counts as a failure (ENOSPC). */
static int write_at(int record_fd, off_t at, const char *text, size_t bytes)
{
    ssize_t written = pwrite(record_fd, text, bytes, at);
    if (written >= 0 && (size_t)written < bytes)
        errno = ENOSPC;
    return written == (ssize_t)bytes ? 0 : -1;
}

static ssize_t read_at(int record_fd, off_t at, char *text, size_t bytes)
{
    ssize_t got;
    do
        got = pread(record_fd, text, bytes, at);
    while (got < 0 && errno == EINTR);
    return got;
}

/* ---- the result: lines of a key, a space and a value; unknown keys are ignored ---- */

/* A supervisor never writes that its own attempt was interrupted, refused or unprepared. */
static const char *const endings[] = {
    [ATTEMPT_EXITED] = "exited",       [ATTEMPT_CUTOFF] = "cutoff",
    [ATTEMPT_STOPPED] = "stopped",     [ATTEMPT_NOT_STARTED] = "not_started",
    [ATTEMPT_OVER_DISK] = "over_disk",
};

int record_write_result(int record_fd, const struct attempt_result *result, struct error *error)
{
    char text[RESULT_LIMIT_BYTES], reason[sizeof(result->reason)];
    size_t chars = 0;
    for (; chars + 1 < sizeof(reason) && result->reason[chars] != '\0'; chars++)
        reason[chars] = (unsigned char)result->reason[chars] < ' ' ? '?' : result->reason[chars];
    reason[chars] = '\0';
    int bytes = snprintf(
        text, sizeof(text),
        "format %d\nresult %s\nexit_code %d\nstarted_ms %lld\nended_ms %lld\noutput_bytes %lld\n"
        "output_cut %d\nreason %s\n",
        RECORD_FORMAT, endings[result->ending], result->exit_code, (long long)result->started_ms,
        (long long)result->ended_ms, (long long)result->output_bytes, result->output_cut ? 1 : 0,
        reason);
    if (write_at(record_fd, RESULT_AT, text, (size_t)bytes) != 0)
        return error_set_errno(error, errno, "cannot write the attempt's result");
    return 0;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most)
        return false;
    *number = value;
    return true;
}

static bool read_ending(const char *text, enum attempt_ending *ending)
{
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        if (endings[i] && strcmp(text, endings[i]) == 0) {
            *ending = (enum attempt_ending)i;
            return true;
        }
    }
    return false;
}

/* The lines seen; a record that lacks one was not written to its end. */
enum {
    SEEN_FORMAT = 1,
    SEEN_RESULT = 2,
    SEEN_EXIT_CODE = 4,
    SEEN_STARTED = 8,
    SEEN_ENDED = 16,
    SEEN_BYTES = 32,
    SEEN_CUT = 64,
    SEEN_REASON = 128,
    SEEN_ALL = 255,
};

/* Returns the SEEN_ bit of the line, 0 for the key of a later version, -1 if the value is
 * invalid. */
static int read_line(const char *key, const char *value, struct attempt_result *result)
{
    int64_t number = 0;
    if (strcmp(key, "format") == 0)
        return read_number(value, RECORD_FORMAT, RECORD_FORMAT, &number) ? SEEN_FORMAT : -1;
    if (strcmp(key, "result") == 0)
        return read_ending(value, &result->ending) ? SEEN_RESULT : -1;
    if (strcmp(key, "exit_code") == 0) {
        bool good = read_number(value, 0, 255, &number);
        result->exit_code = (int)number;
        return good ? SEEN_EXIT_CODE : -1;
    }
    if (strcmp(key, "started_ms") == 0)
        return read_number(value, 0, INT64_MAX, &result->started_ms) ? SEEN_STARTED : -1;
    if (strcmp(key, "ended_ms") == 0)
        return read_number(value, 0, INT64_MAX, &result->ended_ms) ? SEEN_ENDED : -1;
    if (strcmp(key, "output_bytes") == 0)
        return read_number(value, 0, INT64_MAX, &result->output_bytes) ? SEEN_BYTES : -1;
    if (strcmp(key, "output_cut") == 0) {
        bool good = read_number(value, 0, 1, &number);
        result->output_cut = number == 1;
        return good ? SEEN_CUT : -1;
    }
    if (strcmp(key, "reason") == 0) {
        int chars = snprintf(result->reason, sizeof(result->reason), "%s", value);
        return chars >= 0 && (size_t)chars < sizeof(result->reason) ? SEEN_REASON : -1;
    }
    return 0;
}

static bool read_lines(char *text, struct attempt_result *result)
{
    int seen = 0;
    for (char *end; (end = strchr(text, '\n')); text = end + 1) {
        *end = '\0';
        char *space = strchr(text, ' ');
        if (!space)
            return false;
        *space = '\0';
        int bit = read_line(text, space + 1, result);
        if (bit < 0)
            return false;
        seen |= bit;
    }
    return *text == '\0' && seen == SEEN_ALL;
}

int record_read_result(int record_fd, struct attempt_result *result, struct error *error)
{
    char text[RESULT_LIMIT_BYTES];
    *result = (struct attempt_result){0};
    ssize_t bytes = read_at(record_fd, RESULT_AT, text, sizeof(text) - 1);
    if (bytes < 0 && errno == EISDIR)
        return error_set(error, ERROR_INVALID, "the record is a folder");
    if (bytes < 0)
        return error_set_errno(error, errno, "cannot read the attempt's result");
    if (bytes == 0)
        return 0;
    text[bytes] = '\0';
    if (!memchr(text, '\0', (size_t)bytes) && read_lines(text, result)) {
        result->has_exit_code = true;
        return 1;
    }
    *result = (struct attempt_result){0};
    return error_set(error, ERROR_INVALID, "the attempt's result is damaged or has another format");
}

/* ---- the record, its lock, pid, started ---- */

char *record_name(const char *vessel_run_id, int attempt, char name[RECORD_NAME_BYTES])
{
    (void)snprintf(name, RECORD_NAME_BYTES, "%s.%d", vessel_run_id, attempt);
    return name;
}

int record_open(int attempts_fd, const char *name)
{
    return openat(attempts_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static int take_lock(int lock_fd, const char *name, struct error *error)
{
    if (lock_fd < 0)
        return error_set_errno(error, errno, "cannot open attempts/%s", name);
    if (flock(lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return error_set(error, ERROR_CONFLICT, "attempts/%s is locked by its supervisor", name);
    return error_set_errno(error, errno, "cannot lock attempts/%s", name);
}

int record_take(int attempts_fd, const char *name, int *lock_fd, struct error *error)
{
    int fd = openat(attempts_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    *lock_fd = -1;
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create attempts/%s", name);
    *lock_fd = record_open(attempts_fd, name);
    if (take_lock(*lock_fd, name, error) == 0) {
        if (ftruncate(fd, 0) == 0)
            return fd;
        error_set_errno(error, errno, "cannot truncate attempts/%s", name);
    }
    if (*lock_fd >= 0)
        close(*lock_fd);
    *lock_fd = -1;
    close(fd);
    return -1;
}

int record_lock_is_held(int record_fd)
{
    if (flock(record_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? 1 : -1;
    (void)flock(record_fd, LOCK_UN);
    return 0;
}

int record_pid_write(int record_fd, pid_t pid, struct error *error)
{
    char text[STARTED_AT + 1];
    int chars = snprintf(text, sizeof(text), "pid %ld\n", (long)pid);
    if (write_at(record_fd, PID_AT, text, (size_t)chars) != 0)
        return error_set_errno(error, errno, "cannot write the supervisor's pid");
    return 0;
}

pid_t record_pid_read(int record_fd)
{
    static const char key[] = "pid ";
    const size_t key_chars = sizeof(key) - 1;
    char text[STARTED_AT - PID_AT + 1] = "";
    ssize_t bytes = read_at(record_fd, PID_AT, text, sizeof(text) - 1);
    if (bytes == 0)
        return 0;
    char *end = bytes > 0 ? strchr(text, '\n') : NULL;
    if (!end || strncmp(text, key, key_chars) != 0 || text[key_chars] < '1' ||
        text[key_chars] > '9')
        return -1;
    *end = '\0';
    int64_t pid;
    return read_number(text + key_chars, 1, INT_MAX, &pid) ? (pid_t)pid : -1;
}

int record_mark_started(int record_fd)
{
    return write_at(record_fd, STARTED_AT, started, sizeof(started) - 1);
}

int record_has_started(int record_fd)
{
    char text[sizeof(started) - 1] = "";
    ssize_t bytes = read_at(record_fd, STARTED_AT, text, sizeof(text));
    if (bytes < 0)
        return -1;
    return bytes > 0 && text[0] == started[0] ? 1 : 0;
}
