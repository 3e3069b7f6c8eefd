/* Large bodies on their way to the disk. */
#include "support/suite.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "queue/spool.h"
#include "store/fleets.h"
#include "store/sqlite/connection.h"

static char folder[] = "/tmp/webhookd-spool-XXXXXX";
static int state_fd;
static struct store_options options;
static sem_t done;
static struct error last_error;

static void on_done(void *context, const struct error *error)
{
    (void)context;
    last_error = error ? *error : (struct error)ERROR_INIT;
    sem_post(&done);
}

static void await_done(void)
{
    while (sem_wait(&done) != 0)
        ;
}

static void begin(void)
{
    struct error error = ERROR_INIT;
    ck_assert_int_eq(secret_init(&error), 0);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    state_fd = file_open_folder(AT_FDCWD, folder, 0700, &error);
    options = (struct store_options){
        .state_dir = folder, .location = "sqlite:webhookd.db", .mode = STORE_WRITE};
    struct store *store = store_open(&options, &error);
    ck_assert_msg(store, "%s", error.message);
    store_close(store);
    sem_init(&done, 0, 0);
}

static struct spool *start(void)
{
    struct error error = ERROR_INIT;
    struct spool *spool = spool_start(state_fd, &options, &error);
    ck_assert_msg(spool, "%s", error.message);
    return spool;
}

static void finish(void)
{
    struct error error = ERROR_INIT;
    close(state_fd);
    ck_assert_msg(file_remove_tree(AT_FDCWD, folder, &error) == 0, "%s", error.message);
}

static bool is_there(const struct id *id, const char *suffix)
{
    char text[ID_TEXT_BYTES];
    char *path = memory_format("spool/%s%s", id_format(id, text), suffix);
    bool there = faccessat(state_fd, path, F_OK, 0) == 0;
    free(path);
    return there;
}

static char *stored(const struct id *id)
{
    struct error error = ERROR_INIT;
    int fd = spool_open(state_fd, id, &error);
    ck_assert_msg(fd >= 0, "%s", error.message);
    char *text = memory_alloc(1024);
    ck_assert_int_ge((int)file_read_all(fd, text, 1023), 0);
    close(fd);
    return text;
}

TEST(pieces_become_one_synced_file_with_its_hash)
{
    begin();
    struct spool *spool = start();
    struct id id = id_ordered();
    struct spool_body *body = spool_body_new(spool, &id, on_done, NULL);
    spool_append(body, "one, ", 5);
    await_done();
    ck_assert(is_there(&id, ".part"));
    ck_assert(!is_there(&id, ""));
    spool_append(body, "two", 3);
    await_done();
    spool_finish(body);
    await_done();
    ck_assert_int_eq(last_error.kind, ERROR_NONE);
    uint8_t hash[SECRET_HASH_BYTES], expected[SECRET_HASH_BYTES];
    spool_body_hash(body, hash);
    secret_hash("one, two", 8, expected);
    ck_assert_mem_eq(hash, expected, sizeof(hash));
    spool_keep(body);
    spool_stop(spool);
    ck_assert(!is_there(&id, ".part"));
    char *text = stored(&id);
    ck_assert_str_eq(text, "one, two");
    free(text);
    finish();
}

TEST(a_discarded_body_leaves_no_file_whatever_its_stage)
{
    begin();
    struct spool *spool = start();
    struct id ids[3] = {id_ordered(), id_ordered(), id_ordered()};
    struct spool_body *bodies[3];
    for (int i = 0; i < 3; i++)
        bodies[i] = spool_body_new(spool, &ids[i], on_done, NULL);
    spool_append(bodies[1], "x", 1);
    await_done();
    spool_append(bodies[2], "x", 1);
    await_done();
    spool_finish(bodies[2]);
    await_done();
    ck_assert(is_there(&ids[2], ""));
    for (int i = 0; i < 3; i++)
        spool_discard(bodies[i]);
    spool_stop(spool);
    for (int i = 0; i < 3; i++) {
        ck_assert(!is_there(&ids[i], ""));
        ck_assert(!is_there(&ids[i], ".part"));
    }
    finish();
}

TEST(a_body_that_cannot_be_written_reports_the_reason)
{
    begin();
    struct spool *spool = start();
    struct id id = id_ordered();
    char text[ID_TEXT_BYTES];
    char *path = memory_format("spool/%s.part", id_format(&id, text));
    ck_assert_int_eq(mkdirat(state_fd, path, 0700), 0); /* blocks the name of the body's file */
    struct spool_body *body = spool_body_new(spool, &id, on_done, NULL);
    spool_append(body, "x", 1);
    await_done();
    ck_assert_int_ne(last_error.kind, ERROR_NONE);
    ck_assert_ptr_nonnull(strstr(last_error.message, text));
    spool_discard(body);
    spool_stop(spool);
    ck_assert_int_eq(unlinkat(state_fd, path, AT_REMOVEDIR), 0);
    free(path);
    finish();
}

TEST(a_start_removes_bodies_without_a_run_and_nothing_else)
{
    begin();
    struct error error = ERROR_INIT;
    struct id with_run = id_ordered(), orphan = id_ordered(), part = id_ordered();
    ck_assert_int_eq(spool_write_now(state_fd, &with_run, "kept", 4, &error), 0);
    ck_assert_int_eq(spool_write_now(state_fd, &orphan, "gone", 4, &error), 0);
    char text[ID_TEXT_BYTES];
    char *path = memory_format("spool/%s.part", id_format(&part, text));
    int fd = openat(state_fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    free(path);

    struct store *store = store_open(&options, &error);
    struct id org_id, project_id;
    struct definition_vessel vessel = {.name = (char[]){"main"},
                                       .file_name = (char[]){"a"},
                                       .file_content = (char[]){""},
                                       .file_to_run = (char[]){"a"},
                                       .guardrails.cutoff_ms = GUARDRAIL_MAX_CUTOFF_MS};
    struct definition definition = {
        .name = (char[]){"Fleet"}, .vessels = &vessel, .vessel_count = 1};
    struct apply_result applied;
    struct run_ids ids;
    struct run_input input = {.request_id = with_run,
                              .remote_addr = "",
                              .host = "",
                              .query = "",
                              .event = "",
                              .headers_json = "{}",
                              .headers_bytes = 2,
                              .body_place = BODY_SPOOLED,
                              .body_bytes = 4};
    ck_assert_int_eq(transaction_begin(store, &error), 0);
    ck_assert_int_eq(store_create_org(store, "o", 1, &org_id, &error), 0);
    ck_assert_int_eq(store_create_project(store, &org_id, "p", 1, &project_id, &error), 0);
    const struct fleet_application application = {
        .project_id = &project_id, .definition = &definition, .file = "x", .file_bytes = 1};
    ck_assert_int_eq(store_apply_fleet(store, &application, 1, &applied, &error), 0);
    ck_assert_int_eq(store_accept_run(store, &applied.fleet_id, &input, &ids, &error), 0);
    ck_assert_int_eq(transaction_commit(store, &error), 0);
    store_close(store);

    struct spool *spool = start();
    int64_t until_ms = clock_monotonic_ms() + 20000;
    while (is_there(&orphan, "") && clock_monotonic_ms() < until_ms)
        usleep(1000);
    spool_stop(spool);
    ck_assert(!is_there(&orphan, ""));
    ck_assert(!is_there(&part, ".part"));
    char *kept = stored(&with_run);
    ck_assert_str_eq(kept, "kept");
    free(kept);
    finish();
}

TEST(a_copy_has_the_same_bytes_and_is_independent)
{
    begin();
    struct error error = ERROR_INIT;
    struct id from = id_ordered(), to = id_ordered(), missing = id_ordered();
    ck_assert_int_eq(spool_write_now(state_fd, &from, "bytes", 5, &error), 0);
    ck_assert_int_eq(spool_copy_now(state_fd, &from, &to, &error), 0);
    spool_remove_now(state_fd, &from);
    ck_assert(!is_there(&from, ""));
    char *text = stored(&to);
    ck_assert_str_eq(text, "bytes");
    free(text);
    ck_assert_int_eq(spool_copy_now(state_fd, &missing, &from, &error), -1);
    ck_assert(!is_there(&from, ""));
    ck_assert(!is_there(&from, ".part"));
    finish();
}
