/* credential list, set, remove and used. A value comes from standard input, a file or a prompt,
 * never from an argument, which other users can see. Called by main.c; the program has one
 * thread. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

#define PROMPT_BYTES 4096 /* the longest line that a terminal passes on */

/* ---- list ---- */

static void add_credential(struct table *table, const json_t *credential)
{
    show_cell(table, credential, "name");
    show_time_cell(table, credential, "changed_at");
    show_cell(table, credential, "changed_by");
    show_time_cell(table, credential, "last_used_at");
}

static const struct table_column columns[] = {{"CREDENTIAL", TABLE_LEFT},
                                              {"CHANGED", TABLE_LEFT},
                                              {"BY", TABLE_LEFT},
                                              {"LAST USED", TABLE_LEFT}};
static const struct show_listing listing = {"credentials", columns, ARRAY_COUNT(columns),
                                            add_credential};

int credentials_list(struct ctl *ctl, struct error *error)
{
    const char *name = ctl->operand_count > 0 ? ctl->operands[0] : "default";
    json_t *org = resolve_org(ctl->client, name, error);
    if (!org)
        return -1;
    json_t *data = client_get(ctl->client, error, "/orgs/%s/credentials", show_text(org, "id"));
    json_decref(org);
    return show_list(&listing, ctl->json, data);
}

/* ---- one credential ---- */

/* Returns the API's path of [ORG/]GROUP.ITEM, or NULL and *error. */
static char *find_path(struct ctl *ctl, struct error *error)
{
    const char *operand = ctl->operands[0], *slash = strrchr(operand, '/');
    const char *name = slash ? slash + 1 : operand, *dot = strchr(name, '.');
    if (!dot || dot == name || dot[1] == '\0' ||
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") != strlen(name)) {
        error_set(error, ERROR_INVALID,
                  "\"%.200s\" is not of the form [ORG/]GROUP.ITEM, with capital letters, digits "
                  "and \"_\"",
                  operand);
        return NULL;
    }
    char *org_name =
        slash ? memory_string_n(operand, (size_t)(slash - operand)) : memory_string("default");
    json_t *org = resolve_org(ctl->client, org_name, error);
    free(org_name);
    if (!org)
        return NULL;
    char *path = memory_format("/orgs/%s/credentials/%.*s/%s", show_text(org, "id"),
                               (int)(dot - name), name, dot + 1);
    json_decref(org);
    return path;
}

/* ---- set ---- */

static const int ending_signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP};
static volatile sig_atomic_t caught; /* the last of them */

static void note_signal(int number)
{
    caught = number;
}

/* Lets a signal interrupt a read, so that the terminal can be put back in order first. */
static void handle_signals(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_COUNT(ending_signals); i++)
        sigaction(ending_signals[i], &action, NULL);
}

/* Reads a line from the terminal without showing it. Returns its length, or -1 and *error. */
static ssize_t read_hidden(char line[PROMPT_BYTES], struct error *error)
{
    struct termios shown, hidden;
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return error_set_errno(error, errno, "cannot prepare the terminal");
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    handle_signals(note_signal);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0)
        return error_set_errno(error, errno, "cannot prepare the terminal");
    ssize_t bytes;
    do
        bytes = read(STDIN_FILENO, line, PROMPT_BYTES);
    while (bytes < 0 && errno == EINTR && !caught);
    int errnum = errno;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    handle_signals(SIG_DFL);
    if (caught)
        raise(caught);
    return bytes < 0 ? error_set_errno(error, errnum, "cannot read the value") : bytes;
}

/* Returns the descriptor of a value that the person types, or -1 and *error. */
static int ask(const char *name, struct error *error)
{
    char line[PROMPT_BYTES];
    fprintf(stderr, "Value of %s (not shown): ", name);
    ssize_t bytes = read_hidden(line, error);
    int fd = bytes < 0 ? -1 : file_in_memory(line, (size_t)bytes, error);
    explicit_bzero(line, sizeof(line));
    return fd;
}

/* Returns the descriptor of the value, which the caller closes, or -1 and *error. */
static int open_value(const struct ctl *ctl, const char **what, struct error *error)
{
    const char *file = ctl->options->values[OPTION_FILE];
    *what = file ? file : "standard input";
    if (!file || strcmp(file, "-") == 0) {
        if (isatty(STDIN_FILENO))
            return ask(ctl->operands[0], error);
        int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        return fd >= 0 ? fd : error_set_errno(error, errno, "cannot read standard input");
    }
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd : error_set_errno(error, errno, "cannot open \"%s\"", file);
}

int credentials_set(struct ctl *ctl, struct error *error)
{
    const char *what;
    if (ctl->operand_count > 1) {
        error_set(error, ERROR_INVALID,
                  "the value is read from standard input, a file (--file) or a prompt: never from "
                  "an argument, which other users of the machine can see");
        return CTL_MISTAKE;
    }
    char *path = find_path(ctl, error);
    int fd = path ? open_value(ctl, &what, error) : -1;
    json_t *data = NULL;
    if (fd >= 0) {
        struct client_upload upload = {
            .fd = fd, .what = what, .content_type = "application/octet-stream"};
        data = client_upload(ctl->client, "PUT", path, &upload, error);
        close(fd);
    }
    free(path);
    if (data && ctl->json)
        show_json(data);
    else if (data)
        ctl_say("credential %s set", show_text(data, "name"));
    json_decref(data);
    return data ? CTL_DONE : -1;
}

/* ---- remove and used ---- */

int credentials_remove(struct ctl *ctl, struct error *error)
{
    char *path = find_path(ctl, error);
    if (!path)
        return -1;
    char *call = memory_format("%s%s", path, ctl_has(ctl, OPTION_FORCE) ? "?force=1" : "");
    json_t *data = client_send(ctl->client, "DELETE", call, NULL, error);
    free(call);
    free(path);
    if (data && ctl->json)
        show_json(data);
    else if (data)
        ctl_say("credential %s removed", ctl->operands[0]);
    json_decref(data);
    return data ? CTL_DONE : -1;
}

static void add_user(struct table *table, const json_t *fleet)
{
    const json_t *vessels = json_object_get(fleet, "vessels");
    struct buffer names = BUFFER_INIT;
    for (size_t i = 0; i < json_array_size(vessels); i++)
        buffer_append_format(&names, "%s%s", i > 0 ? ", " : "",
                             json_string_value(json_array_get(vessels, i)));
    show_cell(table, fleet, "project_name");
    show_cell(table, fleet, "name");
    table_add(table, buffer_text(&names));
    buffer_free(&names);
}

static const struct table_column user_columns[] = {
    {"PROJECT", TABLE_LEFT}, {"FLEET", TABLE_LEFT}, {"VESSELS", TABLE_LEFT}};
static const struct show_listing user_listing = {"fleets", user_columns, ARRAY_COUNT(user_columns),
                                                 add_user};

static void add_blueprint(struct table *table, const json_t *blueprint)
{
    show_cell(table, blueprint, "name");
}

static const struct table_column blueprint_columns[] = {{"BLUEPRINT", TABLE_LEFT}};
static const struct show_listing blueprint_listing = {
    "blueprints", blueprint_columns, ARRAY_COUNT(blueprint_columns), add_blueprint};

int credentials_used(struct ctl *ctl, struct error *error)
{
    char *path = find_path(ctl, error);
    if (!path)
        return -1;
    json_t *data = client_get(ctl->client, error, "%s/used", path);
    const json_t *blueprints = json_object_get(data, "blueprints");
    free(path);
    if (data && !ctl->json && json_array_size(blueprints) > 0)
        show_rows(&blueprint_listing, blueprints);
    return show_list(&user_listing, ctl->json, data);
}
