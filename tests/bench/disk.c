#include "bench/disk.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define LOG_BYTES (4 << 20) /* store/sqlite/checkpointer.c: a checkpoint begins every 4 MiB */

static void append(struct disk_log *log)
{
    ssize_t written = pwrite(log->fd, log->record, log->record_bytes,
                             (off_t)(log->next * (int64_t)log->record_bytes));
    ck_assert_msg(written == (ssize_t)log->record_bytes, "cannot write: %s", strerror(errno));
    log->next = (log->next + 1) % log->records;
}

static void sync_log(struct disk_log *log)
{
    ck_assert_msg(fdatasync(log->fd) == 0, "cannot sync: %s", strerror(errno));
}

void disk_log_open(struct disk_log *log, const char *folder, size_t record_bytes)
{
    char *path = memory_format("%s/plain.log", folder);
    log->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_msg(log->fd >= 0, "cannot open %s: %s", path, strerror(errno));
    free(path);
    log->record = memory_alloc(record_bytes);
    memset(log->record, 'w', record_bytes);
    log->record_bytes = record_bytes;
    log->records = LOG_BYTES / (int64_t)record_bytes + 1;
    log->next = 0;
    do
        append(log);
    while (log->next != 0);
    sync_log(log);
}

void disk_log_close(struct disk_log *log)
{
    close(log->fd);
    free(log->record);
}

void disk_log_append(struct disk_log *log, int64_t duration_us, struct samples *latencies_us)
{
    int64_t now_us = clock_monotonic_us(), until_us = now_us + duration_us;
    while (now_us < until_us) {
        int64_t before_us = now_us;
        append(log);
        sync_log(log);
        now_us = clock_monotonic_us();
        samples_add(latencies_us, (double)(now_us - before_us));
    }
}
