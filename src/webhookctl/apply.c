/* fleet apply and blueprint apply: apply all files, even if some fail, and report on each; fleet
 * back. Called by main.c; the program has one thread. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/decimal.h"
#include "base/file.h"
#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

#define VERSION_MAX_DIGITS 9

struct apply {
    struct ctl *ctl;
    const char *thing;   /* fleet or blueprint */
    const char *command; /* apply or back */
    char *path;          /* the API's */
    json_t *fleets;      /* whose packages are to be waited for: {file, id}; NULL = none */
    bool failed;
};

/* ---- one file's report ---- */

/* Prints "FILE:LINE: path: message" as compilers do, so that editors can jump to the line. */
static void report_problems(const char *file, const char *kind, const json_t *problems)
{
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *problem = json_array_get(problems, i);
        const char *path = show_text(problem, "path"), *message = show_text(problem, "message");
        long long line = show_integer(problem, "line");
        struct buffer text = BUFFER_INIT;
        table_escape(&text, file);
        if (line > 0)
            buffer_append_format(&text, ":%lld", line);
        buffer_append_format(&text, ": %s", kind);
        if (path && path[0] != '\0') {
            table_escape(&text, path);
            buffer_append_text(&text, ": ");
        }
        table_escape(&text, message ? message : "?");
        fprintf(stderr, "%s\n", buffer_text(&text));
        buffer_free(&text);
    }
}

static void report_checked(const struct apply *apply, const char *file, const json_t *would)
{
    const char *outcome = show_text(would, "outcome");
    if (outcome && strcmp(outcome, "created") == 0)
        ctl_say("%s: checked, no errors: would create a new %s; nothing was changed", file,
                apply->thing);
    else if (outcome && strcmp(outcome, "updated") == 0)
        ctl_say("%s: checked, no errors: would create version %lld; nothing was changed", file,
                show_integer(would, "version"));
    else if (outcome)
        ctl_say("%s: checked, no errors: would leave the %s unchanged", file, apply->thing);
    else
        ctl_say("%s: checked, no errors; nothing was changed", file);
}

/* Returns "org/project/fleet" or "org/blueprint". Free it. */
static char *object_path(const struct apply *apply, const json_t *object)
{
    if (strcmp(apply->thing, "fleet") == 0)
        return show_fleet_path(object);
    const char *org = show_text(object, "org_name"), *name = show_text(object, "name");
    return memory_format("%s/%s", org ? org : "?", name ? name : "?");
}

static void report_applied(const struct apply *apply, const char *file, const json_t *data)
{
    const char *outcome = show_text(data, "outcome");
    const json_t *object = json_object_get(data, apply->thing);
    const json_t *affected = json_object_get(data, "affected");
    report_problems(file, "note: ", json_object_get(data, "notes"));
    if (apply->ctl->json) {
        show_json(data);
        return;
    }
    if (json_is_object(object)) {
        char *name = object_path(apply, object);
        ctl_say("%s: %s %s, version %lld", file, outcome ? outcome : "?", name,
                show_integer(data, "version"));
        free(name);
    } else {
        report_checked(apply, file, json_object_get(data, "would"));
    }
    if (json_array_size(affected) > 0) {
        ctl_say("These vessels run on, but their fleets need a correction when they are next "
                "applied:");
        blueprints_show_users(affected);
    }
}

static void fail(struct apply *apply, const char *file, const struct error *error)
{
    apply->failed = true;
    ctl_complain("%s %s: %s: %s", apply->thing, apply->command, file, error->message);
}

/* A file that was only checked has no fleet. */
static void note_fleet(struct apply *apply, const char *file, const json_t *data)
{
    const char *id = show_text(json_object_get(data, "fleet"), "id");
    if (!apply->fleets)
        apply->fleets = json_array();
    if (id)
        json_array_append_new(apply->fleets,
                              json_pack("{s:o,s:s}", "file", json_string_nocheck(file), "id", id));
}

static void wait_for_packages(struct apply *apply)
{
    for (size_t i = 0; i < json_array_size(apply->fleets); i++) {
        struct error error = ERROR_INIT;
        const json_t *fleet = json_array_get(apply->fleets, i);
        const char *file = show_text(fleet, "file");
        int result = packages_wait(apply->ctl, file, show_text(fleet, "id"), &error);
        if (result < 0)
            fail(apply, file, &error);
        apply->failed = apply->failed || result == CTL_FAILED;
    }
    json_decref(apply->fleets);
}

static void apply_descriptor(struct apply *apply, const char *file, int fd)
{
    struct client *client = apply->ctl->client;
    struct error error = ERROR_INIT;
    struct client_upload upload = {.fd = fd, .what = file};
    json_t *data = client_upload(client, "PUT", apply->path, &upload, &error);
    if (data) {
        report_applied(apply, file, data);
        if (ctl_has(apply->ctl, OPTION_WAIT))
            note_fleet(apply, file, data);
    } else {
        report_problems(file, "", client_errors(client));
        fail(apply, file, &error);
    }
    json_decref(data);
}

/* ---- files and folders ---- */

static void apply_file(struct apply *apply, int folder_fd, const char *name, const char *file)
{
    struct error error = ERROR_INIT;
    int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(&error, errno, "cannot open the file");
        fail(apply, file, &error);
        return;
    }
    apply_descriptor(apply, file, fd);
    close(fd);
}

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), tail = strlen(ending);
    return length > tail && strcmp(text + length - tail, ending) == 0;
}

static int is_file_to_apply(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return name[0] != '.' &&
           (ends_with(name, ".yaml") || ends_with(name, ".yml") || ends_with(name, ".json"));
}

/* Applies the .yaml, .yml and .json files in the folder, not in its subfolders, ordered by name. */
static void apply_folder(struct apply *apply, int fd, const char *folder)
{
    struct error error = ERROR_INIT;
    struct dirent **entries = NULL;
    int count = scandirat(fd, ".", &entries, is_file_to_apply, alphasort);
    if (count < 0)
        error_set_errno(&error, errno, "cannot read the folder");
    else if (count == 0)
        error_set(&error, ERROR_NOT_FOUND,
                  "the folder contains no %s file (no name ends in .yaml, .yml or .json)",
                  apply->thing);
    if (count <= 0)
        fail(apply, folder, &error);
    for (int i = 0; i < count; i++) {
        char *file =
            memory_format("%s%s%s", folder, ends_with(folder, "/") ? "" : "/", entries[i]->d_name);
        apply_file(apply, fd, entries[i]->d_name, file);
        free(file);
        free(entries[i]);
    }
    free(entries);
}

static void apply_operand(struct apply *apply, const char *operand)
{
    if (strcmp(operand, "-") == 0) {
        apply_descriptor(apply, "<stdin>", STDIN_FILENO);
        return;
    }
    int fd = open(operand, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR) {
        apply_file(apply, AT_FDCWD, operand, operand);
    } else if (fd < 0) {
        struct error error = ERROR_INIT;
        error_set_errno(&error, errno, "cannot open the file or folder");
        fail(apply, operand, &error);
    } else {
        apply_folder(apply, fd, operand);
        close(fd);
    }
}

int apply_fleet(struct ctl *ctl, struct error *error)
{
    const char *in = ctl->options->values[OPTION_PROJECT];
    json_t *project = resolve_project(ctl->client, in ? in : "default", error);
    if (!project)
        return -1;
    struct apply apply = {.ctl = ctl, .thing = "fleet", .command = "apply"};
    apply.path = memory_format(
        "/projects/%s/fleets?check=%d&stub=%d&strict=%d&missing_credentials=%d",
        show_text(project, "id"), ctl_has(ctl, OPTION_CHECK), ctl_has(ctl, OPTION_STUB),
        ctl_has(ctl, OPTION_STRICT), ctl_has(ctl, OPTION_MISSING_CREDENTIALS));
    for (size_t i = 0; i < ctl->operand_count; i++)
        apply_operand(&apply, ctl->operands[i]);
    wait_for_packages(&apply);
    free(apply.path);
    json_decref(project);
    return apply.failed ? CTL_FAILED : CTL_DONE;
}

int apply_blueprint(struct ctl *ctl, struct error *error)
{
    const char *in = ctl->options->values[OPTION_ORG];
    json_t *org = resolve_org(ctl->client, in ? in : "default", error);
    if (!org)
        return -1;
    struct apply apply = {.ctl = ctl, .thing = "blueprint", .command = "apply"};
    apply.path = memory_format("/orgs/%s/blueprints?check=%d", show_text(org, "id"),
                               ctl_has(ctl, OPTION_CHECK));
    for (size_t i = 0; i < ctl->operand_count; i++)
        apply_operand(&apply, ctl->operands[i]);
    free(apply.path);
    json_decref(org);
    return apply.failed ? CTL_FAILED : CTL_DONE;
}

/* ---- going back ---- */

/* Returns a descriptor of the version's file, or -1. */
static int open_version(struct ctl *ctl, const json_t *fleet, int64_t number, struct error *error)
{
    json_t *version = client_get(ctl->client, error, "/fleets/%s/versions/%lld",
                                 show_text(fleet, "id"), (long long)number);
    const json_t *file = json_object_get(version, "file");
    int fd = -1;
    if (json_is_string(file))
        fd = file_in_memory(json_string_value(file), json_string_length(file), error);
    else if (version)
        error_set(error, ERROR_INTERNAL, "this version has no file as text");
    json_decref(version);
    return fd;
}

int apply_back(struct ctl *ctl, struct error *error)
{
    int64_t number = 0;
    const char *end = decimal_read(ctl->operands[1], VERSION_MAX_DIGITS, &number);
    if (!end || *end != '\0' || number < 1) {
        ctl_complain("fleet back: \"%s\" is not the number of a version", ctl->operands[1]);
        return CTL_MISTAKE;
    }
    json_t *fleet = resolve_fleet(ctl->client, ctl->operands[0], error);
    int fd = fleet ? open_version(ctl, fleet, number, error) : -1;
    struct apply apply = {.ctl = ctl, .thing = "fleet", .command = "back"};
    if (fd >= 0) {
        char *what = memory_format("version %lld", (long long)number);
        apply.path = memory_format("/projects/%s/fleets?from_fleet=%s&from_version=%lld",
                                   show_text(fleet, "project_id"), show_text(fleet, "id"),
                                   (long long)number);
        apply_descriptor(&apply, what, fd);
        free(apply.path);
        free(what);
        close(fd);
    }
    json_decref(fleet);
    if (fd < 0)
        return -1;
    return apply.failed ? CTL_FAILED : CTL_DONE;
}
