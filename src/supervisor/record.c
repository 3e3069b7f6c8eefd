/* The files and the job that the daemon and a vessel's supervisor share. Called by the runner on its thread, by
 * the admin workers that look at an attempt's folder, and by webhookd-vessel.
 *
 * A job is the format's number and then each field in the order of the struct: a number is 8 bytes, little-endian;
 * a text is its length as a number and then its bytes; a list is its count as a number and then its members. It
 * must end where its last field ends. Whoever reads one must have got it from this daemon, but reads it as if not. */
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

#include "base/file.h"
#include "base/memory.h"

enum { NUMBER_BYTES = 8 };

/* Where what lies in a record. */
enum { PID_AT = 0, STARTED_AT = 32, EXIT_AT = 64, EXIT_LIMIT_BYTES = 1024 };

static const char started[] = "started\n";

/* ---- writing a job ---- */

static void put_number(struct buffer *into, uint64_t number)
{
    unsigned char bytes[NUMBER_BYTES];
    for (int i = 0; i < NUMBER_BYTES; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    (void)buffer_append(into, bytes, sizeof(bytes)); /* a failure stays in the buffer */
}

static void put_text(struct buffer *into, const char *text)
{
    size_t bytes = strlen(text);
    put_number(into, bytes);
    (void)buffer_append(into, text, bytes);
}

static void put_texts(struct buffer *into, char *const *texts, size_t count)
{
    put_number(into, count);
    for (size_t i = 0; i < count; i++)
        put_text(into, texts[i]);
}

int job_write(const struct job *job, struct buffer *into)
{
    put_number(into, JOB_FORMAT);
    put_text(into, job->vessel_run_id);
    put_text(into, job->workdir);
    put_number(into, job->is_strict ? 1 : 0);
    put_number(into, job->network ? 1 : 0);
    put_texts(into, job->readable, job->readable_count);
    put_texts(into, job->writable, job->writable_count);
    put_number(into, (uint64_t)job->max_memory_bytes);
    put_number(into, (uint64_t)job->max_processes);
    put_number(into, (uint64_t)job->max_open_files);
    put_text(into, job->hidden_dir);
    put_text(into, job->interpreter);
    put_text(into, job->search_path);
    put_text(into, job->file_name);
    put_text(into, job->file_content);
    put_text(into, job->file_to_run);
    put_texts(into, job->arguments, job->argument_count);
    put_texts(into, job->environment, job->environment_count);
    put_number(into, job->change_user ? 1 : 0);
    put_number(into, job->uid);
    put_number(into, job->gid);
    put_number(into, job->group_count);
    for (size_t i = 0; i < job->group_count; i++)
        put_number(into, job->groups[i]);
    put_text(into, job->user);
    put_number(into, (uint64_t)(int64_t)job->nice);
    put_number(into, (uint64_t)job->cutoff_ms);
    put_number(into, (uint64_t)job->stop_grace_ms);
    put_number(into, (uint64_t)job->max_output_bytes);
    return into->failed ? -1 : 0;
}

/* ---- reading a job ---- */

struct reader {
    const unsigned char *at;
    size_t left;
    bool failed; /* once it is set, every number reads as 0 and every text as "" */
};

static uint64_t take_number(struct reader *reader)
{
    if (reader->failed || reader->left < NUMBER_BYTES) {
        reader->failed = true;
        return 0;
    }
    uint64_t number = 0;
    for (int i = 0; i < NUMBER_BYTES; i++)
        number |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += NUMBER_BYTES;
    reader->left -= NUMBER_BYTES;
    return number;
}

static int64_t take_number_between(struct reader *reader, int64_t least, int64_t most)
{
    int64_t number = (int64_t)take_number(reader);
    if (number < least || number > most) {
        reader->failed = true;
        return least;
    }
    return number;
}

static char *take_text(struct reader *reader)
{
    uint64_t bytes = take_number(reader);
    if (bytes > reader->left || (bytes > 0 && memchr(reader->at, '\0', (size_t)bytes)))
        reader->failed = true;
    if (reader->failed)
        return memory_string("");
    char *text = memory_string_n((const char *)reader->at, (size_t)bytes);
    reader->at += bytes;
    reader->left -= (size_t)bytes;
    return text;
}

/* The count of a list. No member is shorter than its number, so no count can ask for more memory than its job is long. */
static size_t take_count(struct reader *reader)
{
    return (size_t)take_number_between(reader, 0, (int64_t)(reader->left / NUMBER_BYTES));
}

static char **take_texts(struct reader *reader, size_t *count)
{
    *count = take_count(reader);
    char **texts = memory_alloc((*count + 1) * sizeof(*texts)); /* ends in NULL, as exec wants it */
    for (size_t i = 0; i < *count; i++)
        texts[i] = take_text(reader);
    return texts;
}

static void take_job(struct reader *reader, struct job *job)
{
    job->vessel_run_id = take_text(reader);
    job->workdir = take_text(reader);
    job->is_strict = take_number_between(reader, 0, 1) == 1;
    job->network = take_number_between(reader, 0, 1) == 1;
    job->readable = take_texts(reader, &job->readable_count);
    job->writable = take_texts(reader, &job->writable_count);
    job->max_memory_bytes = take_number_between(reader, 0, INT64_MAX / 2);
    job->max_processes = take_number_between(reader, 0, INT32_MAX);
    job->max_open_files = take_number_between(reader, 0, INT32_MAX);
    job->hidden_dir = take_text(reader);
    job->interpreter = take_text(reader);
    job->search_path = take_text(reader);
    job->file_name = take_text(reader);
    job->file_content = take_text(reader);
    job->file_to_run = take_text(reader);
    job->arguments = take_texts(reader, &job->argument_count);
    job->environment = take_texts(reader, &job->environment_count);
    job->change_user = take_number_between(reader, 0, 1) == 1;
    /* The highest number means "leave it as it is" to the system calls. */
    job->uid = (uint32_t)take_number_between(reader, 0, UINT32_MAX - 1);
    job->gid = (uint32_t)take_number_between(reader, 0, UINT32_MAX - 1);
    job->group_count = take_count(reader);
    job->groups = memory_alloc(job->group_count * sizeof(*job->groups));
    for (size_t i = 0; i < job->group_count; i++)
        job->groups[i] = (uint32_t)take_number_between(reader, 0, UINT32_MAX - 1);
    job->user = take_text(reader);
    job->nice = (int32_t)take_number_between(reader, -40, 40);
    /* Far beyond any sensible setting, and safe to add to a clock. */
    job->cutoff_ms = take_number_between(reader, 0, INT32_MAX * (int64_t)1000);
    job->stop_grace_ms = take_number_between(reader, 0, INT32_MAX * (int64_t)1000);
    job->max_output_bytes = take_number_between(reader, 0, INT64_MAX / 2);
}

/* One component of a path: not empty, not "." and not "..". */
static bool is_component(const char *text, size_t bytes)
{
    if (bytes == 0 || bytes > NAME_MAX)
        return false;
    return text[0] != '.' || (bytes != 1 && (bytes != 2 || text[1] != '.'));
}

static bool is_relative_path(const char *text)
{
    for (;;) {
        size_t bytes = strcspn(text, "/");
        if (!is_component(text, bytes))
            return false;
        if (text[bytes] == '\0')
            return true;
        text += bytes + 1;
    }
}

static bool are_absolute(char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (paths[i][0] != '/')
            return false;
    return true;
}

/* What the supervisor takes for granted when it builds paths, argv and the environment. */
static const char *find_fault(const struct job *job)
{
    if (strchr(job->vessel_run_id, '/') || !is_relative_path(job->vessel_run_id) ||
        strlen(job->vessel_run_id) > 64)
        return "its vessel run's id is no id";
    if (job->workdir[0] != '/')
        return "its working folder is not absolute";
    if (job->hidden_dir[0] != '\0' && job->hidden_dir[0] != '/')
        return "its hidden folder is not absolute";
    if (!are_absolute(job->readable, job->readable_count) ||
        !are_absolute(job->writable, job->writable_count))
        return "what it may see is not absolute";
    if (job->interpreter[0] == '\0')
        return "it names no interpreter";
    if (!is_relative_path(job->file_name) || !is_relative_path(job->file_to_run))
        return "its file's name leads elsewhere";
    for (size_t i = 0; i < job->environment_count; i++) {
        const char *equals = strchr(job->environment[i], '=');
        if (!equals || equals == job->environment[i])
            return "its environment has an entry without a name";
    }
    return NULL;
}

int job_read(const void *data, size_t bytes, struct job *job, struct error *error)
{
    struct reader reader = {.at = data, .left = bytes};
    *job = (struct job){0};
    uint64_t format = take_number(&reader);
    if (!reader.failed && format != JOB_FORMAT)
        return error_set(error, ERROR_UNAVAILABLE,
                         "the job is of format %llu, this program reads %d",
                         (unsigned long long)format, JOB_FORMAT);
    take_job(&reader, job);
    const char *fault = reader.failed || reader.left > 0 ? "it is damaged" : find_fault(job);
    if (!fault)
        return 0;
    job_free(job);
    return error_set(error, ERROR_INVALID, "the job cannot be used: %s", fault);
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void job_free(struct job *job)
{
    free(job->vessel_run_id);
    free(job->workdir);
    free_texts(job->readable, job->readable_count);
    free_texts(job->writable, job->writable_count);
    free(job->hidden_dir);
    free(job->interpreter);
    free(job->search_path);
    free(job->file_name);
    free(job->file_content);
    free(job->file_to_run);
    free_texts(job->arguments, job->argument_count);
    free_texts(job->environment, job->environment_count);
    free(job->groups);
    free(job->user);
    *job = (struct job){0};
}

/* ---- places in a record ---- */

/* In one piece, or not at all: nothing reads half of it. */
static int write_at(int job_fd, off_t at, const char *text, size_t bytes)
{
    ssize_t written = pwrite(job_fd, text, bytes, at);
    if (written >= 0 && (size_t)written < bytes)
        errno = ENOSPC;
    return written == (ssize_t)bytes ? 0 : -1;
}

static ssize_t read_at(int job_fd, off_t at, char *text, size_t bytes)
{
    ssize_t got;
    do
        got = pread(job_fd, text, bytes, at);
    while (got < 0 && errno == EINTR);
    return got;
}

/* ---- the exit record: lines of a key, a space and a value; unknown keys are passed over ---- */

static const char *const result_names[] = {
    [RECORD_EXITED] = "exited",
    [RECORD_CUTOFF] = "cutoff",
    [RECORD_STOPPED] = "stopped",
    [RECORD_NOT_STARTED] = "not_started",
};

int record_exit_write(int job_fd, const struct record_exit *exit, struct error *error)
{
    char text[EXIT_LIMIT_BYTES], reason[sizeof(exit->reason)];
    size_t chars = 0;
    for (; chars + 1 < sizeof(reason) && exit->reason[chars] != '\0'; chars++)
        reason[chars] = (unsigned char)exit->reason[chars] < ' ' ? '?' : exit->reason[chars];
    reason[chars] = '\0';
    int bytes = snprintf(
        text, sizeof(text),
        "format %d\nresult %s\nexit_code %d\nstarted_ms %lld\nended_ms %lld\noutput_bytes %lld\n"
        "output_cut %d\nreason %s\n",
        RECORD_FORMAT, result_names[exit->result], exit->exit_code, (long long)exit->started_ms,
        (long long)exit->ended_ms, (long long)exit->output_bytes, exit->output_cut ? 1 : 0, reason);
    if (write_at(job_fd, EXIT_AT, text, (size_t)bytes) != 0)
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

static bool read_result(const char *text, enum record_result *result)
{
    for (size_t i = 0; i < ARRAY_COUNT(result_names); i++) {
        if (strcmp(text, result_names[i]) == 0) {
            *result = (enum record_result)i;
            return true;
        }
    }
    return false;
}

/* Which of the lines were there; a record that lacks one was not written to its end. */
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

/* The SEEN_ bit of the line, 0 for a key of a later day, -1 if its value makes no sense. */
static int read_line(const char *key, const char *value, struct record_exit *exit)
{
    int64_t number = 0;
    if (strcmp(key, "format") == 0)
        return read_number(value, RECORD_FORMAT, RECORD_FORMAT, &number) ? SEEN_FORMAT : -1;
    if (strcmp(key, "result") == 0)
        return read_result(value, &exit->result) ? SEEN_RESULT : -1;
    if (strcmp(key, "exit_code") == 0) {
        bool good = read_number(value, 0, 255, &number);
        exit->exit_code = (int)number;
        return good ? SEEN_EXIT_CODE : -1;
    }
    if (strcmp(key, "started_ms") == 0)
        return read_number(value, 0, INT64_MAX, &exit->started_ms) ? SEEN_STARTED : -1;
    if (strcmp(key, "ended_ms") == 0)
        return read_number(value, 0, INT64_MAX, &exit->ended_ms) ? SEEN_ENDED : -1;
    if (strcmp(key, "output_bytes") == 0)
        return read_number(value, 0, INT64_MAX, &exit->output_bytes) ? SEEN_BYTES : -1;
    if (strcmp(key, "output_cut") == 0) {
        bool good = read_number(value, 0, 1, &number);
        exit->output_cut = number == 1;
        return good ? SEEN_CUT : -1;
    }
    if (strcmp(key, "reason") == 0) {
        int chars = snprintf(exit->reason, sizeof(exit->reason), "%s", value);
        return chars >= 0 && (size_t)chars < sizeof(exit->reason) ? SEEN_REASON : -1;
    }
    return 0;
}

static bool read_exit_lines(char *text, struct record_exit *exit)
{
    int seen = 0;
    for (char *end; (end = strchr(text, '\n')); text = end + 1) {
        *end = '\0';
        char *space = strchr(text, ' ');
        if (!space)
            return false;
        *space = '\0';
        int bit = read_line(text, space + 1, exit);
        if (bit < 0)
            return false;
        seen |= bit;
    }
    return *text == '\0' && seen == SEEN_ALL;
}

int record_exit_read(int job_fd, struct record_exit *exit, struct error *error)
{
    char text[EXIT_LIMIT_BYTES];
    *exit = (struct record_exit){0};
    ssize_t bytes = read_at(job_fd, EXIT_AT, text, sizeof(text) - 1);
    if (bytes < 0 && errno == EISDIR)
        return error_set(error, ERROR_INVALID, "there is a folder in the place of the record");
    if (bytes < 0)
        return error_set_errno(error, errno, "cannot read the attempt's result");
    if (bytes == 0)
        return 0;
    text[bytes] = '\0';
    if (!memchr(text, '\0', (size_t)bytes) && read_exit_lines(text, exit))
        return 1;
    *exit = (struct record_exit){0};
    return error_set(error, ERROR_INVALID, "the exit record is damaged or of another format");
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
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make attempts/%s", name);
    *lock_fd = record_open(attempts_fd, name);
    if (take_lock(*lock_fd, name, error) == 0) {
        if (ftruncate(fd, 0) == 0)
            return fd;
        error_set_errno(error, errno, "cannot empty attempts/%s", name);
    }
    if (*lock_fd >= 0)
        close(*lock_fd);
    close(fd);
    return -1;
}

int record_lock_is_held(int job_fd)
{
    if (flock(job_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? 1 : -1;
    (void)flock(job_fd, LOCK_UN);
    return 0;
}

int record_pid_write(int job_fd, pid_t pid, struct error *error)
{
    char text[STARTED_AT + 1];
    int chars = snprintf(text, sizeof(text), "pid %ld\n", (long)pid);
    if (write_at(job_fd, PID_AT, text, (size_t)chars) != 0)
        return error_set_errno(error, errno, "cannot write the supervisor's pid");
    return 0;
}

pid_t record_pid_read(int job_fd)
{
    static const char key[] = "pid ";
    const size_t key_chars = sizeof(key) - 1;
    char text[STARTED_AT - PID_AT + 1] = "";
    ssize_t bytes = read_at(job_fd, PID_AT, text, sizeof(text) - 1);
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

int record_mark_started(int job_fd)
{
    return write_at(job_fd, STARTED_AT, started, sizeof(started) - 1);
}

int record_has_started(int job_fd)
{
    char text[sizeof(started) - 1] = "";
    ssize_t bytes = read_at(job_fd, STARTED_AT, text, sizeof(text));
    if (bytes < 0)
        return -1;
    return bytes > 0 && text[0] == started[0] ? 1 : 0;
}
