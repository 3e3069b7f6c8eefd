/* Parses webhookctl's arguments. Called by main.c and, for values, by the commands; the program has
 * one thread.
 *
 * getopt_long is not used: with POSIXLY_CORRECT in the environment it stops at the first operand,
 * it accepts abbreviated names that a later version may make ambiguous, and its messages give no
 * hint. */
#include "webhookctl/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/duration.h"
#include "base/memory.h"

static const struct {
    const char *name;
    char letter; /* 0: none */
    bool has_value;
} forms[OPTION_COUNT] = {
    [OPTION_SOCKET] = {"--socket", 's', true},
    [OPTION_JSON] = {"--json", 0, false},
    [OPTION_HELP] = {"--help", 'h', false},
    [OPTION_PROGRAM_VERSION] = {"-V", 'V', false},
    [OPTION_PROJECT] = {"--project", 0, true},
    [OPTION_CHECK] = {"--check", 0, false},
    [OPTION_STUB] = {"--stub", 0, false},
    [OPTION_VERSION] = {"--version", 0, true},
    [OPTION_IF_MISSING] = {"--if-missing", 0, false},
    [OPTION_FLEET] = {"--fleet", 0, true},
    [OPTION_STATUS] = {"--status", 0, true},
    [OPTION_LIMIT] = {"--limit", 0, true},
    [OPTION_ATTEMPT] = {"--attempt", 0, true},
    [OPTION_FOLLOW] = {"--follow", 0, false},
    [OPTION_BODY] = {"--body", 0, true},
    [OPTION_HEADER] = {"--header", 0, true},
    [OPTION_TIMEOUT] = {"--timeout", 0, true},
    [OPTION_WHO] = {"--who", 0, true},
    [OPTION_ACTION] = {"--action", 0, true},
    [OPTION_SINCE] = {"--since", 0, true},
    [OPTION_FILE] = {"--file", 0, true},
    [OPTION_FORCE] = {"--force", 0, false},
    [OPTION_STRICT] = {"--strict", 0, false},
    [OPTION_OVERRIDES] = {"--overrides", 0, true},
    [OPTION_IDEMPOTENCY_KEY] = {"--idempotency-key", 0, true},
    [OPTION_MISSING_CREDENTIALS] = {"--missing-credentials", 0, false},
    [OPTION_ROLE] = {"--role", 0, true},
    [OPTION_ORG] = {"--org", 0, true},
    [OPTION_EXPIRES] = {"--expires", 0, true},
    [OPTION_WAIT] = {"--wait", 0, false},
    [OPTION_ALL] = {"--all", 0, false},
};

const char *options_name(enum option option)
{
    return forms[option].name;
}

static int find_long(const char *text, size_t length)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strlen(forms[i].name) == length && strncmp(forms[i].name, text, length) == 0)
            return i;
    return -1;
}

static int find_letter(char letter)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (forms[i].letter == letter)
            return i;
    return -1;
}

/* Takes the option's value from the text attached to it or from the next argument. Returns the
 * number of further arguments used, or -1. */
static int set_value(struct options *options, int option, const char *attached, const char *next,
                     struct error *error)
{
    if (!forms[option].has_value) {
        options->values[option] = "";
        return 0;
    }
    options->values[option] = attached ? attached : next;
    if (!options->values[option])
        return error_set(error, ERROR_INVALID, "%s requires a value", forms[option].name);
    if (option == OPTION_HEADER)
        options->headers[options->header_count++] = options->values[option];
    return attached ? 0 : 1;
}

static int parse_long(struct options *options, const char *text, const char *next,
                      struct error *error)
{
    size_t length = strcspn(text, "=");
    int option = find_long(text, length);
    if (option < 0)
        return error_set(error, ERROR_INVALID, "unknown option \"%.*s\"",
                         (int)(length > 100 ? 100 : length), text);
    const char *attached = text[length] == '=' ? text + length + 1 : NULL;
    if (attached && !forms[option].has_value)
        return error_set(error, ERROR_INVALID, "%s does not take a value", forms[option].name);
    return set_value(options, option, attached, next, error);
}

/* "-V", "-hV", "-s PATH", "-sPATH". */
static int parse_letters(struct options *options, const char *text, const char *next,
                         struct error *error)
{
    for (const char *letter = text + 1; *letter != '\0'; letter++) {
        int option = find_letter(*letter);
        if (option < 0)
            return error_set(error, ERROR_INVALID, "unknown option \"%.100s\"", text);
        if (forms[option].has_value)
            return set_value(options, option, letter[1] != '\0' ? letter + 1 : NULL, next, error);
        options->values[option] = "";
    }
    return 0;
}

int options_parse(int argc, char **argv, struct options *options, struct error *error)
{
    memset(options, 0, sizeof(*options));
    options->operands = memory_array(NULL, (size_t)argc + 1, sizeof(*options->operands));
    options->headers = memory_array(NULL, (size_t)argc + 1, sizeof(*options->headers));
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (ended || text[0] != '-' || text[1] == '\0') {
            options->operands[options->operand_count++] = text;
            continue;
        }
        ended = strcmp(text, "--") == 0;
        if (ended)
            continue;
        int used = text[1] == '-' ? parse_long(options, text, argv[i + 1], error)
                                  : parse_letters(options, text, argv[i + 1], error);
        if (used < 0)
            return -1;
        i += used;
    }
    return 0;
}

void options_free(struct options *options)
{
    free(options->operands);
    free(options->headers);
    options->operands = options->headers = NULL;
    options->operand_count = options->header_count = 0;
}

int options_number(const struct options *options, enum option option, int64_t low, int64_t high,
                   int64_t *number, struct error *error)
{
    const char *text = options->values[option];
    if (!text)
        return 0;
    int64_t value = 0;
    const char *end = decimal_read(text, 0, &value);
    if (!end || *end != '\0' || value < low || value > high)
        return error_set(error, ERROR_INVALID, "%s must be a whole number from %lld to %lld",
                         options_name(option), (long long)low, (long long)high);
    *number = value;
    return 0;
}

static const struct duration_form duration_form = {
    .largest = DURATION_D, .smallest = DURATION_MS, .any_order = true};

int options_duration(const struct options *options, enum option option, int64_t *ms,
                     struct error *error)
{
    const char *text = options->values[option];
    if (text && duration_parse(text, &duration_form, ms) != 0)
        return error_set(error, ERROR_INVALID,
                         "%s must be a duration such as 500ms, 30s, 5m or 1h30m",
                         options_name(option));
    return 0;
}

int options_since(const struct options *options, enum option option, int64_t now_ms,
                  int64_t *wall_ms, struct error *error)
{
    const char *text = options->values[option];
    int64_t span_ms = 0;
    if (!text || clock_parse(text, wall_ms) == 0)
        return 0;
    if (duration_parse(text, &duration_form, &span_ms) != 0)
        return error_set(error, ERROR_INVALID,
                         "%s must be a duration such as 24h or 7d, or an RFC 3339 time such as "
                         "2026-11-23T10:51:48Z",
                         options_name(option));
    *wall_ms = now_ms - span_ms;
    return 0;
}
