/* The attempt's record: its result as lines, its lock, its pid, and the mark "started". */
#include "supervisor/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/suite.h"

enum { RESULT_AT = 64 };

static char *folder_path;

static int make_folder(void)
{
    const char *base = getenv("TMPDIR");
    folder_path = memory_format("%s/record.XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder_path));
    int fd = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void remove_folder(int fd)
{
    struct error error = ERROR_INIT;
    close(fd);
    ck_assert_msg(file_remove_tree(AT_FDCWD, folder_path, &error) == 0, "%s", error.message);
    free(folder_path);
}

static int take_record(int folder_fd, int *lock_fd)
{
    struct error error = ERROR_INIT;
    int fd = record_take(folder_fd, "r.1", lock_fd, &error);
    ck_assert_msg(fd >= 0 && *lock_fd >= 0, "%s", error.message);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(*lock_fd, F_GETFD), FD_CLOEXEC);
    return fd;
}

/* A record to write to, and one to read from. */
struct ends {
    int folder_fd, write_fd, read_fd;
};

static void open_ends(struct ends *ends)
{
    int lock_fd;
    ends->folder_fd = make_folder();
    ends->write_fd = take_record(ends->folder_fd, &lock_fd);
    close(lock_fd);
    ends->read_fd = record_open(ends->folder_fd, "r.1");
    ck_assert_int_ge(ends->read_fd, 0);
}

static void close_ends(const struct ends *ends)
{
    close(ends->read_fd);
    close(ends->write_fd);
    remove_folder(ends->folder_fd);
}

TEST(a_result_is_read_as_it_was_written)
{
    struct ends ends;
    struct error error = ERROR_INIT;
    struct attempt_result read, exit = {
                                    .ending = ATTEMPT_NOT_STARTED,
                                    .exit_code = 127,
                                    .started_ms = 0,
                                    .ended_ms = 1764000000123,
                                    .output_bytes = 10485760,
                                    .output_cut = true,
                                };
    open_ends(&ends);
    ck_assert_int_eq(record_read_result(ends.read_fd, &read, &error), 0);
    ck_assert_int_eq(record_pid_write(ends.write_fd, 12345, &error), 0);
    ck_assert_int_eq(record_mark_started(ends.write_fd), 0);
    ck_assert_int_eq(record_read_result(ends.read_fd, &read, &error), 0);
    (void)snprintf(exit.reason, sizeof(exit.reason), "bash: No such file or directory in /bin");
    ck_assert_int_eq(record_write_result(ends.write_fd, &exit, &error), 0);
    ck_assert_msg(record_read_result(ends.read_fd, &read, &error) == 1, "%s", error.message);
    ck_assert_int_eq(read.ending, ATTEMPT_NOT_STARTED);
    ck_assert_int_eq(read.exit_code, 127);
    ck_assert_int_eq(read.started_ms, 0);
    ck_assert_int_eq(read.ended_ms, 1764000000123);
    ck_assert_int_eq(read.output_bytes, 10485760);
    ck_assert(read.output_cut);
    ck_assert_str_eq(read.reason, exit.reason);

    /* The longest reason, and an empty one; a newline cannot forge a line. */
    memset(exit.reason, 'x', sizeof(exit.reason) - 1);
    exit.reason[5] = '\n';
    ck_assert_int_eq(ftruncate(ends.write_fd, 0), 0);
    ck_assert_int_eq(record_write_result(ends.write_fd, &exit, &error), 0);
    ck_assert_int_eq(record_read_result(ends.read_fd, &read, &error), 1);
    ck_assert_uint_eq(strlen(read.reason), sizeof(exit.reason) - 1);
    ck_assert_int_eq(read.reason[5], '?');
    exit.reason[0] = '\0';
    exit.ending = ATTEMPT_EXITED;
    ck_assert_int_eq(ftruncate(ends.write_fd, 0), 0);
    ck_assert_int_eq(record_write_result(ends.write_fd, &exit, &error), 0);
    ck_assert_int_eq(record_read_result(ends.read_fd, &read, &error), 1);
    ck_assert_str_eq(read.reason, "");
    ck_assert_int_eq(read.ending, ATTEMPT_EXITED);
    ck_assert_int_eq(record_write_result(-1, &exit, &error), -1);
    close_ends(&ends);
}

static int read_text(const struct ends *ends, const char *text, size_t bytes)
{
    struct error error = ERROR_INIT;
    struct attempt_result exit;
    ck_assert_int_eq(ftruncate(ends->write_fd, RESULT_AT), 0);
    ck_assert_int_eq(pwrite(ends->write_fd, text, bytes, RESULT_AT), bytes);
    int result = record_read_result(ends->read_fd, &exit, &error);
    ck_assert_int_eq(error.kind, result < 0 ? ERROR_INVALID : ERROR_NONE);
    return result;
}

TEST(half_a_result_is_damaged)
{
    struct ends ends;
    struct error error = ERROR_INIT;
    struct attempt_result exit = {.ending = ATTEMPT_CUTOFF, .exit_code = 143, .ended_ms = 5};
    char text[1024];
    open_ends(&ends);
    ck_assert_int_eq(record_write_result(ends.write_fd, &exit, &error), 0);
    ssize_t bytes = pread(ends.read_fd, text, sizeof(text), RESULT_AT);
    ck_assert_int_gt(bytes, 0);
    ck_assert_int_eq(read_text(&ends, text, (size_t)bytes), 1);
    for (size_t part = 1; part < (size_t)bytes; part++)
        ck_assert_int_eq(read_text(&ends, text, part), -1);
    char zeros[64] = {0};
    ck_assert_int_eq(read_text(&ends, zeros, sizeof(zeros)), -1);

    static const char later[] = "colour blue\n";
    memcpy(text + bytes, later, sizeof(later));
    ck_assert_int_eq(read_text(&ends, text, (size_t)bytes + strlen(later)), 1);
    text[strlen("format ")] = '2';
    ck_assert_int_eq(read_text(&ends, text, (size_t)bytes), -1);
    close_ends(&ends);
}

TEST(a_folder_in_place_of_a_record_is_damage)
{
    int folder_fd = make_folder(), lock_fd;
    struct error error = ERROR_INIT;
    struct attempt_result exit;
    ck_assert_int_eq(mkdirat(folder_fd, "r.1", 0700), 0);
    int fd = record_open(folder_fd, "r.1");
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(record_read_result(fd, &exit, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    error_clear(&error);
    ck_assert_int_eq(record_take(folder_fd, "r.1", &lock_fd, &error), -1);
    ck_assert_int_eq(record_has_started(fd), -1);
    close(fd);
    remove_folder(folder_fd);
}

TEST(a_lock_is_held_until_its_last_descriptor_is_closed)
{
    int folder_fd = make_folder(), lock_fd, other_fd;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(record_open(folder_fd, "r.1"), -1);
    ck_assert_int_eq(errno, ENOENT);
    int fd = take_record(folder_fd, &lock_fd);
    int look_fd = record_open(folder_fd, "r.1");
    ck_assert_int_eq(record_lock_is_held(look_fd), 1);
    ck_assert_int_eq(record_lock_is_held(fd), 1); /* fd itself does not hold the lock */
    ck_assert_int_eq(record_take(folder_fd, "r.1", &other_fd, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    ck_assert_int_eq(other_fd, -1);

    int copy_fd = dup(lock_fd);
    close(lock_fd);
    ck_assert_int_eq(record_lock_is_held(look_fd), 1);
    close(copy_fd);
    ck_assert_int_eq(record_lock_is_held(look_fd), 0);
    ck_assert_int_eq(record_lock_is_held(fd), 0); /* querying the lock does not take it */
    close(fd);
    fd = take_record(folder_fd, &lock_fd);
    ck_assert_int_eq(record_lock_is_held(look_fd), 1);
    ck_assert_int_eq(record_lock_is_held(-1), -1);
    close(look_fd);
    close(lock_fd);
    close(fd);
    remove_folder(folder_fd);
}

/* The record may come from an attempt that provably never ran. */
TEST(a_record_that_is_taken_again_is_empty)
{
    struct ends ends;
    struct error error = ERROR_INIT;
    struct attempt_result exit = {.ending = ATTEMPT_EXITED};
    int lock_fd;
    open_ends(&ends);
    ck_assert_int_eq(record_pid_write(ends.write_fd, 7, &error), 0);
    ck_assert_int_eq(record_mark_started(ends.write_fd), 0);
    ck_assert_int_eq(record_write_result(ends.write_fd, &exit, &error), 0);
    close(take_record(ends.folder_fd, &lock_fd));
    close(lock_fd);
    ck_assert_int_eq(record_pid_read(ends.read_fd), 0);
    ck_assert_int_eq(record_has_started(ends.read_fd), 0);
    ck_assert_int_eq(record_read_result(ends.read_fd, &exit, &error), 0);
    close_ends(&ends);
}

TEST(a_pid_is_read_whole_or_not_at_all)
{
    static const char *const bad[] = {"pid 12",    "x\n",
                                      "pid 0\n",   "pid -5\n",
                                      "pid 1 2\n", "pid  12\n",
                                      "12\n",      "pid 99999999999\n",
                                      "pid \n",    "pid 1234567890123456789012345678901234567\n"};
    struct ends ends;
    struct error error = ERROR_INIT;
    open_ends(&ends);
    ck_assert_int_eq(record_pid_read(ends.read_fd), 0);
    ck_assert_int_eq(record_pid_write(ends.write_fd, 4194304, &error), 0);
    ck_assert_int_eq(record_pid_read(ends.read_fd), 4194304);
    ck_assert_int_eq(record_mark_started(ends.write_fd), 0);
    ck_assert_int_eq(record_pid_read(ends.read_fd), 4194304);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        ck_assert_int_eq(ftruncate(ends.write_fd, 0), 0);
        ck_assert_int_eq(pwrite(ends.write_fd, bad[i], strlen(bad[i]), 0), strlen(bad[i]));
        ck_assert_msg(record_pid_read(ends.read_fd) == -1, "\"%s\"", bad[i]);
    }
    close_ends(&ends);
    ck_assert_int_eq(record_pid_read(-1), -1);
    ck_assert_int_eq(record_pid_write(-1, 7, &error), -1);
}

TEST(started_is_reported_once_it_was_marked)
{
    struct ends ends;
    struct error error = ERROR_INIT;
    open_ends(&ends);
    ck_assert_int_eq(record_has_started(ends.read_fd), 0);
    ck_assert_int_eq(record_pid_write(ends.write_fd, 7, &error), 0);
    ck_assert_int_eq(record_has_started(ends.read_fd), 0);
    ck_assert_int_eq(record_mark_started(ends.write_fd), 0);
    ck_assert_int_eq(record_has_started(ends.read_fd), 1);
    ck_assert_int_eq(record_mark_started(-1), -1);
    ck_assert_int_eq(record_has_started(-1), -1);

    /* An attempt that could not be started has a result nevertheless. */
    struct attempt_result exit = {.ending = ATTEMPT_NOT_STARTED, .exit_code = 127};
    ck_assert_int_eq(ftruncate(ends.write_fd, 0), 0);
    ck_assert_int_eq(record_write_result(ends.write_fd, &exit, &error), 0);
    ck_assert_int_eq(record_has_started(ends.read_fd), 0);
    ck_assert_int_eq(record_read_result(ends.read_fd, &exit, &error), 1);
    char name[RECORD_NAME_BYTES];
    ck_assert_str_eq(record_name("0198c0de-0000-7000-8000-000000000001", 25, name),
                     "0198c0de-0000-7000-8000-000000000001.25");
    close_ends(&ends);
}
