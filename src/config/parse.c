/* Text → a checked snapshot. libconfuse knows the grammar, the table in keys.c the keys. Every
 * value passes through on_value, which records errors and continues, so that one reading finds many
 * of them. A syntax error ends it; after an unknown key, the text is read again (see below).
 *
 * libconfuse stops at a key that it does not know. parse.c then records the key, declares it as one
 * that takes any value, and reads the text again.
 *
 * Called by config_load, at the start and on a reload, and by the tests, on the caller's thread. */
#include "config/config.h"

#include <assert.h>
#include <confuse.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "config/check.h"
#include "config/findings.h"
#include "config/snapshot.h"
#include "config/text.h"
#include "config/value.h"

#define UNKNOWN_MAX  30
#define SECTIONS_MAX 8
#define TOP_LEVEL    "root" /* libconfuse's name for it */
#define FLEET        "fleet"

struct unknown {
    char *section, *name;
};

struct reading {
    const char *name; /* of the file */
    struct config_snapshot *snapshot;
    bool complete;                   /* the plain text covers the whole file */
    struct config_findings lasting;  /* of the text, and unknown keys: kept across readings */
    struct config_findings findings; /* of the current reading */
    struct unknown unknown[UNKNOWN_MAX];
    size_t unknown_count;
    bool once_more;
    int fleet_line[CONFIG_FLEET_KEYS]; /* the line where the last fleet section sets each key */
};

/* Guards `current` and libconfuse. libconfuse's scanner is global, and its callbacks receive no
 * context, so only one reading may run at a time. */
static pthread_mutex_t reading_lock = PTHREAD_MUTEX_INITIALIZER;
static struct reading *current;

static const char *section_name(const cfg_t *cfg)
{
    return strcmp(cfg->name, TOP_LEVEL) == 0 ? "" : cfg->name;
}

/* ---- values ---- */

/* Takes ownership of the problem. NULL adds nothing. */
static void note(int line, const char *path, char *problem)
{
    if (problem)
        config_findings_add(&current->findings, line, "%s: %s", path, problem);
    free(problem);
}

/* Returns true if the key was not set before; otherwise adds a finding. */
static bool note_line(int line, const char *path, int *set_line)
{
    if (*set_line != 0) {
        note(line, path, memory_format("already set on line %d", *set_line));
        return false;
    }
    *set_line = line;
    return true;
}

/* The first item of a list is CONFIG_LIST_START. If it is not, the value is not a list. */
static void take_list_item(const struct config_key *key, int line, unsigned place, const char *path,
                           int *set_line, const char *value)
{
    struct config *config = &current->snapshot->config;
    if (place > 1) {
        note(line, path, config_value_set(key, config, value));
        return;
    }
    if (note_line(line, path, set_line) && strcmp(value, CONFIG_LIST_START) != 0)
        note(line, path,
             memory_format("must be a list of %s in braces: { \"…\", \"…\" }",
                           key->info.range_text));
}

/* Returns the fleet of the section that is being read. It is the last one or a new one, because
 * libconfuse refuses a second section with the same title. */
static struct config_fleet *fleet_of(cfg_t *section)
{
    struct config *config = &current->snapshot->config;
    const char *name = cfg_title(section);
    if (config->fleet_count > 0 && strcmp(config->fleets[config->fleet_count - 1].name, name) == 0)
        return &config->fleets[config->fleet_count - 1];
    config->fleets = memory_array(config->fleets, config->fleet_count + 1, sizeof(*config->fleets));
    struct config_fleet *fleet = &config->fleets[config->fleet_count++];
    *fleet = (struct config_fleet){.name = memory_string(name),
                                   .user = memory_string(""),
                                   .place = memory_format("%s:%d", current->name, section->line)};
    memset(current->fleet_line, 0, sizeof(current->fleet_line));
    const char *problem = config_check_fleet(name);
    if (problem) {
        char *excerpt = config_excerpt(name);
        config_findings_add(&current->findings, section->line, "fleet \"%s\": the title %s",
                            excerpt, problem);
        free(excerpt);
    }
    return fleet;
}

static bool take_fleet_value(cfg_t *section, const char *name, const char *value)
{
    for (size_t i = 0; i < CONFIG_FLEET_KEYS; i++) {
        const struct config_key *key = &config_fleet_keys[i];
        if (strcmp(key->info.name, name) != 0)
            continue;
        struct config_fleet *fleet = fleet_of(section);
        char *excerpt = config_excerpt(fleet->name);
        char *path = memory_format("fleet \"%s\": %s", excerpt, name);
        if (note_line(section->line, path, &current->fleet_line[i]))
            note(section->line, path, config_value_set(key, fleet, value));
        if (i == CONFIG_FLEET_SANDBOX)
            fleet->has_sandbox = true;
        free(path);
        free(excerpt);
        return true;
    }
    return false;
}

static bool take_value(const cfg_t *cfg, const cfg_opt_t *option, const char *value)
{
    const struct config_key *key = config_key_find(section_name(cfg), option->name);
    if (!key)
        return false;
    int *set_line = &current->snapshot->set_line[key - config_keys];
    char *path = config_key_path(key->info.section, key->info.name);
    if (key->type == CONFIG_LIST)
        take_list_item(key, cfg->line, option->nvalues, path, set_line, value);
    else if (note_line(cfg->line, path, set_line))
        note(cfg->line, path, config_value_set(key, &current->snapshot->config, value));
    free(path);
    return true;
}

static bool is_declared_unknown(const char *section, const char *name)
{
    for (size_t i = 0; i < current->unknown_count; i++)
        if (strcmp(current->unknown[i].section, section) == 0 &&
            strcmp(current->unknown[i].name, name) == 0)
            return true;
    return false;
}

/* libconfuse calls this for each value and each item of a list. cfg->line is the value's line. */
static int on_value(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
    *(void **)result = NULL; /* nothing is stored there */
    bool taken = strcmp(cfg->name, FLEET) == 0 ? take_fleet_value(cfg, option->name, value)
                                               : take_value(cfg, option, value);
    /* In libconfuse, "section|key" names a key of another section; webhookd.conf does not allow
     * that. */
    if (!taken && !is_declared_unknown(section_name(cfg), option->name))
        config_findings_add(&current->findings, cfg->line, "%s: unknown key", option->name);
    return 0;
}

/* libconfuse calls this at the end of each fleet section, even of one without keys. */
static int on_fleet(cfg_t *cfg, cfg_opt_t *option)
{
    (void)cfg;
    fleet_of(cfg_opt_getnsec(option, cfg_opt_size(option) - 1));
    return 0;
}

/* ---- errors ---- */

static char *list_keys(const char *section)
{
    struct buffer text = BUFFER_INIT;
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].info.section, section) == 0)
            buffer_append_format(&text, "%s%s", text.bytes > 0 ? ", " : "",
                                 config_keys[i].info.name);
    if (section[0] == '\0')
        buffer_append_text(&text, ", hooks, admin, runner, retention, packages, fleet");
    if (strcmp(section, FLEET) == 0)
        buffer_append_text(&text, "sandbox, user");
    return buffer_take(&text);
}

/* Returns how a message names the key of a section. Allocated. */
static char *path_in(cfg_t *cfg, const char *key)
{
    if (strcmp(cfg->name, FLEET) != 0)
        return config_key_path(section_name(cfg), key);
    char *title = config_excerpt(cfg_title(cfg));
    char *path = memory_format(FLEET " \"%s\": %s", title, key);
    free(title);
    return path;
}

static void note_unknown(cfg_t *cfg, const char *name)
{
    const char *section = section_name(cfg);
    char *excerpt = config_excerpt(name);
    char *path = path_in(cfg, excerpt);
    char *known = list_keys(section);
    config_findings_add(&current->lasting, cfg->line, "%s: unknown %s; expected one of: %s", path,
                        section[0] == '\0' ? "key or section" : "key", known);
    if (current->unknown_count < UNKNOWN_MAX) {
        current->unknown[current->unknown_count++] =
            (struct unknown){memory_string(section), memory_string(name)};
        current->once_more = true;
    }
    free(known);
    free(path);
    free(excerpt);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Returns what to say instead of libconfuse's text, or NULL. Allocated. */
static char *better_text(const char *format, const char *name)
{
    bool is_fleet = strcmp(name, FLEET) == 0;
    if (starts_with(format, "found duplicate title")) {
        char *title = config_excerpt(name);
        char *text = memory_format(
            FLEET " \"%s\": already described above; keep one of the sections", title);
        free(title);
        return text;
    }
    if (starts_with(format, "missing title") ||
        (starts_with(format, "missing opening") && is_fleet))
        return memory_format("\"%s\" is a section with a title: write " FLEET
                             " \"organization/project/fleet\" { … }",
                             name);
    if (starts_with(format, "missing opening brace"))
        return memory_format("\"%s\" is a section: write %s { … }", name, name);
    return NULL;
}

/* libconfuse calls this for each error. The English text of the format distinguishes the errors; an
 * error that libconfuse 3.3 does not have is shown unchanged. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *format,
                                                           va_list arguments)
{
    va_list copy;
    va_copy(copy, arguments);
    const char *name = strstr(format, "'%s'") ? va_arg(copy, const char *) : "";
    va_end(copy);
    if (starts_with(format, "no such option")) {
        note_unknown(cfg, name);
        return;
    }
    if (starts_with(format, "missing equal sign") && is_declared_unknown(section_name(cfg), name))
        return; /* an unknown section, which already has a finding */
    if (starts_with(format, "premature end of file") && !current->complete)
        return; /* what ended the text early already has a finding */
    char *better = better_text(format, name);
    char *message = memory_format_v(format, arguments);
    char *excerpt = config_excerpt(message);
    config_findings_add(&current->findings, cfg->line, "%s%s",
                        better ? "" : "syntax error: ", better ? better : excerpt);
    free(excerpt);
    free(message);
    free(better);
}

/* ---- the grammar ---- */

#define OPTIONS_MAX (CONFIG_KEYS_MAX + UNKNOWN_MAX + SECTIONS_MAX + 1)

struct options {
    cfg_opt_t items[OPTIONS_MAX]; /* zeroed: an option without a name is the last */
    size_t count;
};

static void declare(struct options *options, cfg_opt_t option)
{
    assert(options->count < OPTIONS_MAX - 1);
    options->items[options->count++] = option;
}

static void declare_value(struct options *options, const char *name)
{
    declare(options, (cfg_opt_t)CFG_PTR_CB(name, NULL, CFGF_NODEFAULT, on_value, NULL));
}

static void declare_list(struct options *options, const char *name)
{
    declare(options, (cfg_opt_t)CFG_PTR_LIST_CB(name, NULL, CFGF_NODEFAULT, on_value, NULL));
}

static void declare_keys(struct options *options, const char *section)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (strcmp(config_keys[i].info.section, section) != 0)
            continue;
        if (config_keys[i].type == CONFIG_LIST)
            declare_list(options, config_keys[i].info.name);
        else
            declare_value(options, config_keys[i].info.name);
    }
    for (size_t i = 0; i < CONFIG_FLEET_KEYS && strcmp(section, FLEET) == 0; i++)
        declare_value(options, config_fleet_keys[i].info.name);
    for (size_t i = 0; i < current->unknown_count; i++)
        if (strcmp(current->unknown[i].section, section) == 0)
            declare_list(options, current->unknown[i].name); /* accepts a single value as well */
}

/* libconfuse copies the options, so they can be freed here. */
static cfg_t *make_parser(void)
{
    struct options *top = memory_alloc(sizeof(*top));
    struct options *sections = memory_alloc(SECTIONS_MAX * sizeof(*sections));
    size_t section_count = 0;
    declare_keys(top, "");
    const char *last = "";
    for (size_t i = 0; i < config_key_count; i++) {
        const char *name = config_keys[i].info.section;
        if (strcmp(name, last) == 0)
            continue;
        assert(section_count < SECTIONS_MAX - 1);
        struct options *section = &sections[section_count++];
        declare_keys(section, name);
        declare(top, (cfg_opt_t)CFG_SEC(name, section->items, CFGF_NONE));
        last = name;
    }
    struct options *fleet = &sections[section_count];
    declare_keys(fleet, FLEET);
    cfg_opt_t option = CFG_SEC(FLEET, fleet->items, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    option.validcb = on_fleet;
    declare(top, option);
    cfg_t *parser = cfg_init(top->items, CFGF_NONE);
    if (!parser)
        abort(); /* out of memory */
    cfg_set_error_function(parser, on_error);
    free(top);
    free(sections);
    return parser;
}

/* ---- reading ---- */

static void read_once(struct reading *reading, const char *plain)
{
    config_findings_clear(&reading->findings);
    if (reading->snapshot)
        config_release(&reading->snapshot->config);
    reading->snapshot = config_snapshot_new();
    reading->once_more = false;
    cfg_t *parser = make_parser();
    int status = cfg_parse_buf(parser, plain);
    if (status != CFG_SUCCESS && reading->findings.count == 0 && reading->lasting.count == 0)
        config_findings_add(&reading->findings, parser->line, "syntax error");
    cfg_free(parser);
}

static int line_of(const struct reading *reading, const char *section, const char *name)
{
    return reading->snapshot->set_line[config_key_find(section, name) - config_keys];
}

/* Checks that involve several values. */
static void check_together(struct reading *reading)
{
    const struct config *config = &reading->snapshot->config;
    bool has_certificate = config->hooks.tls_certificate[0] != '\0';
    bool has_key = config->hooks.tls_key[0] != '\0';
    if (has_certificate && !has_key)
        config_findings_add(&reading->findings, line_of(reading, "hooks", "tls_certificate"),
                            "hooks.tls_key: missing; hooks.tls_certificate requires it");
    if (has_key && !has_certificate)
        config_findings_add(&reading->findings, line_of(reading, "hooks", "tls_key"),
                            "hooks.tls_certificate: missing; hooks.tls_key requires it");
}

static void cut_slashes(char *url)
{
    for (size_t end = strlen(url); end > 0 && url[end - 1] == '/'; end--)
        url[end - 1] = '\0';
}

static void normalize(struct config *config)
{
    cut_slashes(config->hooks.public_url);
    cut_slashes(config->admin.public_url);
    cut_slashes(config->packages.pip_index);
    cut_slashes(config->packages.npm_registry);
}

static void read_all(struct reading *reading, const char *text, size_t bytes)
{
    struct buffer plain = BUFFER_INIT;
    reading->complete = config_text_plain(text, bytes, &plain, &reading->lasting);
    const char *plain_text = buffer_text(&plain);
    if (plain.failed)
        abort(); /* out of memory */
    do
        read_once(reading, plain_text);
    while (reading->once_more);
    config_findings_merge(&reading->findings, &reading->lasting);
    if (reading->findings.count == 0)
        check_together(reading);
    normalize(&reading->snapshot->config);
    buffer_free(&plain);
}

struct config *config_parse(const char *text, size_t bytes, const char *name,
                            struct config_report *report)
{
    struct reading *reading = memory_alloc(sizeof(*reading));
    reading->name = name;
    pthread_mutex_lock(&reading_lock);
    current = reading;
    read_all(reading, text, bytes);
    current = NULL;
    pthread_mutex_unlock(&reading_lock);

    struct config *config = &reading->snapshot->config;
    if (reading->findings.count > 0) {
        config_findings_publish(&reading->findings, name, report);
        config_release(config);
        config = NULL;
    }
    config_findings_clear(&reading->findings);
    for (size_t i = 0; i < reading->unknown_count; i++) {
        free(reading->unknown[i].section);
        free(reading->unknown[i].name);
    }
    free(reading);
    return config;
}
