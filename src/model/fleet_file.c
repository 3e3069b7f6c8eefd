/* Turns the bytes of a fleet file into a definition: reads its tree (file_tree.c), then checks the
 * fleet, its vessels (fleet_vessel.c) and the graph (fleet_graph.c). Called by the admin API on its
 * workers' threads; pure, so calls may run concurrently. */
#include "model/fleet_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/checker.h"
#include "model/file_tree.h"
#include "model/words.h"
#include "model/fleet_graph.h"
#include "model/fleet_hidden.h"
#include "model/fleet_vessel.h"
#include "model/name.h"

#define MAX_VESSELS         1000
#define MAX_CONCURRENT_RUNS 1000000

/* ---- from a tree to a definition ---- */

static int compare_ids(const void *a, const void *b)
{
    const struct definition_vessel *const *left = a;
    const struct definition_vessel *const *right = b;
    int order = memcmp((*left)->id.bytes, (*right)->id.bytes, sizeof((*left)->id.bytes));
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

static void refuse_double_ids(struct checker *checker, const struct definition *definition)
{
    if (definition->vessel_count < 2)
        return;
    const struct definition_vessel **sorted =
        memory_array(NULL, definition->vessel_count, sizeof(sorted[0]));
    for (size_t i = 0; i < definition->vessel_count; i++)
        sorted[i] = &definition->vessels[i];
    qsort(sorted, definition->vessel_count, sizeof(sorted[0]), compare_ids);
    for (size_t i = 1; i < definition->vessel_count; i++)
        if (!id_is_zero(&sorted[i]->id) && id_equal(&sorted[i]->id, &sorted[i - 1]->id))
            checker_problem(checker, checker->vessel_lines[sorted[i] - definition->vessels],
                            sorted[i]->name, "this vessel has the same \"_id\" as \"%.100s\"",
                            sorted[i - 1]->name);
    free(sorted);
}

/* Returns false if there are too many vessels: then neither they nor the paths are checked. */
static bool read_vessels(struct checker *checker, const struct node *fleet,
                         struct definition *definition)
{
    const struct node *vessels = checker_map(checker, fleet, "vessels");
    if (!vessels) {
        if (!node_get(fleet, "vessels"))
            checker_problem(checker, fleet->line, "vessels", "missing");
        return true;
    }
    if (vessels->count < 1 || vessels->count > MAX_VESSELS)
        checker_problem(checker, vessels->line, "vessels",
                        "a fleet must have 1 to %d vessels, not %u", MAX_VESSELS, vessels->count);
    if (vessels->count == 0 || vessels->count > MAX_VESSELS)
        return vessels->count == 0;
    definition->vessels = memory_alloc(vessels->count * sizeof(definition->vessels[0]));
    checker->vessel_lines = memory_alloc(vessels->count * sizeof(int));
    size_t mark = node_path_enter(&checker->path, "vessels");
    for (uint32_t i = 0; i < vessels->count; i++) {
        const struct node *entry = &vessels->items[i];
        /* A duplicate name was reported already. The first vessel of that name counts. */
        if (entry->kind == NODE_BROKEN)
            continue;
        checker->vessel_lines[definition->vessel_count] = entry->line;
        checker->vessel = definition->vessel_count;
        fleet_vessel_read(checker, entry, &definition->vessels[definition->vessel_count++]);
    }
    refuse_double_ids(checker, definition);
    node_path_leave(&checker->path, mark);
    return true;
}

static void read_name(struct checker *checker, const struct node *fleet,
                      struct definition *definition)
{
    const char *name = checker_required(checker, fleet, "name");
    const char *problem = name ? name_problem(name) : NULL;
    if (problem)
        checker_problem(checker, checker_line(fleet, "name"), "name", "%s", problem);
    definition->name = memory_string(name);
}

static void read_fleet(struct checker *checker, const struct node *fleet,
                       struct definition *definition)
{
    static const char *const KEYS[] = {"name",
                                       "_id",
                                       "vessels",
                                       "connections",
                                       "on_interrupt",
                                       "max_concurrent_runs",
                                       CHECKER_SOURCE_KEYS,
                                       CHECKER_LATER_KEYS,
                                       NULL};
    checker_keys(checker, fleet, KEYS);
    read_name(checker, fleet, definition);
    fleet_vessel_read_id(checker, fleet, &definition->id);
    if (read_vessels(checker, fleet, definition))
        fleet_graph_read(checker, fleet, definition);
    int interrupt = checker_word(checker, fleet, "on_interrupt", WORDS_INTERRUPT);
    definition->on_interrupt = interrupt < 0 ? INTERRUPT_FAIL : (enum interrupt_policy)interrupt;
    checker_number(checker, fleet, "max_concurrent_runs", 0, MAX_CONCURRENT_RUNS,
                   &definition->max_concurrent_runs);
    checker_note_later(checker, fleet);
    checker_note_misplaced(checker, fleet);
}

/* Reads the file with a checker whose lists are set. */
static struct definition *parse(const char *text, size_t bytes, struct checker *checker)
{
    struct definition *definition = memory_alloc(sizeof(*definition));
    static const struct file_kind kind = {"fleet file", "name, vessels, connections",
                                          FLEET_FILE_MAX_BYTES};
    struct node_tree tree = {0};
    if (file_tree_read(&kind, text, bytes, &tree, &checker->problems) == 0)
        read_fleet(checker, &tree.root, definition);
    if (checker->hidden) {
        checker->hidden->offset = tree.offset;
        checker->hidden->is_json = tree.is_json;
    }
    node_tree_free(&tree);
    free(checker->vessel_lines);
    report_finish(&checker->problems, "problems");
    report_finish(&checker->notes, "notes");
    if (checker->problems.count > 0) {
        definition_free(definition);
        return NULL;
    }
    return definition;
}

struct definition *fleet_file_parse(const char *text, size_t bytes,
                                    const struct fleet_file_options *options,
                                    struct fleet_problems *problems, struct fleet_problems *notes)
{
    struct checker checker = {
        .problems = {.list = problems}, .notes = {.list = notes}, .options = options};
    return parse(text, bytes, &checker);
}

void fleet_file_find_hidden(const char *text, size_t bytes,
                            const struct fleet_file_options *options,
                            struct fleet_hidden_list *list)
{
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    struct checker checker = {.problems = {.list = &problems},
                              .notes = {.list = &notes},
                              .options = options,
                              .hidden = list};
    *list = (struct fleet_hidden_list){.text = text, .bytes = bytes, .options = *options};
    definition_free(parse(text, bytes, &checker));
    report_free_problems(&problems);
    report_free_problems(&notes);
}
