/* What a supervisor and the daemon tell each other. The input is read as an attempt's record, and
 * as a job. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/job.h"
#include "supervisor/record.h"

static int file_of(const void *data, size_t bytes)
{
    int fd = memfd_create("record", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    return fd;
}

/* What record_write_result replaces in a reason, which is one line. */
static void replace_controls(char *reason)
{
    for (; *reason != '\0'; reason++)
        if ((unsigned char)*reason < ' ')
            *reason = '?';
}

static void check_result(struct attempt_result *result)
{
    struct error error = ERROR_INIT;
    struct attempt_result again;
    FUZZ_CHECK(result->has_exit_code && result->exit_code >= 0 && result->exit_code <= 255);
    FUZZ_CHECK(result->started_ms >= 0 && result->ended_ms >= 0 && result->output_bytes >= 0);
    FUZZ_CHECK(result->ending != ATTEMPT_INTERRUPTED);
    int fd = file_of("", 0);
    FUZZ_CHECK(record_write_result(fd, result, &error) == 0);
    FUZZ_CHECK(record_read_result(fd, &again, &error) == 1);
    replace_controls(result->reason);
    FUZZ_CHECK(again.ending == result->ending && again.exit_code == result->exit_code &&
               again.started_ms == result->started_ms && again.ended_ms == result->ended_ms &&
               again.output_bytes == result->output_bytes &&
               again.output_cut == result->output_cut && strcmp(again.reason, result->reason) == 0);
    close(fd);
}

static void read_record(const uint8_t *data, size_t bytes)
{
    struct error error = ERROR_INIT;
    struct attempt_result result;
    int fd = file_of(data, bytes);
    pid_t pid = record_pid_read(fd);
    FUZZ_CHECK(pid >= -1 && (pid != 0 || bytes == 0));
    FUZZ_CHECK(record_has_started(fd) >= 0);
    int there = record_read_result(fd, &result, &error);
    FUZZ_CHECK((there < 0) == error_is_set(&error));
    FUZZ_CHECK(there >= 0 || (error.kind == ERROR_INVALID && fuzz_is_message(error.message)));
    if (there == 1)
        check_result(&result);
    close(fd);
}

static void read_job(const uint8_t *data, size_t bytes)
{
    struct error error = ERROR_INIT;
    struct job job;
    if (job_read(data, bytes, &job, &error) != 0) {
        FUZZ_CHECK(fuzz_is_message(error.message) && !job.workdir && !job.groups);
        return;
    }
    FUZZ_CHECK(!error_is_set(&error));
    /* A job has one written form. */
    struct buffer written = BUFFER_INIT;
    FUZZ_CHECK(job_write(&job, &written) == 0);
    FUZZ_CHECK(written.bytes == bytes && memcmp(written.data, data, bytes) == 0);
    buffer_free(&written);
    job_free(&job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    read_record(data, bytes);
    read_job(data, bytes);
    return 0;
}
