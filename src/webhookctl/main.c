/* webhookctl: the command line for administrators. Reads the arguments, finds the command in the
 * table, runs it, and says what failed. One thread. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "webhookctl/ctl.h"

#define DEFAULT_SOCKET "/run/webhookd/admin.sock"

#define BIT(option) (1u << (option))
#define JSON        BIT(OPTION_JSON)
#define EVERYWHERE  (BIT(OPTION_SOCKET) | BIT(OPTION_HELP) | BIT(OPTION_PROGRAM_VERSION))

struct command {
    const char *subject;
    const char *verb;     /* NULL: the subject is the command */
    const char *operands; /* as the help shows it, with its own options */
    const char *summary;
    ctl_command *run;
    size_t least, most;
    unsigned options; /* besides EVERYWHERE */
};

static const struct command commands[] = {
    {"org", "list", "", "every organization", projects_list_orgs, 0, 0, JSON},
    {"org", "create", "NAME", "make an organization", projects_create_org, 1, 1, JSON},
    {"org", "delete", "NAME", "delete an empty organization", projects_delete_org, 1, 1, JSON},
    {"project", "list", "[ORG]", "every project, or those of one organization", projects_list, 0, 1,
     JSON},
    {"project", "create", "[ORG/]NAME", "make a project", projects_create, 1, 1, JSON},
    {"project", "delete", "[ORG/]NAME", "delete an empty project", projects_delete, 1, 1, JSON},
    {"fleet", "list", "[--project [ORG/]NAME]", "every fleet, or those of one project", fleets_list,
     0, 0, JSON | BIT(OPTION_PROJECT)},
    {"fleet", "apply", "FILE|DIR|-... [--project [ORG/]NAME] [--check] [--stub]",
     "create or update fleets from files", apply_fleet, 1, SIZE_MAX,
     JSON | BIT(OPTION_PROJECT) | BIT(OPTION_CHECK) | BIT(OPTION_STUB)},
    {"fleet", "show", "FLEET [--version N]", "print the fleet's file", fleets_show, 1, 1,
     JSON | BIT(OPTION_VERSION)},
    {"fleet", "versions", "FLEET", "every version of a fleet", fleets_versions, 1, 1, JSON},
    {"fleet", "delete", "FLEET", "delete a fleet and its webhook", fleets_delete, 1, 1, JSON},
    {"webhook", "list", "", "every fleet that has a webhook, with its URL", webhooks_list, 0, 0,
     JSON},
    {"webhook", "create", "FLEET [--if-missing]", "make the fleet's webhook and print its URL",
     webhooks_create, 1, 1, JSON | BIT(OPTION_IF_MISSING)},
    {"webhook", "show", "FLEET", "print the URL", webhooks_show, 1, 1, JSON},
    {"webhook", "replace", "FLEET", "make a new URL and print it; the old one ends at once",
     webhooks_replace, 1, 1, JSON},
    {"webhook", "remove", "FLEET", "remove the webhook; its URL ends at once", webhooks_remove, 1,
     1, JSON},
    {"run", "list", "[--fleet FLEET] [--status STATUS] [--limit N]", "the latest fleet runs",
     runs_list, 0, 0, JSON | BIT(OPTION_FLEET) | BIT(OPTION_STATUS) | BIT(OPTION_LIMIT)},
    {"run", "show", "RUN", "a fleet run and its vessel runs", runs_show, 1, 1, JSON},
    {"run", "body", "RUN", "write the request's body, byte for byte", run_output_body, 1, 1, 0},
    {"run", "headers", "RUN", "the request's headers", run_output_headers, 1, 1, JSON},
    {"run", "log", "RUN [VESSEL] [--attempt N] [--follow]",
     "write the output of all vessels, or of one", run_output_log, 1, 2,
     BIT(OPTION_ATTEMPT) | BIT(OPTION_FOLLOW)},
    {"run", "start", "FLEET [--body FILE|-]", "start a fleet run and print its id", runs_start, 1,
     1, JSON | BIT(OPTION_BODY)},
    {"run", "stop", "RUN", "end a fleet run's vessels, and start none of the others", runs_stop, 1,
     1, JSON},
    {"run", "again", "RUN",
     "start a fleet run with the same headers and body in the current version, print its id",
     runs_again, 1, 1, JSON},
    {"run", "wait", "RUN [--timeout DURATION]",
     "wait for the end; status 0 if the fleet run succeeded, else 1", run_wait, 1, 1,
     JSON | BIT(OPTION_TIMEOUT)},
    {"key", "list", "", "every API key", keys_list, 0, 0, JSON},
    {"key", "create", "NAME", "make an API key and print it, this once", keys_create, 1, 1, JSON},
    {"key", "revoke", "NAME", "end an API key, with its sessions and streams", keys_revoke, 1, 1,
     JSON},
    {"audit", NULL, "[--limit N]", "who changed what, when and from where", keys_list_audit, 0, 0,
     JSON | BIT(OPTION_LIMIT)},
    {"status", NULL, "", "what webhookd is doing", status_show, 0, 0, JSON},
    {"backup", NULL, "FILE|-", "write a backup of the store, bodies and output, without the key",
     backup, 1, 1, 0},
};

/* ---- help ---- */

static bool is_of(const struct command *command, const char *subject, const char *verb)
{
    if (subject && strcmp(command->subject, subject) != 0)
        return false;
    return !verb || (command->verb && strcmp(command->verb, verb) == 0);
}

static void write_form(FILE *file, const struct command *command)
{
    fprintf(file, "webhookctl %s%s%s%s%s", command->subject, command->verb ? " " : "",
            command->verb ? command->verb : "", command->operands[0] ? " " : "", command->operands);
}

static void write_help_on(const struct command *command)
{
    printf("  ");
    write_form(stdout, command);
    printf("\n      %s\n", command->summary);
}

/* The commands of a subject and a verb (NULL: any). How many there are. */
static size_t write_commands(const char *subject, const char *verb)
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
        if (commands[i].run && is_of(&commands[i], subject, verb)) {
            write_help_on(&commands[i]);
            count++;
        }
    return count;
}

static int help(const char *subject, const char *verb)
{
    if (!subject)
        printf("webhookctl talks to webhookd over its admin socket.\n\nCommands:\n");
    if (write_commands(subject, verb) == 0) {
        ctl_complain("there is no help on %s%s%s (webhookctl help lists all commands)", subject,
                     verb ? " " : "", verb ? verb : "");
        return CTL_USAGE;
    }
    printf("\nFLEET is an id or [[ORG/]PROJECT/]NAME; what is left out is \"default\".\n"
           "RUN is an id, the beginning of one, a request's id, or latest.\n\n"
           "Options, before or behind operands; -- ends them:\n"
           "  -s, --socket SOCKET  webhookd's admin socket ($WEBHOOKD_SOCKET, else " DEFAULT_SOCKET
           ")\n"
           "      --json           the API's JSON instead of text\n"
           "  -V                   print webhookctl's version\n"
           "  -h, --help           print this\n\n"
           "Exit status: 0 done, 1 failed, 2 wrong usage. See webhookctl(1).\n");
    return CTL_DONE;
}

/* ---- wrong usage ---- */

static int write_usage(const struct command *command)
{
    fprintf(stderr, "usage: ");
    write_form(stderr, command);
    putc('\n', stderr);
    return CTL_USAGE;
}

static int mistake(const struct command *command, const char *what)
{
    ctl_complain("%s", what);
    return write_usage(command);
}

static int unknown_command(const struct options *options)
{
    const char *subject = options->operands[0];
    struct buffer verbs = BUFFER_INIT;
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        const struct command *command = &commands[i];
        if (!command->verb || !is_of(command, subject, NULL))
            continue;
        buffer_append_format(&verbs, "%s%s", verbs.bytes > 0 ? ", " : "", command->verb);
    }
    if (verbs.bytes == 0)
        ctl_complain("there is no command \"%s\" (webhookctl help lists all)", subject);
    else if (options->operand_count > 1)
        ctl_complain("there is no command \"%s %s\" (after %s comes one of %s)", subject,
                     options->operands[1], subject, buffer_text(&verbs));
    else
        ctl_complain("%s what? (one of %s)", subject, buffer_text(&verbs));
    buffer_free(&verbs);
    return CTL_USAGE;
}

static int check_options(const struct command *command, const struct options *options)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!options->values[i] || ((command->options | EVERYWHERE) & BIT(i)))
            continue;
        ctl_complain("%s%s%s takes no %s", command->subject, command->verb ? " " : "",
                     command->verb ? command->verb : "", options_name(i));
        return write_usage(command);
    }
    return 0;
}

/* ---- running a command ---- */

static const struct command *find_command(const struct options *options)
{
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        const struct command *command = &commands[i];
        if (strcmp(command->subject, options->operands[0]) != 0)
            continue;
        if (!command->verb ||
            (options->operand_count > 1 && strcmp(command->verb, options->operands[1]) == 0))
            return command;
    }
    return NULL;
}

static const char *socket_path(const struct options *options)
{
    if (options->values[OPTION_SOCKET])
        return options->values[OPTION_SOCKET];
    const char *path = getenv("WEBHOOKD_SOCKET");
    return path && path[0] != '\0' ? path : DEFAULT_SOCKET;
}

static int run_command(const struct command *command, struct ctl *ctl)
{
    struct error error = ERROR_INIT;
    ctl->client = client_open(socket_path(ctl->options), &error);
    int result = ctl->client ? command->run(ctl, &error) : CTL_MISTAKE;
    if (result == CTL_MISTAKE)
        result = mistake(command, error.message);
    if (result < 0) {
        ctl_complain("%s%s%s: %s", command->subject, command->verb ? " " : "",
                     command->verb ? command->verb : "", error.message);
        result = CTL_FAILED;
    }
    client_close(ctl->client);
    return result;
}

static int dispatch(const struct options *options)
{
    if (options->values[OPTION_PROGRAM_VERSION]) {
        printf("webhookctl " WEBHOOKD_VERSION "\n");
        return CTL_DONE;
    }
    const char *const *words = options->operands;
    size_t count = options->operand_count;
    bool asks = count > 0 && strcmp(words[0], "help") == 0;
    if (asks || options->values[OPTION_HELP])
        return help(count > asks ? words[asks] : NULL, count > asks + 1u ? words[asks + 1] : NULL);
    if (count == 0) {
        ctl_complain("which command? (webhookctl help lists all)");
        return CTL_USAGE;
    }
    const struct command *command = find_command(options);
    if (!command)
        return unknown_command(options);
    int wrong = check_options(command, options);
    if (wrong != 0)
        return wrong;
    size_t used = command->verb ? 2 : 1;
    struct ctl ctl = {.options = options,
                      .operands = words + used,
                      .operand_count = count - used,
                      .json = options->values[OPTION_JSON]};
    if (ctl.operand_count < command->least)
        return mistake(command, "an operand is missing");
    if (ctl.operand_count > command->most) {
        ctl_complain("\"%s\" is one operand too many", ctl.operands[command->most]);
        return write_usage(command);
    }
    return run_command(command, &ctl);
}

/* What was printed counts only once it has been written. (A reader that went away has ended us
 * by SIGPIPE.) */
static int finish_output(int result)
{
    bool failed_before = ferror(stdout) != 0;
    int why = fflush(stdout) != 0 ? errno : 0;
    if (why == 0 && !failed_before)
        return result;
    if (result != CTL_DONE)
        return result;
    ctl_complain("cannot write to standard output%s%s", why ? ": " : "", why ? strerror(why) : "");
    return CTL_FAILED;
}

/* A standard stream that came closed would be the next thing that is opened, and output would go
 * into that: webhookd's socket. Opened the wrong way round, using it fails as if it were closed. */
static void keep_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    struct options options;
    struct error error = ERROR_INIT;
    keep_standard_streams();
    signal(SIGPIPE,
           SIG_DFL); /* whoever started us may ignore it; when a reader goes away, so do we */
    setlocale(LC_CTYPE, "C.UTF-8"); /* how wide characters are; nothing else here depends on it */

    /* --version asks for a fleet's version and needs a value, but people type it alone. */
    static char version[] = "-V";
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    int result = CTL_USAGE;
    if (options_parse(argc, argv, &options, &error) == 0)
        result = dispatch(&options);
    else
        ctl_complain("%s (webhookctl help COMMAND shows what a command takes)", error.message);
    options_free(&options);
    return finish_output(result);
}
