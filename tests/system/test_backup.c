/* A backup under load, and a restore from it with tar. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "support/aftermath.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/janitor.h"
#include "support/suite.h"

#define LARGE_BYTES 300001

static const struct daemon_options plain;

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char command[2000];
    va_list list;
    va_start(list, format);
    vsnprintf(command, sizeof(command), format, list);
    va_end(list);
    return system(command);
}

struct poster {
    const char *url;
    atomic_bool stop;
    pthread_t thread;
};

static void *post_on(void *argument)
{
    struct poster *poster = argument;
    while (!atomic_load(&poster->stop))
        free(api_post(poster->url, "{}", 2));
    return NULL;
}

TEST(a_restore_brings_everything_back)
{
    struct daemon daemon;
    char *body = memory_alloc(LARGE_BYTES);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        body[i] = (char)(i * 7);
    daemon_begin(&daemon, &plain);
    char *fleet = bash_fleet("Kept", "echo \"said of $(wc -c < \"$SHIPYARD_WEBHOOK_BODY_FILE\")\"");
    char *url = daemon_fleet(&daemon, fleet);
    char *large = api_post(url, body, LARGE_BYTES), *small = api_post(url, "small", 5);
    json_decref(api_await_end(&daemon, large));
    json_decref(api_await_end(&daemon, small));
    char *old_url = ctl_ok(&daemon, "webhook", "show", "Kept", NULL);

    struct poster poster = {/* The backup delays no request, and yet shows a single moment. */
                            .url = url};
    ck_assert_int_eq(pthread_create(&poster.thread, NULL, post_on, &poster), 0);
    char *file = memory_format("%s/backup.tar", daemon.folder);
    char *said = ctl_ok(&daemon, "backup", file, NULL);
    ck_assert_ptr_nonnull(strstr(said, "backup.tar: "));
    atomic_store(&poster.stop, true);
    pthread_join(poster.thread, NULL);
    struct stat status;
    ck_assert_int_eq(stat(file, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    ck_assert_int_eq(shell("tar -tf %s | grep -q secret", file), 256); /* never contains the key */
    ck_assert_int_ne(shell("test -e %s/backup.tmp", daemon.state_dir), 0);
    ck_assert_int_eq(daemon_stop(&daemon), 0);

    /* As the manual describes it: an empty folder, the archive, and the separately kept key. */
    ck_assert_int_eq(shell("cp %s/secret.key %s/key && rm -rf %s && mkdir -m 0700 %s && "
                           "tar -C %s -xf %s && cp %s/key %s/secret.key",
                           daemon.state_dir, daemon.folder, daemon.state_dir, daemon.state_dir,
                           daemon.state_dir, file, daemon.folder, daemon.state_dir),
                     0);
    daemon_restart(&daemon);
    aftermath_assert_sound(daemon.state_dir);
    char *new_url = ctl_ok(&daemon, "webhook", "show", "Kept", NULL);
    ck_assert_str_eq(new_url, old_url);
    char *out;
    size_t bytes;
    ck_assert_int_eq(ctl(&daemon, &out, &bytes, NULL, "run", "body", large, NULL), 0);
    ck_assert_uint_eq(bytes, LARGE_BYTES);
    ck_assert_mem_eq(out, body, bytes);
    free(out);
    char *log = ctl_ok(&daemon, "run", "log", large, NULL);
    ck_assert_str_eq(log, "said of 300001");
    free(log);
    log = ctl_ok(&daemon, "run", "log", small, NULL);
    ck_assert_str_eq(log, "said of 5");
    char *here = memory_format("http://127.0.0.1:%u%s", daemon.port, url_path(new_url));
    free(api_post(here, "after", 5));
    free(here);
    free(log);
    free(new_url);
    free(old_url);
    free(said);
    free(file);
    free(small);
    free(large);
    free(url);
    free(fleet);
    free(body);
    daemon_finish(&daemon);
}

/* The attempt's files are not in the archive; it must not be mistaken for an attempt that never
 * ran. */
TEST(a_run_that_was_running_is_interrupted_by_a_restore_and_does_not_run_again)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *diary = daemon_write_file(&daemon, "diary", "", 0);
    ck_assert_int_eq(chmod(diary, 0666), 0);
    char *script = memory_format("echo ran >> %s; exec sleep 1000", diary);
    char *fleet = bash_fleet("Runs", script), *url = daemon_fleet(&daemon, fleet);
    char *id = api_post(url, "x", 1);
    for (int tries = 0; shell("grep -q ran %s", diary) != 0; tries++) {
        ck_assert_int_lt(tries, 2000);
        usleep(10000);
    }
    char *file = memory_format("%s/backup.tar", daemon.folder);
    free(ctl_ok(&daemon, "backup", file, NULL));
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    while (janitor_signal_supervisors(daemon.state_dir, SIGTERM) > 0)
        usleep(10000);
    ck_assert_int_eq(shell("cp %s/secret.key %s/key && rm -rf %s && mkdir -m 0700 %s && "
                           "tar -C %s -xf %s && cp %s/key %s/secret.key",
                           daemon.state_dir, daemon.folder, daemon.state_dir, daemon.state_dir,
                           daemon.state_dir, file, daemon.folder, daemon.state_dir),
                     0);
    daemon_restart(&daemon);
    json_t *run = api_await_end(&daemon, id);
    ck_assert_str_eq(api_text(run, "status"), "errored");
    const char *reason = json_string_value(json_object_get(api_vessel(run, "main"), "reason"));
    ck_assert_msg(strncmp(reason, "interrupted: ", 13) == 0, "%s", reason);
    ck_assert_int_eq(shell("test $(wc -l < %s) = 1", diary), 0);
    json_decref(run);
    free(file);
    free(id);
    free(url);
    free(fleet);
    free(script);
    free(diary);
    daemon_finish(&daemon);
}

TEST(a_backup_that_fails_leaves_no_file)
{
    struct daemon daemon;
    daemon_begin(&daemon, &plain);
    char *out, *err;
    ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "backup", "/nonexistent/file", NULL), 1);
    ck_assert_ptr_nonnull(strstr(err, "cannot create \"/nonexistent/file."));
    free(out);
    free(err);
    char *file = memory_format("%s/backup.tar", daemon.folder);
    ck_assert_int_eq(shell("chmod 0500 %s", daemon.state_dir), 0);
    if (geteuid() != 0) { /* root may write anywhere */
        ck_assert_int_eq(ctl(&daemon, &out, NULL, &err, "backup", file, NULL), 1);
        ck_assert_int_eq(shell("test ! -e %s -a ! -e %s.part", file, file), 0);
        free(out);
        free(err);
    }
    ck_assert_int_eq(shell("chmod 0700 %s", daemon.state_dir), 0);
    free(file);
    daemon_finish(&daemon);
}
