/* Packages as owners and operators see them: the work that begins with fleet apply, its state and
 * log, new versions, the environments and their removal. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/packages.h"
#include "support/suite.h"

/* ---- the daemon and its fleets ---- */

struct port {
    struct daemon daemon;
    char wheels[96]; /* the folder of pip_find_links */
    char *packages;  /* the section of the configuration */
};

static bool set_up(struct port *port)
{
    char folder[] = "/tmp/webhookd-wheels-XXXXXX";
    if (!packages_have_pip())
        return false;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    (void)snprintf(port->wheels, sizeof(port->wheels), "%s", folder);
    packages_write_wheels(folder, "/nonexistent/mark");
    port->packages = memory_format("  pip_index = \"\"\n  pip_find_links = { \"%s\" }\n", folder);
    daemon_begin(&port->daemon, &(struct daemon_options){.packages = port->packages});
    return true;
}

static void tear_down(struct port *port)
{
    struct error error = ERROR_INIT;
    daemon_finish(&port->daemon);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, port->wheels, &error), 0);
    free(port->packages);
}

/* Writes a fleet file with one Python vessel, "main", that prints the version of harbour. Free the
 * path. */
static char *write_fleet(struct port *port, const char *name, const char *package)
{
    char *file = memory_format("name: %s\nvessels:\n  main:\n    source:\n      type: CODE\n"
                               "      language: PYTHON\n      file:\n        name: main.py\n"
                               "        content: |\n          import harbour, os\n"
                               "          print('uses', harbour.VERSION, flush=True)\n"
                               "          while os.path.exists('%s/hold'):\n"
                               "              pass\n"
                               "      packages: [{name: %s}]\n",
                               name, port->wheels, package);
    char *file_name = memory_format("%s.yaml", name);
    char *path = daemon_write_file(&port->daemon, file_name, file, strlen(file));
    free(file_name);
    free(file);
    return path;
}

static void apply_and_wait(struct port *port, const char *name, const char *package)
{
    char *path = write_fleet(port, name, package);
    free(ctl_ok(&port->daemon, "fleet", "apply", "--wait", path, NULL));
    free(path);
}

/* Moves the wheel of harbour 1.1 away, or back. */
static void show_new_version(const struct port *port, bool is_shown)
{
    static const char wheel[] = "harbour-1.1-py3-none-any.whl";
    char *here = memory_format("%s/%s", port->wheels, wheel);
    char *away = memory_format("%s/%s.away", port->wheels, wheel);
    ck_assert_int_eq(is_shown ? rename(away, here) : rename(here, away), 0);
    free(here);
    free(away);
}

/* ---- what the API says ---- */

static char *fleet_id(struct port *port, const char *name)
{
    json_t *data = api_get(&port->daemon, "/fleets");
    char *id =
        memory_string(api_text(api_find(json_object_get(data, "fleets"), "name", name), "id"));
    json_decref(data);
    return id;
}

/* Returns what the API says of the fleet's only vessel. Free it with json_decref. */
static json_t *vessel_of(struct port *port, const char *fleet)
{
    char *id = fleet_id(port, fleet);
    json_t *data = api_get(&port->daemon, "/fleets/%s/packages", id);
    json_t *vessel = json_incref(json_array_get(json_object_get(data, "vessels"), 0));
    ck_assert_ptr_nonnull(vessel);
    json_decref(data);
    free(id);
    return vessel;
}

static void expect_locked(struct port *port, const char *fleet, const char *version)
{
    json_t *vessel = vessel_of(port, fleet);
    const json_t *harbour = api_find(json_object_get(vessel, "locked"), "name", "harbour");
    ck_assert_str_eq(api_text(vessel, "state"), "ready");
    ck_assert_str_eq(api_text(harbour, "version"), version);
    json_decref(vessel);
}

/* Waits until no new lock is looked for. Returns the vessel. */
static json_t *await_refresh(struct port *port, const char *fleet)
{
    for (;;) {
        json_t *vessel = vessel_of(port, fleet);
        if (strcmp(api_text(json_object_get(vessel, "refresh"), "state"), "installing") != 0)
            return vessel;
        json_decref(vessel);
        (void)usleep(50000);
    }
}

static void refresh(struct port *port, const char *fleet)
{
    free(ctl_ok(&port->daemon, "packages", "refresh", fleet, NULL));
}

static char *start(struct port *port, const char *fleet)
{
    return ctl_ok(&port->daemon, "run", "start", fleet, NULL);
}

static void expect_run_uses(struct port *port, const char *fleet, const char *version)
{
    char *run_id = start(port, fleet), *text = memory_format("uses %s\n", version);
    json_t *run = api_await_end(&port->daemon, run_id);
    char *output = api_output(&port->daemon, run, "main");
    ck_assert_str_eq(output, text);
    free(output);
    json_decref(run);
    free(text);
    free(run_id);
}

static size_t count_environments(struct port *port)
{
    json_t *data = api_get(&port->daemon, "/packages");
    size_t count = json_array_size(json_object_get(data, "environments"));
    json_decref(data);
    return count;
}

/* Calls /api/v1/packages/<rest>, and returns the status. */
static int call(struct port *port, const char *method, const char *key, const char *rest)
{
    struct response response;
    char *path = memory_format("/api/v1/packages/%s%s", key, rest);
    api_call(&port->daemon, method, path, NULL, 0, &response);
    int status = response.status;
    response_free(&response);
    free(path);
    return status;
}

/* ---- beginning with apply ---- */

TEST(apply_installs_packages_before_any_run)
{
    struct port port;
    if (!set_up(&port))
        return;
    apply_and_wait(&port, "coast", "lighthouse");
    json_t *vessel = vessel_of(&port, "coast");
    ck_assert_str_eq(api_text(vessel, "state"), "ready");
    ck_assert_str_eq(api_text(vessel, "language"), "PYTHON");
    ck_assert_uint_eq(strlen(api_text(vessel, "key")), 64);
    ck_assert_uint_eq(json_array_size(json_object_get(vessel, "locked")), 2);
    json_decref(vessel);
    expect_locked(&port, "coast", "1.1");
    ck_assert_int_eq(api_metric(&port.daemon, "package_installs_succeeded_total"), 1);
    ck_assert_int_eq(api_metric(&port.daemon, "package_installs_failed_total"), 0);
    tear_down(&port);
}

TEST(apply_does_not_wait_and_a_failure_shows_in_the_state_and_with_wait)
{
    struct port port;
    char *out = NULL, *err = NULL;
    if (!set_up(&port))
        return;
    char *path = write_fleet(&port, "lost", "nosuch");
    ck_assert_int_eq(ctl(&port.daemon, &out, NULL, &err, "fleet", "apply", "--wait", path, NULL),
                     1);
    ck_assert_ptr_nonnull(strstr(out, "version 1"));
    ck_assert_ptr_nonnull(strstr(err, "No matching distribution found for nosuch"));
    json_t *vessel = vessel_of(&port, "lost");
    ck_assert_str_eq(api_text(vessel, "state"), "failed");
    ck_assert_ptr_nonnull(strstr(api_text(vessel, "reason"), "No matching distribution"));
    json_decref(vessel);
    free(ctl_ok(&port.daemon, "fleet", "apply", path, NULL));
    ck_assert_int_eq(api_metric(&port.daemon, "package_installs_failed_total"), 1);
    daemon_await_log(&port.daemon, "packages not installed");
    free(out);
    free(err);
    free(path);
    tear_down(&port);
}

TEST(the_state_outlives_a_restart)
{
    struct port port;
    if (!set_up(&port))
        return;
    apply_and_wait(&port, "coast", "harbour");
    ck_assert_int_eq(daemon_stop(&port.daemon), 0);
    daemon_restart(&port.daemon);
    expect_locked(&port, "coast", "1.1");
    tear_down(&port);
}

/* ---- new versions ---- */

TEST(a_refresh_gives_new_versions_to_the_runs_of_the_current_version)
{
    struct port port;
    if (!set_up(&port))
        return;
    show_new_version(&port, false);
    apply_and_wait(&port, "coast", "harbour");
    expect_run_uses(&port, "coast", "1.0");
    show_new_version(&port, true);
    expect_run_uses(&port, "coast", "1.0");
    refresh(&port, "coast");
    json_decref(await_refresh(&port, "coast"));
    expect_locked(&port, "coast", "1.1");
    expect_run_uses(&port, "coast", "1.1");
    char *log = ctl_ok(&port.daemon, "audit", "--action", "packages.refresh", NULL);
    ck_assert_ptr_nonnull(strstr(log, "coast"));
    free(log);
    tear_down(&port);
}

TEST(a_refresh_that_fails_leaves_the_old_versions_to_the_runs)
{
    struct port port;
    if (!set_up(&port))
        return;
    apply_and_wait(&port, "coast", "harbour");
    char *old = memory_format("%s.old", port.wheels);
    ck_assert_int_eq(rename(port.wheels, old), 0);
    refresh(&port, "coast");
    json_t *vessel = await_refresh(&port, "coast");
    ck_assert_str_eq(api_text(json_object_get(vessel, "refresh"), "state"), "failed");
    ck_assert_str_eq(api_text(vessel, "state"), "ready");
    json_decref(vessel);
    expect_run_uses(&port, "coast", "1.1");
    ck_assert_int_eq(rename(old, port.wheels), 0);
    free(old);
    tear_down(&port);
}

TEST(a_fleet_without_packages_is_not_refreshed)
{
    struct port port;
    char *out = NULL;
    if (!set_up(&port))
        return;
    char *file = bash_fleet("plain", "true");
    char *path = daemon_write_file(&port.daemon, "plain.yaml", file, strlen(file));
    free(ctl_ok(&port.daemon, "fleet", "apply", "--wait", path, NULL));
    ck_assert_int_eq(ctl(&port.daemon, &out, NULL, NULL, "packages", "refresh", "plain", NULL), 1);
    ck_assert_ptr_nonnull(strstr(out, "asks for packages"));
    free(out);
    free(path);
    free(file);
    tear_down(&port);
}

/* ---- environments ---- */

TEST(the_list_says_what_is_in_an_environment_and_which_fleets_use_it)
{
    struct port port;
    if (!set_up(&port))
        return;
    apply_and_wait(&port, "coast", "harbour");
    apply_and_wait(&port, "shore", "harbour");
    json_t *data = api_get(&port.daemon, "/packages");
    const json_t *list = json_object_get(data, "environments"), *one = json_array_get(list, 0);
    const json_t *users = json_object_get(one, "users");
    ck_assert_uint_eq(json_array_size(list), 1);
    ck_assert_str_eq(api_text(one, "language"), "PYTHON");
    ck_assert_int_gt(json_integer_value(json_object_get(one, "bytes")), 0);
    ck_assert_ptr_nonnull(api_find(json_object_get(one, "packages"), "name", "harbour"));
    ck_assert_ptr_nonnull(api_find(users, "fleet_name", "coast"));
    ck_assert_ptr_nonnull(api_find(users, "fleet_name", "shore"));
    json_decref(data);
    char *table = ctl_ok(&port.daemon, "packages", "list", NULL);
    ck_assert_ptr_nonnull(strstr(table, "default/coast, default/shore"));
    free(table);
    tear_down(&port);
}

TEST(cleaning_leaves_what_fleets_use_and_all_removes_that_too)
{
    struct port port;
    if (!set_up(&port))
        return;
    apply_and_wait(&port, "coast", "harbour");
    apply_and_wait(&port, "shore", "lighthouse");
    free(ctl_ok(&port.daemon, "fleet", "delete", "shore", NULL));
    char *said = ctl_ok(&port.daemon, "packages", "clean", NULL);
    ck_assert_int_eq(strncmp(said, "1 package environments removed", 30), 0);
    free(said);
    ck_assert_uint_eq(count_environments(&port), 1);
    expect_locked(&port, "coast", "1.1");
    free(ctl_ok(&port.daemon, "packages", "clean", "--all", NULL));
    ck_assert_uint_eq(count_environments(&port), 0);
    json_t *vessel = vessel_of(&port, "coast");
    ck_assert_str_eq(api_text(vessel, "state"), "locked");
    json_decref(vessel);
    expect_run_uses(&port, "coast", "1.1");
    char *log = ctl_ok(&port.daemon, "audit", "--action", "packages.clean", NULL);
    ck_assert_ptr_nonnull(strstr(log, "unused"));
    free(log);
    tear_down(&port);
}

TEST(an_environment_that_a_vessel_uses_is_not_removed)
{
    struct port port;
    if (!set_up(&port))
        return;
    char *hold = memory_format("%s/hold", port.wheels);
    int fd = open(hold, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    close(fd);
    apply_and_wait(&port, "coast", "harbour");
    char *run_id = start(&port, "coast");
    api_await_output(&port.daemon, run_id, "main", "uses 1.1");
    json_t *vessel = vessel_of(&port, "coast");
    const char *key = api_text(vessel, "key");
    ck_assert_int_eq(call(&port, "DELETE", key, ""), 409);
    free(ctl_ok(&port.daemon, "packages", "clean", "--all", NULL));
    ck_assert_uint_eq(count_environments(&port), 1);
    ck_assert_int_eq(unlink(hold), 0);
    json_decref(api_await_end(&port.daemon, run_id));
    ck_assert_int_eq(call(&port, "DELETE", key, ""), 200);
    ck_assert_int_eq(call(&port, "DELETE", key, ""), 404);
    json_decref(vessel);
    free(run_id);
    free(hold);
    tear_down(&port);
}

/* ---- logs ---- */

TEST(the_log_of_an_installation_can_be_read_and_followed_to_its_end)
{
    struct port port;
    if (!set_up(&port))
        return;
    apply_and_wait(&port, "coast", "harbour");
    char *log = ctl_ok(&port.daemon, "packages", "log", "coast", "main", NULL);
    ck_assert_ptr_nonnull(strstr(log, "Successfully installed harbour-1.1"));
    char *followed = ctl_ok(&port.daemon, "packages", "log", "coast", "main", "--follow", NULL);
    ck_assert_str_eq(followed, log);
    free(followed);
    free(log);
    ck_assert_int_eq(call(&port, "GET", "nothing", "/log"), 404);
    ck_assert_int_eq(call(&port, "GET", "lock", "/log"), 404);
    tear_down(&port);
}

TEST(a_failure_to_lock_has_a_log)
{
    struct port port;
    char *out = NULL;
    if (!set_up(&port))
        return;
    char *path = write_fleet(&port, "lost", "nosuch");
    ck_assert_int_eq(ctl(&port.daemon, &out, NULL, NULL, "fleet", "apply", "--wait", path, NULL),
                     1);
    char *log = ctl_ok(&port.daemon, "packages", "log", "lost", "main", "--follow", NULL);
    ck_assert_ptr_nonnull(strstr(log, "No matching distribution found for nosuch"));
    free(log);
    free(out);
    free(path);
    tear_down(&port);
}
