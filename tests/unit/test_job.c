/* The job as bytes: read as it was written, and refused if it is damaged or its names lead
 * elsewhere. */
#include "supervisor/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/suite.h"
static char *arguments[] = {(char[]){"--lines"}, (char[]){""}, (char[]){"a b\nc"}};
static char *environment[] = {(char[]){"PATH=/usr/bin:/bin"}, (char[]){"EMPTY="},
                              (char[]){"X=a=b"}};
static char *paths[] = {(char[]){"/srv/a"}, (char[]){"/srv/b c"}};
static uint32_t groups[] = {5, 4294967294U};

/* Compound literals at file scope live as long as the program. */
static const struct job good = {
    .vessel_run_id = (char[]){"0198c0de-0000-7000-8000-000000000001"},
    .workdir = (char[]){"/var/lib/webhookd/runs/r"},
    .is_strict = true,
    .network = true,
    .readable = paths,
    .readable_count = ARRAY_COUNT(paths),
    .writable = paths + 1,
    .writable_count = 1,
    .max_memory_bytes = 1 << 30,
    .max_processes = 512,
    .max_open_files = 1024,
    .hidden_dir = (char[]){"/var/lib/webhookd"},
    .modules_dir = (char[]){"/var/cache/webhookd/0/node_modules"},
    .interpreter = (char[]){"bash"},
    .search_path = (char[]){"/usr/bin:/bin"},
    .file_name = (char[]){"scripts/.hidden/a..sh"},
    .file_content = (char[]){"echo \"\xc3\xa9\"\n"},
    .file_to_run = (char[]){"scripts/.hidden/a..sh"},
    .arguments = arguments,
    .argument_count = ARRAY_COUNT(arguments),
    .environment = environment,
    .environment_count = ARRAY_COUNT(environment),
    .change_user = true,
    .uid = 65534,
    .gid = 4294967294U,
    .groups = groups,
    .group_count = ARRAY_COUNT(groups),
    .user = (char[]){"nobody"},
    .nice = -5,
    .cutoff_ms = 14400000,
    .stop_grace_ms = 10000,
    .max_output_bytes = 10485760,
};

static struct job good_job(void)
{
    return good;
}

static struct buffer written(const struct job *job)
{
    struct buffer bytes = BUFFER_INIT;
    ck_assert_int_eq(job_write(job, &bytes), 0);
    return bytes;
}

static bool is_accepted(const struct job *job)
{
    struct buffer bytes = written(job);
    struct job copy;
    struct error error = ERROR_INIT;
    int result = job_read(bytes.data, bytes.bytes, &copy, &error);
    ck_assert_int_eq(error_is_set(&error), result != 0);
    job_free(&copy);
    buffer_free(&bytes);
    return result == 0;
}

TEST(a_job_is_read_as_it_was_written)
{
    struct job job = good_job(), copy;
    struct buffer bytes = written(&job);
    struct error error = ERROR_INIT;
    ck_assert_msg(job_read(bytes.data, bytes.bytes, &copy, &error) == 0, "%s", error.message);
    ck_assert_str_eq(copy.vessel_run_id, job.vessel_run_id);
    ck_assert_str_eq(copy.workdir, job.workdir);
    ck_assert(copy.is_strict && copy.network);
    ck_assert_uint_eq(copy.readable_count, 2);
    ck_assert_str_eq(copy.readable[0], paths[0]);
    ck_assert_str_eq(copy.readable[1], paths[1]);
    ck_assert_uint_eq(copy.writable_count, 1);
    ck_assert_str_eq(copy.writable[0], paths[1]);
    ck_assert_int_eq(copy.max_memory_bytes, job.max_memory_bytes);
    ck_assert_int_eq(copy.max_processes, job.max_processes);
    ck_assert_int_eq(copy.max_open_files, job.max_open_files);
    ck_assert_str_eq(copy.hidden_dir, job.hidden_dir);
    ck_assert_str_eq(copy.modules_dir, job.modules_dir);
    ck_assert_str_eq(copy.interpreter, job.interpreter);
    ck_assert_str_eq(copy.search_path, job.search_path);
    ck_assert_str_eq(copy.file_name, job.file_name);
    ck_assert_str_eq(copy.file_content, job.file_content);
    ck_assert_str_eq(copy.file_to_run, job.file_to_run);
    ck_assert_str_eq(copy.user, job.user);
    ck_assert_uint_eq(copy.argument_count, 3);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(copy.arguments[i], arguments[i]);
    ck_assert_uint_eq(copy.environment_count, 3);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(copy.environment[i], environment[i]);
    ck_assert_ptr_null(copy.environment[3]);
    ck_assert_uint_eq(copy.group_count, 2);
    ck_assert_mem_eq(copy.groups, groups, sizeof(groups));
    ck_assert(copy.change_user);
    ck_assert_uint_eq(copy.uid, job.uid);
    ck_assert_uint_eq(copy.gid, job.gid);
    ck_assert_int_eq(copy.nice, -5);
    ck_assert_int_eq(copy.cutoff_ms, job.cutoff_ms);
    ck_assert_int_eq(copy.stop_grace_ms, job.stop_grace_ms);
    ck_assert_int_eq(copy.max_output_bytes, job.max_output_bytes);
    job_free(&copy);
    buffer_free(&bytes);
}

TEST(every_truncation_of_a_job_is_refused)
{
    struct job job = good_job(), copy;
    struct buffer bytes = written(&job);
    for (size_t length = 0; length < bytes.bytes; length++) {
        char *exact =
            memory_copy(bytes.data, length); /* so that the sanitizer detects a read beyond it */
        struct error error = ERROR_INIT;
        ck_assert_int_eq(job_read(exact, length, &copy, &error), -1);
        ck_assert(error_is_set(&error));
        ck_assert_ptr_null(copy.environment);
        free(exact);
    }
    ck_assert_int_eq(buffer_append_char(&bytes, '\0'), 0);
    struct error error = ERROR_INIT;
    ck_assert_int_eq(job_read(bytes.data, bytes.bytes, &copy, &error), -1);
    buffer_free(&bytes);
}

/* An accepted job must be whole: reads every text. */
static size_t weigh(const struct job *job)
{
    size_t sum = strlen(job->vessel_run_id) + strlen(job->workdir) + strlen(job->hidden_dir) +
                 strlen(job->interpreter) + strlen(job->search_path) + strlen(job->file_name) +
                 strlen(job->file_content) + strlen(job->modules_dir) + strlen(job->file_to_run) +
                 strlen(job->user);
    for (size_t i = 0; i < job->argument_count; i++)
        sum += strlen(job->arguments[i]);
    for (size_t i = 0; i < job->environment_count; i++)
        sum += strlen(job->environment[i]);
    for (size_t i = 0; i < job->readable_count; i++)
        sum += strlen(job->readable[i]);
    for (size_t i = 0; i < job->writable_count; i++)
        sum += strlen(job->writable[i]);
    return sum;
}

TEST(a_flipped_byte_in_a_job_is_refused_or_harmless)
{
    static const unsigned char flips[] = {0x01, 0x02, 0x80, 0xff};
    struct job job = good_job(), copy;
    struct buffer bytes = written(&job);
    size_t refused = 0;
    for (size_t at = 0; at < bytes.bytes; at++) {
        for (size_t i = 0; i < ARRAY_COUNT(flips); i++) {
            char *changed = memory_copy(bytes.data, bytes.bytes);
            changed[at] = (char)(changed[at] ^ flips[i]);
            struct error error = ERROR_INIT;
            if (job_read(changed, bytes.bytes, &copy, &error) == 0) {
                ck_assert_uint_le(weigh(&copy), bytes.bytes);
                ck_assert_ptr_null(strstr(copy.file_name, "../"));
                job_free(&copy);
            } else {
                refused++;
            }
            free(changed);
        }
    }
    ck_assert_uint_gt(refused, 100);
    buffer_free(&bytes);
}

TEST(a_job_of_another_format_is_refused_by_that_name)
{
    struct job job = good_job(), copy;
    struct buffer bytes = written(&job);
    bytes.data[0] = 99;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(job_read(bytes.data, bytes.bytes, &copy, &error), -1);
    ck_assert_str_eq(error.message,
                     "webhookd-vessel reads jobs of format 5, but webhookd writes format 99: "
                     "install both programs of one version, and restart webhookd");
    buffer_free(&bytes);
}

TEST(names_that_lead_elsewhere_are_refused)
{
    static const char *const bad[] = {"",   ".",    "..",  "/etc/passwd", "a/../b",
                                      "a/", "a//b", "./a", "../a",        "a/.."};
    struct job job = good_job();
    ck_assert(is_accepted(&job));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        job = good_job();
        job.file_name = memory_string(bad[i]);
        ck_assert_msg(!is_accepted(&job), "file_name \"%s\"", bad[i]);
        struct job other = good_job();
        other.file_to_run = job.file_name;
        ck_assert_msg(!is_accepted(&other), "file_to_run \"%s\"", bad[i]);
        free(job.file_name);
    }
    job = good_job();
    job.vessel_run_id = (char[]){"../x"};
    ck_assert(!is_accepted(&job));
    job = good_job();
    job.workdir = (char[]){"runs/r"};
    ck_assert(!is_accepted(&job));
    job = good_job();
    char *nameless[] = {(char[]){"=x"}};
    job.environment = nameless;
    job.environment_count = 1;
    ck_assert(!is_accepted(&job));
    job = good_job();
    job.uid = UINT32_MAX; /* means "unchanged" to setresuid */
    ck_assert(!is_accepted(&job));
}
