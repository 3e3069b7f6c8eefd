/* Reads a vessel and its source. Called by fleet_file.c for each entry of "vessels", and by
 * blueprint_file.c for the source of a blueprint; pure. */
#include "model/fleet_vessel.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/words.h"
#include "model/fleet_arguments.h"
#include "model/fleet_blueprint.h"
#include "model/fleet_packages.h"
#include "model/fleet_values.h"
#include "model/name.h"

/* ---- source ---- */

static void read_file(struct checker *checker, const struct node *source,
                      struct definition_vessel *vessel)
{
    static const char *const KEYS[] = {"name", "content", NULL};
    const struct node *file = checker_map(checker, source, "file");
    if (!file) {
        if (!node_get(source, "file"))
            checker_problem(checker, source->line, "file", "missing: write {name: …, content: …}");
        return;
    }
    size_t mark = node_path_enter(&checker->path, "file");
    checker_keys(checker, file, KEYS);
    const char *name = checker_required(checker, file, "name");
    const char *content = checker_required(checker, file, "content");
    const char *problem = name ? fleet_values_path_problem(name) : NULL;
    if (problem)
        checker_problem(checker, checker_line(file, "name"), "name", "%s", problem);
    if (content && fleet_values_is_hidden(content))
        checker_problem(checker, checker_line(file, "content"), "content", "%s",
                        fleet_values_placeholder_problem(content));
    vessel->file_name = memory_string(name);
    vessel->file_content = memory_string(content);
    node_path_leave(&checker->path, mark);
}

/* Whether the script's first line names an interpreter that is not a shell. */
static bool names_other_interpreter(const char *script)
{
    if (strncmp(script, "#!", 2) != 0)
        return false;
    char line[200];
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(script, "\r\n"), script);
    return !strstr(line, "sh");
}

/* Notes what makes a script fail although it looks right in an editor. Its bytes are kept. */
static void note_pitfalls(struct checker *checker, const struct node *source,
                          const struct definition_vessel *vessel)
{
    const char *script = vessel->file_content;
    int line = checker_line(source, "file");
    if (!script)
        return;
    if (strncmp(script, "\xef\xbb\xbf", 3) == 0)
        checker_note(checker, line, "file.content",
                     "the script begins with a byte order mark, which is kept: most interpreters "
                     "refuse it");
    if (strstr(script, "\r\n"))
        checker_note(
            checker, line, "file.content",
            "the script has CR LF line ends, which are kept: Bash takes the CR as a part of "
            "each line");
    if (vessel->language == LANGUAGE_BASH && names_other_interpreter(script))
        checker_note(checker, line, "file.content",
                     "the script's first line names another interpreter, but the language is BASH: "
                     "Bash runs it");
}

static void read_file_to_run(struct checker *checker, const struct node *source,
                             struct definition_vessel *vessel)
{
    const char *name = checker_text(checker, source, "file_to_run");
    if (!name) { /* by default the vessel's only file */
        vessel->file_to_run = memory_string(vessel->file_name);
        return;
    }
    int line = checker_line(source, "file_to_run");
    const char *problem = fleet_values_path_problem(name);
    if (problem)
        checker_problem(checker, line, "file_to_run", "%s", problem);
    else if (checker->is_blueprint && reference_may_be_in(name))
        checker_problem(checker, line, "file_to_run",
                        "a file name must not have a reference to a credential");
    else if (checker->is_blueprint && strstr(name, "${"))
        (void)checker_references(checker, line, "file_to_run", name);
    else if (vessel->file_name && strcmp(name, vessel->file_name) != 0)
        checker_note(
            checker, line, "file_to_run",
            "\"%.100s\" is not the vessel's file (\"%.100s\"): there will be nothing to run", name,
            vessel->file_name);
    vessel->file_to_run = memory_string(name);
}

static void read_code(struct checker *checker, const struct node *source,
                      struct definition_vessel *vessel)
{
    static const char *const KEYS[] = {
        "type",        "language",          "version",          "file", "file_to_run", "arguments",
        "environment", CHECKER_SOURCE_KEYS, CHECKER_LATER_KEYS, NULL};
    checker_keys(checker, source, KEYS);
    checker_note_later(checker, source);
    if (!node_get(source, "language"))
        checker_problem(checker, source->line, "language", "missing: write BASH, PYTHON or NODE");
    int language = checker_word(checker, source, "language", WORDS_LANGUAGE);
    if (language >= 0)
        vessel->language = (enum vessel_language)language;
    vessel->version = memory_string(checker_text(checker, source, "version"));
    if (vessel->version)
        checker_without_effect(checker, checker_line(source, "version"), "version",
                               "the configuration sets the interpreter");
    read_file(checker, source, vessel);
    read_file_to_run(checker, source, vessel);
    note_pitfalls(checker, source, vessel);
    fleet_arguments_read(checker, source, vessel);
    fleet_arguments_read_environment(checker, source, vessel);
    fleet_arguments_check_size(checker, source, vessel);
    if (language >= 0)
        fleet_packages_read(checker, source, vessel);
}

/* Reads a source that only the reference platform has. Its other keys belong to the platform and
 * are not checked. */
static void read_foreign(struct checker *checker, const struct node *source, const char *key,
                         const char *what, struct definition_vessel *vessel)
{
    vessel->kind = VESSEL_STUB;
    if (checker->is_blueprint)
        checker_problem(checker, checker_line(source, key), key,
                        "%s cannot be the source of a blueprint: write CODE", what);
    else if (checker->options->stub)
        checker_note(
            checker, checker_line(source, key), key,
            "%s is kept as a stub: the vessel will end as errored (\"not available here\")", what);
    else
        checker_problem(
            checker, checker_line(source, key), key,
            "%s is not available here (with --stub the vessel is kept, and ends as errored)", what);
}

/* A vessel of a blueprint that does not exist here may be kept as a stub. */
static void read_blueprint(struct checker *checker, const struct node *source,
                           struct definition_vessel *vessel)
{
    if (checker->is_blueprint) {
        read_foreign(checker, source, "type", "another blueprint", vessel);
    } else if (!fleet_blueprint_read(checker, source, vessel)) {
        char what[NAME_MAX_BYTES + 20];
        (void)snprintf(what, sizeof(what), "blueprint \"%s\"",
                       checker_text(checker, source, "blueprint"));
        read_foreign(checker, source, "blueprint", what, vessel);
    }
}

void fleet_vessel_read_source(struct checker *checker, const struct node *map,
                              struct definition_vessel *vessel)
{
    static const char *const TYPES[] = {"CODE", "BLUEPRINT", "GIT", NULL};
    const struct node *source = checker_map(checker, map, "source");
    if (!source) {
        if (!node_get(map, "source"))
            checker_problem(checker, map->line, "source", "missing");
        return;
    }
    size_t mark = node_path_enter(&checker->path, "source");
    if (!node_get(source, "type"))
        checker_problem(checker, source->line, "type", "missing: write CODE");
    const char *type = checker_text(checker, source, "type");
    int place = type ? words_find(TYPES, type) : 0;
    if (place == 1)
        read_blueprint(checker, source, vessel);
    else if (place == 2)
        read_foreign(checker, source, "type", "a git source", vessel);
    else if (place == 0 && node_get(source, "git"))
        read_foreign(checker, source, "git", "a git source", vessel);
    else if (place == 0)
        read_code(checker, source, vessel);
    else
        checker_problem(checker, checker_line(source, "type"), "type",
                        "invalid value \"%.60s\": write CODE", type);
    node_path_leave(&checker->path, mark);
}

/* ---- the whole ---- */

void fleet_vessel_read_id(struct checker *checker, const struct node *map, struct id *id)
{
    const char *text = checker_text(checker, map, "_id");
    if (!text)
        return;
    if (id_parse(text, id) != 0 || id_is_zero(id))
        checker_problem(checker, checker_line(map, "_id"), "_id",
                        "\"%.60s\" is not an id: write a UUID, or leave \"_id\" out", text);
}

void fleet_vessel_read(struct checker *checker, const struct node *entry,
                       struct definition_vessel *vessel)
{
    static const char *const KEYS[] = {
        "_id", "source", "guardrails", CHECKER_SOURCE_KEYS, CHECKER_LATER_KEYS, NULL};
    vessel->name = memory_string(entry->key);
    size_t mark = node_path_enter(&checker->path, entry->key);
    const char *problem = name_problem(entry->key);
    if (problem)
        checker_problem(checker, entry->line, NULL, "%s", problem);
    if (entry->kind == NODE_MAP) {
        checker_keys(checker, entry, KEYS);
        checker_note_later(checker, entry);
        checker_note_misplaced(checker, entry);
        fleet_vessel_read_id(checker, entry, &vessel->id);
        fleet_vessel_read_source(checker, entry, vessel);
        guardrails_read(checker, entry, &vessel->guardrails);
    } else if (entry->kind != NODE_BROKEN) {
        checker_problem(checker, entry->line, NULL, "a vessel must be a mapping with a \"source\"");
    }
    node_path_leave(&checker->path, mark);
}
