/* Which run gets the next slot: fleets take turns, and each fleet has its own bound. */
#include "runner/runner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/runner_house.h"
#include "support/suite.h"

/* Applies a fleet whose runs write its letter into the diary. */
static struct id apply_letter(struct house *house, const char *diary, const char *letter,
                              const char *rest)
{
    char *file = memory_format("name: %s\nvessels:\n  only:\n    source:\n      type: CODE\n"
                               "      language: BASH\n      file_to_run: a.sh\n"
                               "      file: { name: a.sh, content: 'echo -n %s >> %s' }\n%s",
                               letter, letter, diary, rest);
    struct id id = house_apply(house, file);
    free(file);
    return id;
}

static char *make_diary(const struct house *house)
{
    char *path = memory_format("%s/diary", house->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fchmod(fd, 0666), 0);
    close(fd);
    return path;
}

static char *read_diary(const char *path)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    ck_assert_int_eq(file_read(AT_FDCWD, path, 1 << 20, &text, &error), 0);
    return buffer_take(&text);
}

/* One fleet has more scheduled runs than its line holds before the other fleets get theirs; with
 * one slot the diary shows the order. */
TEST(a_fleet_with_many_scheduled_runs_does_not_starve_the_others)
{
    enum { MANY = 150 };
    struct house house;
    struct id last, runs[MANY];
    house_open(&house, "user = \"nobody\"\nmax_vessels = 1");
    char *diary = make_diary(&house);
    struct id crowd = apply_letter(&house, diary, "c", ""),
              a = apply_letter(&house, diary, "a", ""), b = apply_letter(&house, diary, "b", "");
    for (int i = 0; i < MANY; i++)
        runs[i] = house_accept(&house, &crowd);
    (void)house_accept(&house, &a);
    (void)house_accept(&house, &b);
    (void)house_accept(&house, &a);
    last = house_accept(&house, &b);
    house_start(&house);
    ck_assert_int_eq(house_wait_until_ended(&house, &last).status, RUN_SUCCESS);
    for (int i = 0; i < MANY; i++) /* no run is forgotten */
        ck_assert_int_eq(house_wait_until_ended(&house, &runs[i]).status, RUN_SUCCESS);
    char *order = read_diary(diary);
    ck_assert_uint_eq(strlen(order), MANY + 4);
    ck_assert_msg(strncmp(order, "cabcabc", 7) == 0, "%s", order);
    free(order);
    free(diary);
    house_close(&house);
}

/* Runs start in the order in which they were accepted, however many there are. */
TEST(runs_of_one_fleet_start_in_order_even_if_its_line_is_full)
{
    enum { MANY = 200 };
    struct house house;
    struct id run = {{0}};
    house_open(&house, "user = \"nobody\"\nmax_vessels = 1");
    char *diary = make_diary(&house);
    struct id fleets[2] = {apply_letter(&house, diary, "$SHIPYARD_FLEET_LOG_ID", ""),
                           apply_letter(&house, diary, "x", "")};
    struct buffer expected = BUFFER_INIT;
    for (int i = 0; i < MANY; i++) {
        char text[ID_TEXT_BYTES];
        if (i % 3 == 0) /* runs of another fleet in between */
            (void)house_accept(&house, &fleets[1]);
        run = house_accept(&house, &fleets[0]);
        buffer_append_text(&expected, id_format(&run, text));
    }
    house_start(&house);
    ck_assert_int_eq(house_wait_until_ended(&house, &run).status, RUN_SUCCESS);
    char *order = read_diary(diary), *to = order;
    for (const char *from = order; *from != '\0'; from++)
        if (*from != 'x')
            *to++ = *from;
    *to = '\0';
    ck_assert_str_eq(order, buffer_text(&expected));
    buffer_free(&expected);
    free(order);
    free(diary);
    house_close(&house);
}

static bool is_running(struct house *house, const void *context)
{
    return house_see(house, context).status == RUN_RUNNING;
}

TEST(a_fleet_runs_no_more_runs_concurrently_than_it_allows)
{
    enum { RUNS = 6 };
    struct house house;
    struct id runs[RUNS];
    house_open(&house, "user = \"nobody\"\nmax_vessels = 8");
    char *here = house_fifo(&house, "here"), *go = house_fifo(&house, "go");
    int here_fd = house_open_fifo(here), go_fd = house_open_fifo(go);
    char *script = memory_format("echo -n x > %s; read -n 1 < %s", here, go);
    struct id fleet = house_apply_script(&house, script, "max_concurrent_runs: 2\n");
    char *diary = make_diary(&house);
    struct id other = apply_letter(&house, diary, "o", "");
    for (int i = 0; i < RUNS; i++)
        runs[i] = house_accept(&house, &fleet);
    struct id one = house_accept(&house, &other);
    house_start(&house);
    house_hear(here_fd);
    house_hear(here_fd);
    ck_assert_int_eq(house_wait_until_ended(&house, &one).status,
                     RUN_SUCCESS); /* other fleets are not delayed */
    for (int i = 2; i < RUNS; i++) {
        ck_assert_int_eq(house_see(&house, &runs[i]).status, RUN_SCHEDULED);
        ck_assert_int_eq(write(go_fd, "x", 1), 1);
        house_await(is_running, &house, &runs[i]); /* one run ends, the next one starts */
        house_hear(here_fd);
        int running = 0;
        for (int k = 0; k < RUNS; k++)
            running += house_see(&house, &runs[k]).status == RUN_RUNNING;
        ck_assert_int_eq(running, 2);
    }
    ck_assert_int_eq(write(go_fd, "xx", 2), 2);
    for (int i = 0; i < RUNS; i++)
        ck_assert_int_eq(house_wait_until_ended(&house, &runs[i]).status, RUN_SUCCESS);
    free(diary);
    free(script);
    free(here);
    free(go);
    close(here_fd);
    close(go_fd);
    house_close(&house);
}
