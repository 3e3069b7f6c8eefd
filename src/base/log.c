/* The log: see log.h. The thread that logs formats the line and puts it into a ring of bytes. The
 * writer thread, which owns stderr while it runs, empties the ring with large writes. Only the
 * writer ever waits for stderr: if the ring is full, the line is lost and counted. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_line.h"

enum {
    RING_BYTES = 1 << 20,
    URGENT_BYTES = RING_BYTES / 4, /* from here on the writer stops collecting and writes */
    COLLECT_MS = 2, /* how long it collects: a write per line would cost more than the line */
    STOP_WAIT_MS = 1000,
};

/* OFF: callers write to stderr themselves. ON: the writer owns stderr. STUCK: log_stop left behind
 * a writer that hangs in write(2), so lines are counted as lost.
 *
 *     OFF ── log_start ──► ON ── log_stop, the writer ended ──► OFF
 *                           └── log_stop, stderr stuck ──► STUCK ── the writer ended ──► OFF */
enum log_state { STATE_OFF, STATE_ON, STATE_STUCK };

/* Guards everything in `ring`. Never held while writing. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    enum log_state state;
    bool writer_sleeps; /* on more_lines, because the ring is empty */
    bool stopping;
    bool writer_ended;
    size_t first, used;  /* the lines are bytes[first … first + used), modulo RING_BYTES */
    uint64_t unreported; /* lost lines that no warning has reported yet */
    pthread_cond_t more_lines, ended;
    pthread_t writer;
    char bytes[RING_BYTES];
} ring;

static atomic_int level_limit = LOG_LEVEL_INFO;
static atomic_int line_format = LOG_FORMAT_TEXT;
static _Atomic uint64_t lost_lines;

static pthread_once_t journal_once = PTHREAD_ONCE_INIT;
static bool stderr_is_journal;

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&level_limit, memory_order_relaxed);
}

void log_set_level(enum log_level level)
{
    atomic_store(&level_limit, (int)level);
}

void log_set_format(enum log_format format)
{
    atomic_store(&line_format, (int)format);
}

uint64_t log_lost_lines(void)
{
    return atomic_load(&lost_lines);
}

/* $JOURNAL_STREAM is "device:inode" of the journal's socket, systemd.exec(5). It stays in the
 * environment when stderr has been redirected, so the numbers must match stderr's. */
static void look_for_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    if (!stream || fstat(STDERR_FILENO, &status) != 0)
        return;
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino);
    stderr_is_journal = strcmp(stream, expected) == 0;
}

static void format_line(struct log_line *line, const struct log_event *event)
{
    (void)pthread_once(&journal_once, look_for_journal);
    log_line_format(line, event, (enum log_format)atomic_load(&line_format), stderr_is_journal);
}

/* Waits while stderr is full. Returns false if the bytes could not be written. */
static bool write_stderr(const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(STDERR_FILENO, data, bytes);
        if (written == 0)
            return false;
        if (written > 0) {
            data += written;
            bytes -= (size_t)written;
        } else if (errno == EAGAIN) { /* another program made the terminal non-blocking */
            struct pollfd stderr_poll = {.fd = STDERR_FILENO, .events = POLLOUT};
            (void)poll(&stderr_poll, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static void lose_lines(uint64_t lines)
{
    ring.unreported += lines;
    atomic_fetch_add(&lost_lines, lines);
}

static void put_in_ring(const struct log_line *line)
{
    if (line->bytes > RING_BYTES - ring.used) {
        lose_lines(1);
        return;
    }
    size_t at = (ring.first + ring.used) % RING_BYTES;
    size_t before_end = RING_BYTES - at < line->bytes ? RING_BYTES - at : line->bytes;
    memcpy(ring.bytes + at, line->data, before_end);
    memcpy(ring.bytes, line->data + before_end, line->bytes - before_end);
    size_t used_before = ring.used;
    ring.used += line->bytes;
    if (ring.writer_sleeps || (used_before < URGENT_BYTES && ring.used >= URGENT_BYTES))
        pthread_cond_signal(&ring.more_lines);
    ring.writer_sleeps = false;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, int count)
{
    /* Callers may log after a failed call and only then read errno. */
    int errnum = errno;
    struct log_line line;
    format_line(&line, &(struct log_event){level, event, fields, count, clock_wall_ms()});

    pthread_mutex_lock(&lock);
    enum log_state state = ring.state;
    if (state == STATE_ON)
        put_in_ring(&line);
    else if (state == STATE_STUCK)
        lose_lines(1);
    pthread_mutex_unlock(&lock);

    if (state == STATE_OFF)
        (void)write_stderr(line.data, line.bytes);
    errno = errnum;
}

static struct timespec monotonic_in(int64_t ms)
{
    int64_t due_us = clock_monotonic_us() + ms * 1000;
    return (struct timespec){.tv_sec = due_us / 1000000, .tv_nsec = due_us % 1000000 * 1000};
}

static void wait_for_lines(void)
{
    while (ring.used == 0 && !ring.stopping) {
        ring.writer_sleeps = true;
        pthread_cond_wait(&ring.more_lines, &lock);
    }
    ring.writer_sleeps = false;

    struct timespec due = monotonic_in(COLLECT_MS);
    while (ring.used < URGENT_BYTES && !ring.stopping)
        if (pthread_cond_timedwait(&ring.more_lines, &lock, &due) != 0)
            break;
}

static uint64_t count_lines(const char *data, size_t bytes)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < bytes; i++)
        lines += data[i] == '\n';
    return lines;
}

/* Called with the lock held, and returns with it held. */
static void report_lost_lines(void)
{
    uint64_t lost = ring.unreported;
    ring.unreported = 0;
    pthread_mutex_unlock(&lock);

    struct log_line line;
    struct log_field field = log_int("lines", (int64_t)lost);
    struct log_event event = {LOG_LEVEL_WARNING, "log lines were lost", &field, 1, clock_wall_ms()};
    format_line(&line, &event);
    bool written = write_stderr(line.data, line.bytes);

    pthread_mutex_lock(&lock);
    if (!written)
        ring.unreported += lost;
}

/* Called with the lock held, and returns with it held. While it is released, the bytes stay in the
 * ring and no other thread touches them. */
static void write_ring(void)
{
    size_t to_end = RING_BYTES - ring.first;
    size_t bytes = ring.used < to_end ? ring.used : to_end;
    const char *data = ring.bytes + ring.first;
    pthread_mutex_unlock(&lock);
    bool written = write_stderr(data, bytes);
    uint64_t lines = written ? 0 : count_lines(data, bytes);
    bool at_line_end = data[bytes - 1] == '\n';
    pthread_mutex_lock(&lock);

    ring.first = (ring.first + bytes) % RING_BYTES;
    ring.used -= bytes;
    if (!written)
        lose_lines(lines);
    else if (at_line_end && ring.unreported > 0)
        report_lost_lines();
}

static void *run_writer(void *unused)
{
    pthread_mutex_lock(&lock);
    while (!ring.stopping || ring.used > 0) {
        wait_for_lines();
        if (ring.used > 0)
            write_ring();
    }
    ring.writer_ended = true;
    /* Under the same lock: no line may enter the ring after the writer's last look. */
    ring.state = STATE_OFF;
    pthread_cond_signal(&ring.ended);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void init_conditions(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ring.more_lines, &attributes);
    pthread_cond_init(&ring.ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

int log_start(struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_conditions);

    pthread_mutex_lock(&lock);
    int failed = 0;
    if (ring.state == STATE_OFF) {
        ring.stopping = false;
        ring.writer_ended = false;
        /* The main thread receives all signals. With SIGPIPE blocked, a closed stderr is only an
         * error of write(2). */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failed = pthread_create(&ring.writer, NULL, run_writer, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (failed == 0)
            ring.state = STATE_ON;
    }
    pthread_mutex_unlock(&lock);
    return failed == 0 ? 0 : error_set_errno(error, failed, "cannot start the log writer");
}

void log_stop(void)
{
    pthread_mutex_lock(&lock);
    if (ring.state != STATE_ON || ring.stopping) {
        pthread_mutex_unlock(&lock);
        return;
    }
    ring.stopping = true;
    pthread_cond_signal(&ring.more_lines);
    struct timespec due = monotonic_in(STOP_WAIT_MS);
    while (!ring.writer_ended)
        if (pthread_cond_timedwait(&ring.ended, &lock, &due) != 0)
            break;
    bool ended = ring.writer_ended;
    if (!ended)
        ring.state = STATE_STUCK;
    pthread_mutex_unlock(&lock);

    if (ended)
        pthread_join(ring.writer, NULL);
    else
        pthread_detach(ring.writer);
}
