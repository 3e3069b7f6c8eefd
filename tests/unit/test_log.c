#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support/suite.h"

enum { THREADS = 4, LINES_PER_THREAD = 2000, CAPTURE_BYTES = 16 << 20 };

static struct error error = ERROR_INIT;
static FILE *captured;

/* Redirects stderr to a file from here on; captured_text returns its content. */
static void capture(void)
{
    captured = tmpfile();
    ck_assert_ptr_nonnull(captured);
    ck_assert_int_eq(dup2(fileno(captured), STDERR_FILENO), STDERR_FILENO);
}

static const char *captured_text(void)
{
    static char text[CAPTURE_BYTES];
    ssize_t bytes = pread(fileno(captured), text, sizeof(text) - 1, 0);
    ck_assert_int_ge(bytes, 0);
    text[bytes] = '\0';
    return text;
}

static void assert_line(const char *expected)
{
    ck_assert_str_eq(captured_text(), expected);
    ck_assert_int_eq(ftruncate(fileno(captured), 0), 0);
    rewind(captured);
}

TEST(a_line_before_the_start_is_written_immediately_as_documented)
{
    capture();
    struct id id;
    id_parse("01980000-0000-7000-8000-000000000001", &id);
    log_info("run accepted", log_id("run", &id), log_int("bytes", 300), log_text("from", "::1"));
    assert_line("info: run accepted run=01980000-0000-7000-8000-000000000001 bytes=300 from=::1\n");
    struct error why = ERROR_INIT;
    error_set(&why, ERROR_FULL, "no space");
    log_error("cannot store", log_why(&why), log_int("n", INT64_MIN));
    assert_line("error: cannot store error=\"no space\" n=-9223372036854775808\n");
    log_warning("w", log_text("a", NULL), log_text("b", "x"), log_id("c", NULL));
    assert_line("warning: w b=x\n");
}

TEST(levels_above_the_limit_are_not_logged)
{
    capture();
    log_debug("hidden", log_int("n", 1));
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("shown", log_int("n", 2));
    assert_line("debug: shown n=2\n");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning("hidden", log_int("n", 3));
    log_error("shown", log_int("n", 4));
    assert_line("error: shown n=4\n");
    ck_assert(!log_enabled(LOG_LEVEL_WARNING));
}

TEST(no_text_value_can_forge_a_line_or_a_field)
{
    static const struct {
        const char *value, *written;
    } cases[] = {
        {"plain", "plain"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"x\"", "\"say \\\"x\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"x\nerror: forged", "\"x\\nerror: forged\""},
        {"x\r\t\x1b[2J\x7f", "\"x\\r\\t\\x1b[2J\\x7f\""},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\xff\xc3", "\"\\xff\\xc3\""},
        {"\xc2\x9b"
         "31m",
         "\"\\xc2\\x9b31m\""},
        {"\xe2\x80\xa8", "\"\\xe2\\x80\\xa8\""},
        {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},
    };
    capture();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[200];
        snprintf(expected, sizeof(expected), "info: e v=%s n=1\n", cases[i].written);
        log_info("e", log_text("v", cases[i].value), log_int("n", 1));
        assert_line(expected);
    }
}

static json_t *captured_json(void)
{
    const char *text = captured_text();
    json_error_t problem;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    ck_assert_msg(line, "%s in %.200s", problem.text, text);
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
    ck_assert_int_eq(ftruncate(fileno(captured), 0), 0);
    rewind(captured);
    return line;
}

TEST(json_lines_are_json_whatever_the_values_are)
{
    static const struct {
        const char *value, *read;
    } cases[] = {
        {"plain", "plain"},
        {"quote\" back\\ nl\n tab\t esc\x1b", "quote\" back\\ nl\n tab\t esc\x1b"},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80"},
        {"\xff.\xc3", "\xef\xbf\xbd.\xef\xbf\xbd"},
        {"\xc2\x9b\x7f", "\xc2\x9b\x7f"},
    };
    capture();
    log_set_format(LOG_FORMAT_JSON);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        log_warning("it happened", log_text("v", cases[i].value), log_int("n", -7));
        json_t *line = captured_json();
        ck_assert_str_eq(json_string_value(json_object_get(line, "v")), cases[i].read);
        ck_assert_str_eq(json_string_value(json_object_get(line, "event")), "it happened");
        ck_assert_str_eq(json_string_value(json_object_get(line, "level")), "warning");
        ck_assert_int_eq(json_integer_value(json_object_get(line, "n")), -7);
        int64_t wall_ms;
        ck_assert_int_eq(clock_parse(json_string_value(json_object_get(line, "time")), &wall_ms),
                         0);
        ck_assert_int_eq((int64_t)json_object_size(line), 5);
        json_decref(line);
    }
}

TEST(an_overlong_line_stays_well_formed_and_is_marked)
{
    capture();
    for (size_t bytes = 7900; bytes < 8300; bytes++) {
        char *value = memory_alloc(bytes + 1);
        memset(value, bytes % 2 == 0 ? 'x' : '"', bytes);
        struct id id = id_random();
        log_set_format(LOG_FORMAT_JSON);
        log_info("long", log_text("v", value), log_id("id", &id), log_int("n", INT64_MIN),
                 log_text("w", "x"), log_text("a_longer_name", "y"));
        json_t *line = captured_json();
        ck_assert(json_is_true(json_object_get(line, "cut")) ||
                  json_object_get(line, "a_longer_name"));
        json_decref(line);

        log_set_format(LOG_FORMAT_TEXT);
        log_info("long", log_text("v", value), log_int("n", 1));
        const char *text = captured_text();
        ck_assert_uint_le(strlen(text), 8192);
        ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
        ck_assert(strstr(text, " cut=true\n") || strstr(text, " n=1\n"));
        ck_assert_int_eq(ftruncate(fileno(captured), 0), 0);
        rewind(captured);
        free(value);
    }
}

TEST(a_priority_comes_first_only_if_stderr_is_the_journal)
{
    capture();
    struct stat status;
    ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
    char stream[64];
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_error("a", log_int("n", 1));
    assert_line("<3>error: a n=1\n");
    log_info("a", log_int("n", 1));
    assert_line("<6>info: a n=1\n");
}

TEST(without_the_journal_there_is_no_priority)
{
    capture();
    setenv("JOURNAL_STREAM", "1:1", 1);
    log_info("a", log_int("n", 1));
    assert_line("info: a n=1\n");
}

TEST(logging_preserves_errno)
{
    capture();
    close(STDERR_FILENO);
    errno = ENOTEMPTY;
    log_error("a", log_int("n", 1));
    ck_assert_int_eq(errno, ENOTEMPTY);
}

static void *log_many(void *number)
{
    for (int i = 0; i < LINES_PER_THREAD; i++)
        log_info("line", log_int("thread", (int64_t)(intptr_t)number), log_int("i", i));
    return NULL;
}

TEST(the_writer_keeps_every_line_whole_and_in_each_threads_order)
{
    capture();
    ck_assert_int_eq(log_start(&error), 0);
    ck_assert_int_eq(log_start(&error), 0);
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_stop();
    log_info("after the stop", log_int("n", 1));

    /* A slow machine may lose lines, and then reports how many. */
    int next[THREADS] = {0};
    uint64_t seen = 0;
    char *text = memory_string(captured_text()), *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) && !strstr(line, "after the stop");) {
        int thread, i;
        if (strstr(line, "lines were lost"))
            continue;
        ck_assert_msg(sscanf(line, "info: line thread=%d i=%d", &thread, &i) == 2, "%s", line);
        ck_assert_int_ge(i, next[thread]);
        next[thread] = i + 1;
        seen++;
    }
    ck_assert_str_eq(rest, "");
    ck_assert_uint_eq(seen + log_lost_lines(), THREADS * LINES_PER_THREAD);
    free(text);
}

TEST(the_writer_can_be_started_again)
{
    capture();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(log_start(&error), 0);
        log_info("round", log_int("i", i));
        log_stop();
    }
    log_stop();
    assert_line("info: round i=0\ninfo: round i=1\ninfo: round i=2\n");
}

/* Makes stderr a full pipe that nobody reads yet. */
static int full_pipe(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    char filling[4096];
    memset(filling, '.', sizeof(filling) - 1);
    filling[sizeof(filling) - 1] = '\n';
    ck_assert_int_eq(write(ends[1], filling, sizeof(filling)), sizeof(filling));
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    return ends[0];
}

struct reading {
    int fd;
    char *text;
};

static void *read_to_end(void *context)
{
    struct reading *reading = context;
    reading->text = memory_alloc(CAPTURE_BYTES);
    size_t bytes = 0;
    for (ssize_t got; (got = read(reading->fd, reading->text + bytes, 65536)) > 0;)
        bytes += (size_t)got;
    return NULL;
}

/* Invariant 8. */
TEST(a_stuck_stderr_costs_lines_which_are_counted_and_reported)
{
    struct reading reading = {.fd = full_pipe()};
    ck_assert_int_eq(log_start(&error), 0);
    uint64_t written = 0;
    /* The ring is bounded: these lines are several times its capacity, and no call waits. */
    for (; written < 100000; written++)
        log_info("line", log_int("i", (int64_t)written), log_text("v", "some more characters"));
    uint64_t lost = log_lost_lines();
    ck_assert_uint_gt(lost, 0);
    ck_assert_uint_lt(lost, written);

    pthread_t reader;
    ck_assert_int_eq(pthread_create(&reader, NULL, read_to_end, &reading), 0);
    log_stop();
    close(STDERR_FILENO);
    pthread_join(reader, NULL);

    const char *report = strstr(reading.text, "warning: log lines were lost lines=");
    ck_assert_ptr_nonnull(report);
    report += strlen("warning: log lines were lost lines=");
    ck_assert_uint_eq(strtoull(report, NULL, 10), lost);
    ck_assert_ptr_null(strstr(report, "lines were lost"));
    uint64_t seen = 0;
    for (const char *at = reading.text; (at = strstr(at, "info: line i=")); at++)
        seen++;
    ck_assert_uint_eq(seen + lost, written);
    free(reading.text);
}

TEST(stopping_does_not_wait_forever_for_a_stuck_stderr)
{
    int fd = full_pipe();
    ck_assert_int_eq(log_start(&error), 0);
    log_info("never seen", log_int("n", 1));
    log_stop();
    log_info("nor this", log_int("n", 2));
    ck_assert_uint_eq(log_lost_lines(), 1);
    close(fd);
}

TEST(a_closed_stderr_loses_lines_and_nothing_else)
{
    capture();
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO); /* a write raises SIGPIPE */
    ck_assert_int_eq(log_start(&error), 0);
    log_info("lost", log_int("n", 1));
    log_info("lost", log_int("n", 2));
    log_stop();
    ck_assert_uint_eq(log_lost_lines(), 2);

    ck_assert_int_eq(dup2(fileno(captured), STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(log_start(&error), 0);
    log_info("seen", log_int("n", 3));
    log_stop();
    assert_line("info: seen n=3\nwarning: log lines were lost lines=2\n");
    close(ends[1]);
}
