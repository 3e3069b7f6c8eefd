/* Turns the bytes of a blueprint file into a blueprint. Its source and guardrails are read by the
 * code that reads those of a fleet file's vessel. Called by the admin API on its workers' threads;
 * pure, so calls may run concurrently. */
#include "model/blueprint.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/checker.h"
#include "model/file_tree.h"
#include "model/fleet_vessel.h"
#include "model/inputs_form.h"
#include "model/name.h"
#include "model/words.h"

static void read_name(struct checker *checker, const struct node *map, struct blueprint *blueprint)
{
    const char *name = checker_required(checker, map, "name");
    const char *problem = name ? name_problem(name) : NULL;
    if (problem)
        checker_problem(checker, checker_line(map, "name"), "name", "%s", problem);
    blueprint->name = memory_string(name);
    blueprint->code.name = memory_string(name);
}

static bool is_one_line(const char *text)
{
    for (const char *at = text; *at != '\0';) {
        uint32_t code_point;
        size_t bytes = utf8_decode(at, &code_point);
        if (bytes == 0 || utf8_is_cc(code_point))
            return false;
        at += bytes;
    }
    return true;
}

static void read_texts(struct checker *checker, const struct node *map, struct blueprint *blueprint)
{
    const char *synopsis = checker_required(checker, map, "synopsis");
    const char *description = checker_text(checker, map, "description");
    if (synopsis &&
        (synopsis[0] == '\0' || strlen(synopsis) > NAME_MAX_BYTES || !is_one_line(synopsis)))
        checker_problem(checker, checker_line(map, "synopsis"), "synopsis",
                        "must be one line of 1 to 255 bytes, without control characters");
    if (description && strlen(description) > BLUEPRINT_MAX_DESCRIPTION_BYTES)
        checker_problem(checker, checker_line(map, "description"), "description",
                        "must be at most %d KiB long", BLUEPRINT_MAX_DESCRIPTION_BYTES / 1024);
    blueprint->synopsis = memory_string(synopsis);
    blueprint->description = memory_string(description);
}

static void read_blueprint(struct checker *checker, const struct node *map,
                           struct blueprint *blueprint)
{
    static const char *const KEYS[] = {"name",        "_id",        "synopsis",
                                       "description", "visibility", "inputs",
                                       "source",      "guardrails", NULL};
    checker_keys(checker, map, KEYS);
    read_name(checker, map, blueprint);
    fleet_vessel_read_id(checker, map, &blueprint->id);
    read_texts(checker, map, blueprint);
    int visibility = checker_word(checker, map, "visibility", WORDS_VISIBILITY);
    if (visibility >= 0)
        blueprint->visibility = (enum blueprint_visibility)visibility;
    inputs_read(checker, map, &blueprint->inputs);
    checker->is_blueprint = true;
    checker->inputs = &blueprint->inputs;
    fleet_vessel_read_source(checker, map, &blueprint->code);
    guardrails_read(checker, map, &blueprint->code.guardrails);
}

struct blueprint *blueprint_file_parse(const char *text, size_t bytes,
                                       const struct fleet_file_options *options,
                                       struct fleet_problems *problems,
                                       struct fleet_problems *notes)
{
    static const struct file_kind kind = {"blueprint file", "name, synopsis, inputs, source",
                                          BLUEPRINT_FILE_MAX_BYTES};
    struct checker checker = {
        .problems = {.list = problems}, .notes = {.list = notes}, .options = options};
    struct blueprint *blueprint = memory_alloc(sizeof(*blueprint));
    struct node_tree tree = {0};
    if (file_tree_read(&kind, text, bytes, &tree, &checker.problems) == 0)
        read_blueprint(&checker, &tree.root, blueprint);
    node_tree_free(&tree);
    report_finish(&checker.problems, "problems");
    report_finish(&checker.notes, "notes");
    if (checker.problems.count == 0)
        return blueprint;
    blueprint_free(blueprint);
    return NULL;
}
