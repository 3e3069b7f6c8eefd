/* webhookctl, the administrator's command-line program. Parses the arguments, finds the command in
 * the table, runs it, and reports what failed. One thread. */
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
    const char *operands; /* as the help shows them, with the command's own options */
    const char *summary;
    ctl_command *run;
    size_t least, most;
    unsigned options; /* besides EVERYWHERE */
};

static const struct command commands[] = {
    {"org", "list", "", "list all organizations", projects_list_orgs, 0, 0, JSON},
    {"org", "create", "NAME", "create an organization", projects_create_org, 1, 1, JSON},
    {"org", "delete", "NAME", "delete an empty organization", projects_delete_org, 1, 1, JSON},
    {"project", "list", "[ORG]", "list all projects, or those of one organization", projects_list,
     0, 1, JSON},
    {"project", "create", "[ORG/]NAME", "create a project", projects_create, 1, 1, JSON},
    {"project", "delete", "[ORG/]NAME", "delete an empty project", projects_delete, 1, 1, JSON},
    {"fleet", "list", "[--project [ORG/]NAME]", "list all fleets, or those of one project",
     fleets_list, 0, 0, JSON | BIT(OPTION_PROJECT)},
    {"fleet", "apply",
     "{FILE|FOLDER|-}... [--project [ORG/]NAME] [--check] [--stub] [--strict] "
     "[--missing-credentials] [--wait]",
     "create or update fleets from files, or from standard input (-)", apply_fleet, 1, SIZE_MAX,
     JSON | BIT(OPTION_PROJECT) | BIT(OPTION_CHECK) | BIT(OPTION_STUB) | BIT(OPTION_STRICT) |
         BIT(OPTION_MISSING_CREDENTIALS) | BIT(OPTION_WAIT)},
    {"fleet", "show", "FLEET [--version N]", "print a fleet's file", fleets_show, 1, 1,
     JSON | BIT(OPTION_VERSION)},
    {"fleet", "versions", "FLEET", "list all versions of a fleet", fleets_versions, 1, 1, JSON},
    {"fleet", "back", "FLEET VERSION",
     "apply the file of an older version again, with the hidden values of that version", apply_back,
     2, 2, JSON},
    {"fleet", "delete", "FLEET", "delete a fleet and its webhook", fleets_delete, 1, 1, JSON},
    {"webhook", "list", "", "list all fleets that have a webhook, with their URLs", webhooks_list,
     0, 0, JSON},
    {"webhook", "create", "FLEET [--if-missing]", "create a fleet's webhook and print its URL",
     webhooks_create, 1, 1, JSON | BIT(OPTION_IF_MISSING)},
    {"webhook", "show", "FLEET", "print the URL of a fleet's webhook", webhooks_show, 1, 1, JSON},
    {"webhook", "replace", "FLEET",
     "replace a webhook's URL and print the new one; the old URL stops working immediately",
     webhooks_replace, 1, 1, JSON},
    {"webhook", "remove", "FLEET", "remove a fleet's webhook; its URL stops working immediately",
     webhooks_remove, 1, 1, JSON},
    {"run", "list", "[--fleet FLEET] [--status STATUS] [--limit N]", "list the latest fleet runs",
     runs_list, 0, 0, JSON | BIT(OPTION_FLEET) | BIT(OPTION_STATUS) | BIT(OPTION_LIMIT)},
    {"run", "show", "RUN", "show a fleet run and its vessel runs", runs_show, 1, 1, JSON},
    {"run", "body", "RUN", "print the request's body, byte for byte", run_output_body, 1, 1, 0},
    {"run", "headers", "RUN", "print the request's headers", run_output_headers, 1, 1, JSON},
    {"run", "log", "RUN [VESSEL] [--attempt N] [--follow]",
     "print the output of all vessels, or of one", run_output_log, 1, 2,
     BIT(OPTION_ATTEMPT) | BIT(OPTION_FOLLOW)},
    {"run", "start", "FLEET [--body FILE|-] [--header 'NAME: VALUE']...",
     "start a fleet run and print its id", runs_start, 1, 1,
     JSON | BIT(OPTION_BODY) | BIT(OPTION_HEADER)},
    {"run", "trigger", "FLEET [--overrides FILE|-] [--idempotency-key KEY]",
     "start a fleet run with overrides for its vessels and print its id", trigger_run, 1, 1,
     JSON | BIT(OPTION_OVERRIDES) | BIT(OPTION_IDEMPOTENCY_KEY)},
    {"run", "stop", "RUN", "stop a fleet run: end its running vessels and start no others",
     runs_stop, 1, 1, JSON},
    {"run", "again", "RUN",
     "start a fleet run of the current version with the same headers and body; print its id",
     runs_again, 1, 1, JSON},
    {"run", "wait", "RUN [--timeout DURATION]",
     "wait for a fleet run to end; exit status 0 if it succeeded, else 1", run_wait, 1, 1,
     JSON | BIT(OPTION_TIMEOUT)},
    {"credential", "list", "[ORG]", "list an organization's credentials, never their values",
     credentials_list, 0, 1, JSON},
    {"credential", "set", "[ORG/]GROUP.ITEM [--file FILE|-]",
     "store or replace a credential; the value comes from standard input, a file or a prompt",
     credentials_set, 1, SIZE_MAX, JSON | BIT(OPTION_FILE)},
    {"credential", "remove", "[ORG/]GROUP.ITEM [--force]", "remove a credential that no fleet uses",
     credentials_remove, 1, 1, JSON | BIT(OPTION_FORCE)},
    {"credential", "used", "[ORG/]GROUP.ITEM",
     "list the fleets, vessels and blueprints that use a credential", credentials_used, 1, 1, JSON},
    {"blueprint", "list", "[ORG]", "list an organization's blueprints", blueprints_list, 0, 1,
     JSON},
    {"blueprint", "apply", "{FILE|FOLDER|-}... [--org ORG] [--check]",
     "create or update blueprints from files, or from standard input (-)", apply_blueprint, 1,
     SIZE_MAX, JSON | BIT(OPTION_ORG) | BIT(OPTION_CHECK)},
    {"blueprint", "show", "BLUEPRINT [--version N]", "print a blueprint's file", blueprints_show, 1,
     1, JSON | BIT(OPTION_VERSION)},
    {"blueprint", "versions", "BLUEPRINT", "list all versions of a blueprint", blueprints_versions,
     1, 1, JSON},
    {"blueprint", "used", "BLUEPRINT",
     "list the fleets and vessels that use a blueprint, and what does not fit", blueprints_used, 1,
     1, JSON},
    {"blueprint", "delete", "BLUEPRINT", "delete a blueprint that no fleet uses", blueprints_delete,
     1, 1, JSON},
    {"packages", "list", "", "list the package environments and the fleets that use them",
     packages_list, 0, 0, JSON},
    {"packages", "show", "FLEET [VESSEL]", "show what became of the packages of a fleet's vessels",
     packages_show, 1, 2, JSON},
    {"packages", "log", "FLEET VESSEL [--follow]", "print the log of locking or installing",
     packages_log, 2, 2, BIT(OPTION_FOLLOW)},
    {"packages", "refresh", "FLEET", "look for new versions of the packages of a fleet's vessels",
     packages_refresh, 1, 1, JSON},
    {"packages", "clean", "[--all]", "remove the package environments that no fleet uses",
     packages_clean, 0, 0, JSON | BIT(OPTION_ALL)},
    {"key", "list", "", "list all API keys", keys_list, 0, 0, JSON},
    {"key", "create",
     "NAME [--role owner|trigger] [--fleet FLEET | --org ORG] [--expires DURATION]",
     "create an API key and print it; it is not shown again", keys_create, 1, 1,
     JSON | BIT(OPTION_ROLE) | BIT(OPTION_FLEET) | BIT(OPTION_ORG) | BIT(OPTION_EXPIRES)},
    {"key", "revoke", "KEY", "revoke an API key; end its sessions and whatever they follow live",
     keys_revoke, 1, 1, JSON},
    {"audit", NULL, "[--who NAME] [--action ACTION] [--fleet FLEET] [--since TIME] [--limit N]",
     "show who changed what, when and from where", audit_list, 0, 0,
     JSON | BIT(OPTION_WHO) | BIT(OPTION_ACTION) | BIT(OPTION_FLEET) | BIT(OPTION_SINCE) |
         BIT(OPTION_LIMIT)},
    {"status", NULL, "", "show what webhookd is doing", status_show, 0, 0, JSON},
    {"backup", NULL, "FILE|-",
     "write a backup of the store, the bodies and the output, without secret.key", backup, 1, 1, 0},
};

/* A command's own options, in the order of its form. */
static const struct {
    ctl_command *run;
    const char *option, *meaning;
} meanings[] = {
    {fleets_list, "--project [ORG/]NAME", "list only the fleets of this project"},
    {apply_fleet, "--project [ORG/]NAME", "the fleets' project (default: default/default)"},
    {apply_fleet, "--check", "only check the files; change nothing"},
    {apply_fleet, "--stub",
     "accept git sources, and blueprints that do not exist here; they end as errored"},
    {apply_fleet, "--strict", "refuse files with keys that would have no effect"},
    {apply_fleet, "--missing-credentials",
     "accept references to credentials that do not exist yet; their vessels fail until then"},
    {apply_blueprint, "--org ORG", "the blueprints' organization (default: default)"},
    {apply_blueprint, "--check", "only check the files; change nothing"},
    {blueprints_show, "--version N", "print the file of version N instead of the current one"},
    {apply_fleet, "--wait",
     "wait until the packages are installed; exit status 1 if they cannot be"},
    {credentials_set, "--file FILE|-", "read the value from a file, or - for standard input"},
    {credentials_remove, "--force", "remove it even if fleets use it; their vessels then fail"},
    {fleets_show, "--version N", "print the file of version N instead of the current one"},
    {webhooks_create, "--if-missing", "if the fleet already has a webhook, print its URL"},
    {runs_list, "--fleet FLEET", "list only the runs of this fleet"},
    {runs_list, "--status STATUS", "one of scheduled, running, success, errored, terminated"},
    {runs_list, "--limit N", "list at most N fleet runs (default: 50)"},
    {run_output_log, "--attempt N", "print attempt N of each vessel instead of its last one"},
    {run_output_log, "--follow", "keep printing new output until it has ended"},
    {runs_start, "--body FILE|-", "the request's body: a file, or - for standard input"},
    {runs_start, "--header 'NAME: VALUE'", "one of the request's headers"},
    {trigger_run, "--overrides FILE|-",
     "variables, arguments and statuses in JSON: a file, or - for standard input"},
    {trigger_run, "--idempotency-key KEY",
     "if repeated with the same key within 24 hours, print the first run's id and start no other"},
    {packages_log, "--follow", "keep printing until nothing is being installed"},
    {packages_clean, "--all", "also remove those of fleets; their next runs install them again"},
    {run_wait, "--timeout DURATION", "wait at most this long, for example 90s, 5m or 1h30m"},
    {keys_create, "--role owner|trigger",
     "owner may do everything (default); trigger may only start runs through the API trigger"},
    {keys_create, "--fleet FLEET", "a trigger key for this fleet only"},
    {keys_create, "--org ORG", "a trigger key for the fleets of this organization only"},
    {keys_create, "--expires DURATION",
     "how long the key works, for example 90d (default: for ever)"},
    {audit_list, "--who NAME", "only changes by this API key or user"},
    {audit_list, "--action ACTION", "only this action, such as fleet.apply"},
    {audit_list, "--fleet FLEET", "only changes of this fleet, its webhook and its runs"},
    {audit_list, "--since TIME", "only changes of the last 24h, 7d, … or since an RFC 3339 time"},
    {audit_list, "--limit N", "show at most N changes (default: 20)"},
};

/* What the words in the commands' forms stand for. */
static const struct {
    const char *word, *meaning;
} words[] = {
    {"FLEET", "FLEET is an id or [[ORG/]PROJECT/]NAME; ORG and PROJECT default to \"default\"."},
    {"BLUEPRINT", "BLUEPRINT is an id or [ORG/]NAME; ORG defaults to \"default\"."},
    {"[ORG]", "ORG is a name or an id; it defaults to \"default\", except for projects."},
    {"[ORG/]GROUP.ITEM", "ORG defaults to \"default\"; a fleet file refers to #{GROUP.ITEM}."},
    {"[ORG/]NAME", "ORG defaults to \"default\"."},
    {"RUN", "RUN is an id, a prefix of an id, a request's id, or \"latest\"."},
    {"KEY", "KEY is a name or an id."},
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

static void write_help_on(const struct command *command, bool in_detail)
{
    printf("  ");
    write_form(stdout, command);
    printf("\n      %s\n", command->summary);
    for (size_t i = 0; in_detail && i < ARRAY_COUNT(meanings); i++)
        if (meanings[i].run == command->run)
            printf("      %-22s  %s\n", meanings[i].option, meanings[i].meaning);
}

static bool is_asked_for(const struct command *command, const char *subject, const char *verb)
{
    return command->run && is_of(command, subject, verb);
}

/* Prints the commands with this subject and verb (NULL: any). Returns how many there are. */
static size_t write_commands(const char *subject, const char *verb)
{
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
        if (is_asked_for(&commands[i], subject, verb)) {
            write_help_on(&commands[i], subject != NULL);
            count++;
        }
    return count;
}

static bool any_has_word(const char *word, const char *subject, const char *verb)
{
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
        if (is_asked_for(&commands[i], subject, verb) && strstr(commands[i].operands, word))
            return true;
    return false;
}

/* Explains the words that occur in the forms of these commands. */
static void write_words(const char *subject, const char *verb)
{
    const char *before = "\n";
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (any_has_word(words[i].word, subject, verb)) {
            printf("%s%s\n", before, words[i].meaning);
            before = "";
        }
}

static int help(const char *subject, const char *verb)
{
    if (!subject)
        printf("webhookctl administers webhookd over its admin socket.\n\nCommands:\n");
    if (write_commands(subject, verb) == 0) {
        ctl_complain("unknown command \"%s%s%s\" (webhookctl help lists all commands)", subject,
                     verb ? " " : "", verb ? verb : "");
        return CTL_USAGE;
    }
    write_words(subject, verb);
    printf("\nOptions, before or after operands; -- ends them:\n"
           "  -s, --socket SOCKET  webhookd's admin socket (default: $WEBHOOKD_SOCKET,\n"
           "                       or else " DEFAULT_SOCKET ")\n"
           "      --json           print the API's JSON instead of text\n"
           "  -V                   print webhookctl's version\n"
           "  -h, --help           print this help\n\n"
           "Exit status: 0 success, 1 failure, 2 incorrect usage. See webhookctl(1).\n");
    return CTL_DONE;
}

/* ---- incorrect usage ---- */

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
        ctl_complain("unknown command \"%s\" (webhookctl help lists all commands)", subject);
    else if (options->operand_count > 1)
        ctl_complain("unknown command \"%s %s\" (%s is followed by one of %s)", subject,
                     options->operands[1], subject, buffer_text(&verbs));
    else
        ctl_complain("the command \"%s\" is incomplete (add one of %s)", subject,
                     buffer_text(&verbs));
    buffer_free(&verbs);
    return CTL_USAGE;
}

static int check_options(const struct command *command, const struct options *options)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (!options->values[i] || ((command->options | EVERYWHERE) & BIT(i)))
            continue;
        ctl_complain("%s%s%s does not take %s", command->subject, command->verb ? " " : "",
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
    const char *const *typed = options->operands;
    size_t count = options->operand_count;
    bool asks = count > 0 && strcmp(typed[0], "help") == 0;
    if (asks || options->values[OPTION_HELP])
        return help(count > asks ? typed[asks] : NULL, count > asks + 1u ? typed[asks + 1] : NULL);
    if (count == 0) {
        ctl_complain("a command is missing (webhookctl help lists all commands)");
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
                      .operands = typed + used,
                      .operand_count = count - used,
                      .json = options->values[OPTION_JSON]};
    if (ctl.operand_count < command->least)
        return mistake(command, "an operand is missing");
    if (ctl.operand_count > command->most) {
        ctl_complain("unexpected operand \"%s\"", ctl.operands[command->most]);
        return write_usage(command);
    }
    return run_command(command, &ctl);
}

/* Output counts as printed only after it has been written. (If the reader went away, SIGPIPE has
 * already ended the process.) */
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

/* If the process starts with a standard stream closed, the next file opened would get its number,
 * and output could go into webhookd's socket. This opens such a stream in the wrong mode, so that
 * using it fails as if it were closed. */
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
    /* The parent may have set it to be ignored. The process must end when its reader goes away. */
    signal(SIGPIPE, SIG_DFL);
    setlocale(LC_CTYPE, "C.UTF-8"); /* only for the widths of characters */

    /* --version is an option for a fleet's version and requires a value, but people type it alone
     * to get the program's. */
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
