/* A kernel that refuses the calls with which webhookd watches and isolates vessels: detected at the
 * start, or survived. */
#include "support/suite.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/api.h"
#include "support/faults.h"

#define NO_SUCH_CALL "pidfd_open 38 *\n" /* ENOSYS */
#define NO_FILES     "pidfd_open 24 *\n" /* EMFILE */

static char *vessel_fleet(struct daemon *daemon)
{
    char *file = bash_fleet("watched", "echo ran; exit 3\n");
    char *url = daemon_fleet(daemon, file);
    free(file);
    return url;
}

TEST(a_kernel_that_cannot_watch_vessels_is_reported_at_the_start)
{
    struct faults faults = {0};
    faults_prepare(&faults, "");
    faults_set_rule(&faults, NO_SUCH_CALL);
    ck_assert_int_eq(daemon_start_fails(&faults.daemon), 1);
    char *log = daemon_log(&faults.daemon);
    ck_assert_ptr_nonnull(strstr(log, "pidfd_open"));
    ck_assert_ptr_nonnull(strstr(log, "runner.enabled = false"));
    free(log);
    faults_finish(&faults);
}

TEST(without_a_runner_runs_are_accepted_without_pidfds_and_executed_after_a_later_start)
{
    struct faults faults = {0};
    faults_prepare(&faults, "enabled = false");
    faults_set_rule(&faults, NO_SUCH_CALL);
    daemon_restart(&faults.daemon);
    char *url = vessel_fleet(&faults.daemon);
    char *id = api_post(url, "x", 1);

    json_decref(api_await_status(&faults.daemon, id, "scheduled"));
    ck_assert_int_eq(daemon_stop(&faults.daemon), 0);

    faults.options.runner = "";
    daemon_configure(&faults.daemon, &faults.options);
    ck_assert_int_eq(daemon_start_fails(&faults.daemon), 1);
    faults_clear_rules(&faults);
    daemon_restart(&faults.daemon);
    json_t *run = api_await_end(&faults.daemon, id);
    ck_assert_str_eq(api_text(run, "status"), "errored");
    ck_assert_int_eq(json_integer_value(json_object_get(api_vessel(run, "main"), "exit_code")), 3);
    char *output = api_output(&faults.daemon, run, "main");
    ck_assert_str_eq(output, "ran\n");
    free(output);
    json_decref(run);
    ck_assert_int_eq(daemon_stop(&faults.daemon), 0);
    free(id);
    free(url);
    faults_finish(&faults);
}

/* Runs webhookd in a user namespace inside another one that then permits no further ones. */
static const char forbidding[] =
    "set -e; folder=$(mktemp -d); mkfifo $folder/go $folder/there; export folder\n"
    "unshare --user --map-user=1000 --map-group=1000 sh -c '"
    "echo >$folder/there; read go <$folder/go; exec \"$@\"' sh \"$@\" &\n"
    "read there <$folder/there\n"
    "echo 0 >/proc/sys/user/max_user_namespaces\n"
    "echo >$folder/go\n"
    "status=0; wait $! || status=$?\n"
    "rm -r $folder; exit $status\n";

/* In a container /proc/sys may be read-only, or namespaces forbidden. */
#define CAN_FORBID                                                                                 \
    "unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces' "           \
    "2>/dev/null"

TEST(a_kernel_without_namespaces_is_reported_at_the_start)
{
    const char *const wrapper[] = {"unshare", "--user", "--map-root-user", "sh", "-c", forbidding,
                                   "sh",      NULL};
    struct daemon daemon;
    struct daemon_options options = {.sandbox = "strict", .wrapper = wrapper};
    if (geteuid() != 0) {
        test_skip("only root can be sure to get a first namespace");
        return;
    }
    if (system(CAN_FORBID) != 0) {
        test_skip("a user namespace or /proc/sys cannot be set up here (a container?)");
        return;
    }
    daemon_prepare(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), 78);
    char *log = daemon_log(&daemon);
    ck_assert_msg(strstr(log, "cannot create namespaces") &&
                      strstr(log, "user.max_user_namespaces") && strstr(log, "sandbox = \"off\""),
                  "%s", log);
    free(log);
    daemon_finish(&daemon);
}

/* As root in a container, where each vessel would fail. */
TEST(root_that_may_not_hide_its_state_is_reported_at_the_start)
{
    const char *const wrapper[] = {"setpriv",    "--bounding-set", "-sys_admin",
                                   "--inh-caps", "-sys_admin",     NULL};
    struct daemon daemon;
    struct daemon_options options = {.wrapper = wrapper};
    if (geteuid() != 0) {
        test_skip("only root has capabilities to drop");
        return;
    }
    daemon_prepare(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), 78);
    char *log = daemon_log(&daemon);
    ck_assert_msg(strstr(log, "CAP_SYS_ADMIN"), "%s", log);
    free(log);
    daemon_finish(&daemon);
}

/* Starts webhookd, which must refuse this with status 78 and name the text in its log. */
static void check_refused(struct daemon *daemon, const char *text)
{
    ck_assert_int_eq(daemon_start_fails(daemon), 78);
    char *log = daemon_log(daemon);
    ck_assert_msg(strstr(log, text), "%s", log);
    free(log);
}

/* Starts webhookd below the wrapper, as in a container that has only some rights. It must refuse
 * this, and say all of the texts. */
static void check_container(const char *sandbox, const char *const *wrapper,
                            const char *const *texts)
{
    struct daemon daemon;
    struct daemon_options options = {.sandbox = sandbox, .wrapper = wrapper};
    daemon_prepare(&daemon, &options);
    ck_assert_int_eq(daemon_start_fails(&daemon), 78);
    char *log = daemon_log(&daemon);
    for (; *texts; texts++)
        ck_assert_msg(strstr(log, *texts), "\"%s\" is not in: %s", *texts, log);
    free(log);
    daemon_finish(&daemon);
}

/* Whether the shell command succeeds; otherwise the test is skipped. */
static bool is_possible(const char *command)
{
    if (geteuid() == 0 && system(command) == 0)
        return true;
    test_skip("only root, with namespaces and mounts, can imitate a container");
    return false;
}

/* A container without subordinate ids has the user root and no other. */
TEST(a_user_that_a_container_does_not_have_is_named_in_both_modes)
{
    const char *const wrapper[] = {"unshare", "--user", "--map-root-user", NULL};
    const char *const texts[] = {"user \"nobody\"", "does not exist in this user namespace",
                                 "/etc/subuid", NULL};
    if (!is_possible("unshare --user --map-root-user true 2>/dev/null"))
        return;
    check_container("strict", wrapper, texts);
    check_container("off", wrapper, texts);
}

#define COVER_PROC "mount --bind /proc/sys /proc/sys"

TEST(a_covered_part_of_proc_is_named)
{
    const char *const wrapper[] = {"unshare", "--mount", "sh", "-c", COVER_PROC " && exec \"$@\"",
                                   "sh",      NULL};
    const char *const texts[] = {"cannot mount /proc", "/proc/sys is covered by a mount",
                                 "systempaths=unconfined", "sandbox = \"off\"", NULL};
    if (is_possible("unshare --mount sh -c '" COVER_PROC "' 2>/dev/null"))
        check_container("strict", wrapper, texts);
}

/* To a process in a chroot the kernel answers as a container's filter does: EPERM. */
#define IN_CHROOT "mount --rbind / /tmp && exec chroot /tmp "

TEST(forbidden_namespaces_are_told_from_a_covered_proc_and_from_a_bound)
{
    const char *const wrapper[] = {"unshare",
                                   "--mount",
                                   "sh",
                                   "-c",
                                   COVER_PROC " && " IN_CHROOT
                                              "sh -c 'cd \"$0\" && exec \"$@\"' \"$PWD\" \"$@\"",
                                   "sh",
                                   NULL};
    const char *const texts[] = {"cannot create namespaces", "; allow namespaces (",
                                 "no RestrictNamespaces=", NULL};
    if (is_possible("unshare --mount sh -c '" COVER_PROC " && " IN_CHROOT "true' 2>/dev/null"))
        check_container("strict", wrapper, texts);
}

TEST(root_that_may_not_give_folders_away_is_reported_at_the_start)
{
    const char *const wrapper[] = {"setpriv",    "--bounding-set", "-chown",
                                   "--inh-caps", "-chown",         NULL};
    struct daemon daemon;
    struct daemon_options options = {.wrapper = wrapper};
    if (geteuid() != 0) {
        test_skip("only root has capabilities to drop");
        return;
    }
    daemon_prepare(&daemon, &options);
    check_refused(&daemon, "CAP_CHOWN");
    daemon_finish(&daemon);
}

/* As on NFS with root_squash: the server takes root for another user. */
#define NO_GIVING "fchown 1 */runs/*\nfstatfs nfs *\n"

TEST(a_state_folder_whose_server_does_not_obey_root_is_reported_at_the_start)
{
    struct faults faults = {0};
    if (geteuid() != 0) {
        test_skip("only root gives folders away");
        return;
    }
    faults_prepare(&faults, "");
    faults_set_rule(&faults, NO_GIVING);
    check_refused(&faults.daemon, "state_dir is on NFS");
    faults_finish(&faults);
}

TEST(a_state_folder_on_a_server_starts_with_a_warning)
{
    struct faults faults = {0};
    faults_prepare(&faults, "");
    faults_set_rule(&faults, "fstatfs nfs *\n");
    daemon_restart(&faults.daemon);
    daemon_await_log(&faults.daemon, "warning: state_dir is not on a local disk");
    daemon_await_log(&faults.daemon, "file_system=NFS");
    ck_assert_int_eq(daemon_stop(&faults.daemon), 0);
    faults_finish(&faults);
}

TEST(a_state_folder_that_vessels_cannot_reach_is_reported_at_the_start_and_by_the_check)
{
    struct daemon daemon;
    struct daemon_options options = {.sandbox = NULL};
    if (geteuid() != 0) {
        test_skip("only root runs vessels as another user");
        return;
    }
    daemon_prepare(&daemon, &options);
    char *closed = memory_format("%s/closed", daemon.folder);
    char *state_dir = memory_format("%s/state", closed);
    ck_assert_int_eq(mkdir(closed, 0700), 0);
    options.state_dir = state_dir;
    daemon_configure(&daemon, &options);
    check_refused(&daemon, "let the vessels' user enter the folders that lead to state_dir");

    char *program = daemon_program("webhookd");
    char *command = memory_format("%s -t -c %s >/dev/null 2>&1", program, daemon.config);
    ck_assert_int_eq(WEXITSTATUS(system(command)), 78);
    ck_assert_int_eq(chmod(closed, 0711), 0);
    ck_assert_int_eq(WEXITSTATUS(system(command)), 0);
    daemon_restart(&daemon);
    free(command);
    free(program);
    free(state_dir);
    free(closed);
    daemon_finish(&daemon);
}

TEST(a_folder_that_can_no_longer_be_given_away_ends_the_run_with_the_reason)
{
    struct faults faults = {0};
    if (geteuid() != 0) {
        test_skip("only root gives folders away");
        return;
    }
    faults_prepare(&faults, "");
    daemon_restart(&faults.daemon);
    char *url = vessel_fleet(&faults.daemon);
    faults_set_rule(&faults, NO_GIVING);
    char *id = api_post(url, "x", 1);
    json_t *run = api_await_end(&faults.daemon, id);
    const json_t *vessel = api_vessel(run, "main");
    ck_assert_str_eq(api_text(vessel, "status"), "errored");
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "exit_code")), 127);
    ck_assert_msg(strstr(api_text(vessel, "reason"), "cannot give the working folder"), "%s",
                  api_text(vessel, "reason"));
    json_decref(run);
    ck_assert_int_eq(daemon_stop(&faults.daemon), 0);
    free(id);
    free(url);
    faults_finish(&faults);
}

TEST(a_vessel_that_cannot_be_watched_for_a_while_still_gets_its_result)
{
    struct faults faults = {0};
    faults_prepare(&faults, "");
    daemon_restart(&faults.daemon);
    char *url = vessel_fleet(&faults.daemon);
    faults_set_rule(&faults, NO_FILES);
    char *id = api_post(url, "x", 1);
    daemon_await_log(&faults.daemon, "vessel not watched");
    faults_clear_rules(&faults);

    json_t *run = api_await_end(&faults.daemon, id);
    const json_t *vessel = api_vessel(run, "main");
    ck_assert_str_eq(api_text(vessel, "status"), "errored");
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "exit_code")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(vessel, "attempts")), 1);
    char *output = api_output(&faults.daemon, run, "main");
    ck_assert_str_eq(output, "ran\n");
    free(output);
    json_decref(run);
    ck_assert_int_eq(daemon_stop(&faults.daemon), 0);
    free(id);
    free(url);
    faults_finish(&faults);
}
