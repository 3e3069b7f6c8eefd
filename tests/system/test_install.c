/* make install: the places of all files, and that the installed programs find each other. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/janitor.h"
#include "support/suite.h"

static char folder[64];

static void begin(void)
{
    strcpy(folder, "/tmp/webhookd-install-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    janitor_watch(folder);
    ck_assert_int_eq(chmod(folder, 0755), 0);
}

/* Installs from a separate build, because PREFIX is compiled in. */
static void install(const char *prefix, const char *destdir)
{
    char *command =
        memory_format("unset MAKEFLAGS MFLAGS MAKELEVEL BUILD SANITIZE && "
                      "make -j2 install BUILD=%s/build PREFIX=%s SYSCONF=%s/etc DESTDIR=%s "
                      ">%s/make.log 2>&1 || { cat %s/make.log; false; }",
                      folder, prefix, prefix, destdir, folder, folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

static void assert_installed(const char *root, const char *path, mode_t mode)
{
    struct stat status;
    char *whole = memory_format("%s%s", root, path);
    ck_assert_msg(stat(whole, &status) == 0, "%s is not installed", whole);
    ck_assert_msg((status.st_mode & 0777) == mode, "%s has the mode %o", whole,
                  (unsigned)status.st_mode & 0777);
    free(whole);
}

SLOW_TEST(everything_is_below_destdir_and_names_the_prefix, 300)
{
    static const struct {
        const char *path;
        mode_t mode;
    } files[] = {
        {"/opt/w/sbin/webhookd", 0755},
        {"/opt/w/bin/webhookctl", 0755},
        {"/opt/w/libexec/webhookd/webhookd-vessel", 0755},
        {"/opt/w/share/man/man1/webhookctl.1", 0644},
        {"/opt/w/share/man/man5/webhookd.conf.5", 0644},
        {"/opt/w/share/man/man5/webhookd-fleet.5", 0644},
        {"/opt/w/share/man/man8/webhookd.8", 0644},
        {"/opt/w/share/doc/webhookd/README.md", 0644},
        {"/opt/w/share/doc/webhookd/webhookd.conf.example", 0644},
        {"/opt/w/share/doc/webhookd/examples/greet.yaml", 0644},
        {"/opt/w/share/doc/webhookd/guides/github-deploy.md", 0644},
        {"/opt/w/share/doc/webhookd/operations.md", 0644},
    };
    begin();
    char *root = memory_format("%s/root", folder);
    install("/opt/w", root);
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        assert_installed(root, files[i].path, files[i].mode);
    struct buffer unit = BUFFER_INIT;
    struct error error = ERROR_INIT;
    char *path = memory_format("%s/opt/w/lib/systemd/system/webhookd.service", root);
    ck_assert_msg(file_read(AT_FDCWD, path, 1 << 16, &unit, &error) == 0, "%s", error.message);
    ck_assert_ptr_nonnull(
        strstr(buffer_text(&unit),
               "\nExecStart=/opt/w/sbin/webhookd -c /opt/w/etc/webhookd/webhookd.conf\n"));
    ck_assert_ptr_null(strstr(buffer_text(&unit), "@PREFIX@"));
    ck_assert_ptr_null(strstr(buffer_text(&unit), "@SYSCONF@"));
    buffer_free(&unit);
    free(path);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, folder, &error), 0);
    free(root);
}

SLOW_TEST(installed_daemon_finds_its_supervisor, 300)
{
    begin();
    char *prefix = memory_format("%s/prefix", folder);
    install(prefix, "");
    char *script = memory_format("exec %s/sbin/webhookd \"$2\" \"$3\"", prefix);
    const char *wrapper[] = {"sh", "-c", script, "sh", NULL};
    struct daemon_options options = {.wrapper = wrapper};
    struct daemon daemon;
    daemon_begin(&daemon, &options);
    char *fleet = bash_fleet("Installed", "echo from a prefix");
    char *url = daemon_fleet(&daemon, fleet);
    json_t *run = api_post_and_wait(&daemon, url, "{}");
    char *output = api_output(&daemon, run, "main");
    ck_assert_str_eq(output, "from a prefix\n");
    free(output);
    json_decref(run);
    free(url);
    free(fleet);
    daemon_finish(&daemon);
    struct error error = ERROR_INIT;
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, folder, &error), 0);
    free(script);
    free(prefix);
}
