/* A hostile vessel under the real daemon: in strict mode its attempts gain nothing, even after
 * webhookd was restarted and has created its socket again. The same script, in a fleet without a
 * sandbox that runs as root, gets through every door. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/daemon.h"
#include "support/http.h"
#include "support/suite.h"

/* Prints a word for each door that opens: tries all, waits until the daemon has stopped and started
 * again, and tries all again. */
static const char hostile[] =
    "python3 - <<'END'\n"
    "import os, socket, sqlite3, subprocess, time\n"
    "FOLDER = '%s'\n"
    "def opens(word, action):\n"
    "    try:\n"
    "        if action() is not False:\n"
    "            print(word, flush=True)\n"
    "    except Exception:\n"
    "        pass\n"
    "def talk():\n"
    "    s = socket.socket(socket.AF_UNIX)\n"
    "    s.connect(FOLDER + '/admin.sock')\n"
    "    s.sendall(b'GET /api/v1/status HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n')\n"
    "    return b' 200 ' in s.recv(100)\n"
    "def query():\n"
    "    base = sqlite3.connect('file:' + FOLDER + '/state/webhookd.db?mode=ro', uri=True)\n"
    "    return base.execute('SELECT count(*) FROM sqlite_master').fetchone()[0] > 0\n"
    "def read(path):\n"
    "    return len(open(FOLDER + path, 'rb').read()) > 0\n"
    "def bodies():\n"
    "    names = os.listdir(FOLDER + '/state/spool')\n"
    "    return len(names) > 0 and read('/state/spool/' + names[0])\n"
    "def daemon():\n"
    "    return int(open(FOLDER + '/shared/pid').read())\n"
    "def look():\n"
    "    opens('key', lambda: read('/state/secret.key'))\n"
    "    opens('database', query)\n"
    "    opens('configuration', lambda: read('/webhookd.conf'))\n"
    "    opens('tls', lambda: read('/tls.key'))\n"
    "    opens('body', bodies)\n"
    "    opens('signal', lambda: os.kill(daemon(), 0))\n"
    "    opens('trace', lambda: os.listdir('/proc/%%d/fd' %% daemon()))\n"
    "    opens('socket', talk)\n"
    "look()\n"
    "print('--', flush=True)\n"
    "open(FOLDER + '/shared/waits', 'w').close()\n"
    "while not os.path.exists(FOLDER + '/shared/go'):\n"
    "    time.sleep(0.02)\n"
    "look()\n"
    "END\n";

static void write_shared(const struct daemon *daemon, const char *name, const char *text)
{
    char *path = memory_format("%s/shared/%s.new", daemon->folder, name),
         *final = memory_format("%s/shared/%s", daemon->folder, name);
    FILE *file = fopen(path, "w");
    ck_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    ck_assert_int_eq(rename(path, final), 0);
    free(path);
    free(final);
}

static void write_pid(const struct daemon *daemon)
{
    char text[32];
    snprintf(text, sizeof(text), "%d\n", (int)daemon->pid);
    write_shared(daemon, "pid", text);
}

static void await_shared(const struct daemon *daemon, const char *name)
{
    char *path = memory_format("%s/shared/%s", daemon->folder, name);
    for (int i = 0; access(path, F_OK) != 0; i++) {
        ck_assert_msg(i < 3000, "%s did not appear", path);
        usleep(10000);
    }
    free(path);
}

/* The rights of webhookd itself. Tests that do not run as root run it with their own rights. */
enum rights { AS_ROOT, AS_NOBODY };
enum { NOBODY = 65534 };

static const char *const as_nobody[] = {"setpriv", "--reuid=65534", "--regid=65534",
                                        "--clear-groups", NULL};

/* Whether webhookd can run as nobody; its programs may be in a folder that only root may enter. */
static bool can_be_nobody(void)
{
    char *program = daemon_program("webhookd");
    char *command =
        memory_format("setpriv --reuid=65534 --regid=65534 --clear-groups test -x '%s'", program);
    bool can = geteuid() == 0 && system(command) == 0;
    free(command);
    free(program);
    return can;
}

/* The shared folder is all that both modes see. Its name is known only once the daemon's folder
 * exists. */
static void begin(struct daemon *daemon, const char *sandbox, enum rights rights, char **shown)
{
    static const struct daemon_options plain = {.sandbox = NULL};
    daemon_prepare(daemon, &plain);
    char *shared = memory_format("%s/shared", daemon->folder);
    ck_assert_int_eq(mkdir(shared, 0777) | chmod(shared, 0777), 0);
    *shown = memory_format("writable = { \"%s\" }%s", shared,
                           rights == AS_ROOT && geteuid() == 0
                               ? "\n}\nfleet \"default/default/Open\" {\n"
                                 "sandbox = \"off\"\nuser = \"root\"\n"
                               : "");
    struct daemon_options options = {.sandbox = sandbox, .runner = *shown};
    if (rights == AS_NOBODY)
        options.wrapper = as_nobody;
    daemon_configure(daemon, &options);
    char *tls_key = daemon_write_file(daemon, "tls.key", "key\n", 4);
    if (rights == AS_NOBODY)
        ck_assert_int_eq(chown(daemon->folder, NOBODY, NOBODY) | chown(tls_key, NOBODY, NOBODY), 0);
    ck_assert_int_eq(chmod(tls_key, 0600), 0);
    free(tls_key);
    daemon_restart(daemon);
    write_pid(daemon);
    free(shared);
}

/* POSTs a body that is too long for the database, so that it is a file in the state folder. */
static void post_large(const char *url)
{
    struct response response;
    char *body = memory_alloc(1 << 20);
    memset(body, 'x', 1 << 20);
    http_post(url, NULL, body, 1 << 20, &response);
    ck_assert_int_eq(response.status, 201);
    response_free(&response);
    free(body);
}

static void check_doors(const char *name, const char *sandbox, enum rights rights,
                        const char *opened)
{
    struct daemon daemon;
    char *shown;
    begin(&daemon, sandbox, rights, &shown);
    char *script = memory_format(hostile, daemon.folder);
    char *fleet = bash_fleet(name, script), *other = bash_fleet("Other", "sleep 0\n");
    char *other_url = daemon_fleet(&daemon, other), *url = daemon_fleet(&daemon, fleet);
    post_large(other_url);
    free(ctl_ok(&daemon, "run", "wait", "latest", NULL));
    struct response response;
    http_post(url, NULL, "x", 1, &response);
    ck_assert_int_eq(response.status, 201);
    response_free(&response);
    await_shared(&daemon, "waits");
    ck_assert_int_eq(daemon_stop(&daemon), 0);
    daemon_restart(&daemon);
    write_pid(&daemon);
    write_shared(&daemon, "go", "");
    char *state = ctl_ok(&daemon, "run", "wait", "latest", NULL);
    char *output = ctl_ok(&daemon, "run", "log", "latest", "main", NULL);
    ck_assert_str_eq(output, opened);
    ck_assert_str_eq(state, "success");
    char *freed[] = {output, state, url, other_url, other, fleet, script};
    for (size_t i = 0; i < ARRAY_COUNT(freed); i++)
        free(freed[i]);
    daemon_finish(&daemon);
    free(shown);
}

TEST(hostile_vessel_gets_nothing)
{
    check_doors("Hostile", "strict", AS_ROOT, "--");
}

TEST(hostile_vessel_of_an_unprivileged_daemon_gets_nothing)
{
    if (can_be_nobody())
        check_doors("Hostile", "strict", AS_NOBODY, "--");
    else
        test_skip("webhookd cannot be run as nobody from here");
}

#define ALL_DOORS "key\ndatabase\nconfiguration\ntls\nbody\nsignal\ntrace\nsocket"

TEST(without_isolation_every_door_is_open)
{
    if (geteuid() != 0)
        check_doors("Hostile", "off", AS_ROOT, ALL_DOORS "\n--\n" ALL_DOORS);
    else if (can_be_nobody())
        check_doors("Hostile", "off", AS_NOBODY, ALL_DOORS "\n--\n" ALL_DOORS);
    else
        test_skip("webhookd cannot be run as nobody from here");
}

/* The state folder is hidden even from vessels that run as root. */
#define ROOTS_DOORS "configuration\ntls\nsignal\ntrace\nsocket"

TEST(a_fleet_that_runs_as_root_gets_everything_but_the_state_folder)
{
    if (geteuid() == 0)
        check_doors("Open", "strict", AS_ROOT, ROOTS_DOORS "\n--\n" ROOTS_DOORS);
    else
        test_skip("only root can give a fleet to root");
}

TEST(status_and_log_show_how_vessels_run)
{
    struct daemon daemon;
    char *shown;
    begin(&daemon, "strict", AS_ROOT, &shown);
    char *status = ctl_ok(&daemon, "status", NULL);
    daemon_await_log(&daemon, "sandbox=strict");
    if (geteuid() == 0)
        daemon_await_log(&daemon, "fleet with a different sandbox");
    ck_assert_ptr_nonnull(strstr(status, "sandbox strict"));
    free(status);
    daemon_finish(&daemon);
    free(shown);
}
