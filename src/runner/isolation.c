/* The daemon's side of strict mode (the supervisor's sandbox.c and rootfs.c carry it out), and the
 * trials of both modes. runner_check_config calls isolation_check and isolation_try at the start,
 * for --check-config and at each reload, so that what cannot work is reported then and not as the
 * failure of every vessel. runner_start repeats the trials, because only then the state folder is
 * certain to exist. isolation_describe is called by runner/launch on the runner's thread. */
#include "runner/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "runner/refusal.h"
#include "runner/trial_folder.h"
#include "supervisor/allow_list.h"

#define UNIX_PREFIX  "unix:"
#define TRIAL_FOLDER "/usr" /* stands for the working folder of a trial that has none */
enum { HIGH_FD = 64 };      /* above all descriptors that a supervisor is spawned with */

void isolation_describe(const struct runner_settings *settings, const struct isolation *isolation,
                        struct job *job)
{
    const struct config *config = settings->config;
    job->change_user = isolation->user.change;
    job->uid = isolation->user.uid;
    job->gid = isolation->user.gid;
    job->groups = isolation->user.groups;
    job->group_count = isolation->user.group_count;
    job->user = isolation->user.name;
    job->is_strict = isolation->is_strict;
    job->network = config->runner.network;
    job->readable = config->runner.readable.items;
    job->readable_count = config->runner.readable.count;
    job->writable = config->runner.writable.items;
    job->writable_count = config->runner.writable.count;
    job->max_memory_bytes = config->runner.max_memory_bytes;
    job->max_processes = config->runner.max_processes;
    job->max_open_files = config->runner.max_open_files;
}

/* ---- what vessels must not see ---- */

struct secret {
    const char *key, *path;
};

/* `list` is the key of the paths in the configuration. */
static int check_list(const struct secret *secret, const char *resolved,
                      const struct config_list *paths, const char *list, struct error *error)
{
    for (size_t i = 0; i < paths->count; i++) {
        char *shown = path_resolve(paths->items[i]);
        bool is_bad = path_overlap(resolved, shown);
        free(shown);
        if (is_bad)
            return error_set(
                error, ERROR_INVALID,
                "%s: vessels would see \"%s\" (%s), which is for webhookd alone; narrow the "
                "list, or move the path",
                list, secret->path, secret->key);
    }
    return 0;
}

static int check_secret(const struct config *config, const struct secret *secret,
                        struct error *error)
{
    char *resolved = path_resolve(secret->path);
    int result =
        allow_list_shows(resolved)
            ? error_set(error, ERROR_INVALID,
                        "%s: vessels can read \"%s\" in strict mode; move it, or " REFUSAL_TURN_OFF,
                        secret->key, secret->path)
            : 0;
    if (result == 0)
        result = check_list(secret, resolved, &config->runner.readable, "runner.readable", error);
    if (result == 0)
        result = check_list(secret, resolved, &config->runner.writable, "runner.writable", error);
    free(resolved);
    return result;
}

static int check_secrets(const struct config *config, const char *config_path, struct error *error)
{
    const char *listen = config->admin.listen;
    bool is_unix = strncmp(listen, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
    const struct secret secrets[] = {
        {"state_dir", config->state_dir},
        {"the configuration file", config_path},
        {"hooks.tls_key", config->hooks.tls_key},
        {"admin.socket", config->admin.socket},
        {"packages.netrc", config->packages.netrc},
        {"admin.listen", is_unix ? listen + strlen(UNIX_PREFIX) : ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++)
        if (secrets[i].path[0] != '\0' && check_secret(config, &secrets[i], error) != 0)
            return -1;
    return 0;
}

/* Vessels may see installed packages, but no vessel may change what another one runs. */
static int check_packages_dir(const struct config *config, struct error *error)
{
    const struct config_list *writable = &config->runner.writable;
    char *dir = path_resolve(config->packages.dir);
    int result = 0;
    for (size_t i = 0; i < writable->count && config->packages.enabled && result == 0; i++) {
        char *shown = path_resolve(writable->items[i]);
        if (path_overlap(dir, shown))
            result = error_set(error, ERROR_INVALID,
                               "runner.writable: vessels could change installed packages in \"%s\" "
                               "(packages.dir); narrow the list, or move the folder",
                               config->packages.dir);
        free(shown);
    }
    free(dir);
    return result;
}

/* ---- paths that cannot be shown ---- */

/* Whether the path, as written or with its links resolved, overlaps one of the vessel's own. */
static bool covers(const char *path, const char *own)
{
    char *resolved = path_resolve(path);
    bool does = path_overlap(path, own) || path_overlap(resolved, own);
    free(resolved);
    return does;
}

static int check_own_places(const struct config_list *paths, const char *list, struct error *error)
{
    static const char *const own[] = {SANDBOX_HOME, "/proc"};
    for (size_t i = 0; i < paths->count; i++)
        for (size_t k = 0; k < ARRAY_COUNT(own); k++)
            if (covers(paths->items[i], own[k]))
                return error_set(
                    error, ERROR_INVALID,
                    "%s: \"%s\" would cover %s, of which each vessel has its own; remove it", list,
                    paths->items[i], own[k]);
    return 0;
}

/* A vessel could replace a path inside a writable one with a link, and so mislead the next vessel.
 * Such a path would not be read-only either. */
static int check_nesting(const struct config *config, const struct config_list *paths,
                         const char *list, struct error *error)
{
    const struct config_list *writable = &config->runner.writable;
    for (size_t i = 0; i < paths->count; i++)
        for (size_t k = 0; k < writable->count; k++) {
            if (paths == writable && i == k)
                continue;
            char *inner = path_resolve(paths->items[i]), *outer = path_resolve(writable->items[k]);
            bool is_bad =
                path_is_in(inner, outer) || path_is_in(paths->items[i], writable->items[k]);
            free(inner);
            free(outer);
            if (is_bad)
                return error_set(
                    error, ERROR_INVALID,
                    "%s: \"%s\" is in \"%s\", which vessels may write; list only one of them", list,
                    paths->items[i], writable->items[k]);
        }
    return 0;
}

static int check_list_itself(const struct config *config, const struct config_list *paths,
                             const char *list, struct error *error)
{
    return check_own_places(paths, list, error) != 0 ? -1
                                                     : check_nesting(config, paths, list, error);
}

static int check_presence(const struct config_list *paths, const char *list, struct error *error)
{
    for (size_t i = 0; i < paths->count; i++)
        if (access(paths->items[i], F_OK) != 0 && errno == ENOENT)
            return error_set(
                error, ERROR_INVALID,
                "%s: \"%s\" does not exist; create the folder, or remove it from the list", list,
                paths->items[i]);
    return 0;
}

static int check_paths(const struct config *config, const char *config_path, struct error *error)
{
    if (check_list_itself(config, &config->runner.readable, "runner.readable", error) != 0 ||
        check_list_itself(config, &config->runner.writable, "runner.writable", error) != 0)
        return -1;
    if (check_secrets(config, config_path, error) != 0 || check_packages_dir(config, error) != 0 ||
        check_presence(&config->runner.readable, "runner.readable", error) != 0)
        return -1;
    return check_presence(&config->runner.writable, "runner.writable", error);
}

/* ---- what the kernel permits ---- */

static int make_trial_job(const struct runner_settings *settings, const struct isolation *isolation,
                          char *workdir, char *hidden_dir, struct error *error)
{
    static char id[] = "00000000-0000-7000-8000-000000000000";
    static char nothing[] = "", name[] = "none"; /* nothing is executed */
    struct job job = {
        .vessel_run_id = id,
        .workdir = workdir,
        .hidden_dir = hidden_dir,
        .interpreter = name,
        .search_path = nothing,
        .file_name = name,
        .file_content = nothing,
        .modules_dir = nothing,
        .file_to_run = name,
    };
    struct buffer text = BUFFER_INIT;
    isolation_describe(settings, isolation, &job);
    int fd = job_write(&job, &text) != 0
                 ? error_set(error, ERROR_UNAVAILABLE, "no memory for a test of the sandbox")
                 : file_in_memory(text.data, text.bytes, error);
    buffer_free(&text);
    return fd < 0 ? -1 : file_move_up(fd, HIGH_FD, error);
}

/* Spawns the supervisor for a trial. The descriptors are HIGH_FD or above, so no copy overwrites
 * one. */
static pid_t spawn_trial(const char *supervisor_path, int job_fd, int folder_fd, int words_fd,
                         struct error *error)
{
    char name[] = "webhookd-vessel", argument[] = JOB_TRIAL_ARGUMENT;
    char *arguments[] = {name, argument, NULL}, *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, words_fd, 1);
    posix_spawn_file_actions_adddup2(&actions, job_fd, JOB_FD_JOB);
    posix_spawn_file_actions_adddup2(&actions, folder_fd, JOB_FD_WORKDIR);
    int failure = posix_spawn(&pid, supervisor_path, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failure == 0)
        return pid;
    error_set_errno(error, failure, "cannot execute \"%s\"", supervisor_path);
    return -1;
}

/* Reads the trial's words and then awaits its end. */
static int hear_trial(pid_t pid, bool is_strict, int words_fd, struct error *error)
{
    char words[sizeof(error->message)];
    ssize_t bytes = file_read_all(words_fd, words, sizeof(words) - 1);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status == 0)
        return 0;
    words[bytes > 0 ? bytes : 0] = '\0';
    if (WIFEXITED(status) && WEXITSTATUS(status) == JOB_EXIT_OTHER_FORMAT)
        return error_set(error, ERROR_CONFIG, "%s", words);
    return refusal_report(is_strict, bytes > 0 ? words : "the test of the sandbox was killed",
                          error);
}

static int run_trial(const char *supervisor_path, bool is_strict, int job_fd, int folder_fd,
                     struct error *error)
{
    int words[2];
    if (pipe2(words, O_CLOEXEC) != 0)
        return error_set_errno(error, errno, "cannot create a pipe");
    int result = -1;
    words[1] = file_move_up(words[1], HIGH_FD, error);
    if (words[1] >= 0) {
        pid_t pid = spawn_trial(supervisor_path, job_fd, folder_fd, words[1], error);
        close(words[1]);
        result = pid < 0 ? -1 : hear_trial(pid, is_strict, words[0], error);
    }
    close(words[0]);
    return result;
}

/* Returns a descriptor for the trial to use as that of the working folder, or -1. */
static int open_workdir(const struct trial_folder *folder, struct error *error)
{
    int fd = folder->fd >= 0 ? fcntl(folder->fd, F_DUPFD_CLOEXEC, HIGH_FD)
                             : open(TRIAL_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open the folder for a test of the sandbox");
    return file_move_up(fd, HIGH_FD, error);
}

static int try_with_supervisor(const struct runner_settings *settings,
                               const struct isolation *isolation,
                               const struct isolation_trial *trial,
                               const struct trial_folder *folder, struct error *error)
{
    bool is_strict = isolation->is_strict;
    char *workdir = is_strict ? memory_string(SANDBOX_HOME)
                              : memory_format("%s/runs/%s", trial->state_path, folder->name);
    char *hidden_dir = memory_string(isolation->user.change && !is_strict ? trial->state_path : "");
    int folder_fd = open_workdir(folder, error), result = -1;
    if (folder_fd >= 0) {
        int job_fd = make_trial_job(settings, isolation, workdir, hidden_dir, error);
        if (job_fd >= 0) {
            result = run_trial(trial->supervisor_path, is_strict, job_fd, folder_fd, error);
            close(job_fd);
        }
        close(folder_fd);
    }
    free(hidden_dir);
    free(workdir);
    return result;
}

/* In off mode webhookd as root gives each vessel mounts of its own, in which the state folder is
 * hidden. If that is forbidden (a container without CAP_SYS_ADMIN), every vessel would fail. While
 * there is no state folder, this tries it in a child, whose mounts vanish with it. */
static int try_hiding(struct error *error)
{
    pid_t pid = fork();
    if (pid < 0)
        return error_set_errno(error, errno, "cannot fork");
    if (pid == 0)
        _exit(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
                      mount("tmpfs", "/", "tmpfs", 0, "size=4k") == 0
                  ? 0
                  : errno & 0xff);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return error_set_errno(
        error, WIFEXITED(status) ? WEXITSTATUS(status) : EPERM,
        "cannot hide the state folder from vessels (give webhookd CAP_SYS_ADMIN, or start it as "
        "the user that vessels are to run as)");
}

/* ---- the whole ---- */

static int try_one(const struct runner_settings *settings, const struct isolation *isolation,
                   const struct isolation_trial *trial, struct error *error)
{
    struct trial_folder folder;
    int result = 0;
    if (refusal_check_user(&isolation->user, error) != 0 ||
        trial_folder_open(&folder, trial->runs_fd, &isolation->user, error) != 0)
        return -1;
    if (isolation->is_strict || folder.fd >= 0)
        result = try_with_supervisor(settings, isolation, trial, &folder, error);
    else if (isolation->user.change)
        result = try_hiding(error);
    trial_folder_close(&folder);
    return result;
}

/* Whether a trial of the one holds for the other as well. */
static bool are_alike(const struct isolation *a, const struct isolation *b)
{
    return a->is_strict == b->is_strict && a->user.change == b->user.change &&
           a->user.uid == b->user.uid;
}

int isolation_check(const struct runner_settings *settings, const char *config_path,
                    struct error *error)
{
    bool is_any_strict = settings->isolation.is_strict;
    for (size_t i = 0; i < settings->config->fleet_count; i++)
        is_any_strict |= settings->fleet_isolations[i].is_strict;
    return is_any_strict ? check_paths(settings->config, config_path, error) : 0;
}

int isolation_try(const struct runner_settings *settings, const struct isolation_trial *trial,
                  struct error *error)
{
    if (try_one(settings, &settings->isolation, trial, error) != 0)
        return -1;
    for (size_t i = 0; i < settings->config->fleet_count; i++)
        if (!are_alike(&settings->fleet_isolations[i], &settings->isolation) &&
            try_one(settings, &settings->fleet_isolations[i], trial, error) != 0)
            return -1;
    return 0;
}
