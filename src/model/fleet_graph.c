/* Reads the paths between vessels, and checks that they form a single graph without cycles. The
 * time is roughly proportional to the size of the file, whatever it contains. Called by
 * fleet_file.c; pure. */
#include "model/fleet_graph.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "model/words.h"
#include "model/name_index.h"

#define MAX_PATHS 10000

struct graph {
    struct checker *checker;
    struct definition *definition;
    struct name_index names;
    size_t capacity; /* of definition->paths */
    size_t paths;    /* seen so far, valid or not */
    bool has_gaps;   /* a path could not be read, so vessels may only seem to be unconnected */
};

/* ---- reading ---- */

static void add_path(struct graph *graph, size_t from, size_t to, enum path_condition condition)
{
    struct definition *definition = graph->definition;
    if (definition->path_count == graph->capacity) {
        graph->capacity = graph->capacity == 0 ? 8 : 2 * graph->capacity;
        definition->paths =
            memory_array(definition->paths, graph->capacity, sizeof(definition->paths[0]));
    }
    definition->paths[definition->path_count++] =
        (struct definition_path){.from = from, .to = to, .condition = condition};
}

/* Returns the condition, or -1 after reporting. */
static int read_condition(struct checker *checker, const struct node *entry)
{
    int condition = entry->kind == NODE_TEXT ? words_find(WORDS_CONDITION, entry->text) : -1;
    if (entry->kind == NODE_BROKEN)
        return -1;
    if (condition < 0 && entry->kind == NODE_TEXT)
        checker_problem(checker, entry->line, entry->key,
                        "invalid condition \"%.60s\": write SUCCESS, ERRORED or COMPLETED",
                        entry->text);
    else if (condition < 0)
        checker_problem(checker, entry->line, entry->key,
                        "a path needs a condition: SUCCESS, ERRORED or COMPLETED");
    return condition;
}

static void read_path(struct graph *graph, size_t from, const struct node *entry)
{
    struct checker *checker = graph->checker;
    size_t to = name_index_find(&graph->names, entry->key);
    int condition = read_condition(checker, entry);
    if (to == NAME_INDEX_NONE)
        checker_problem(checker, entry->line, entry->key, "there is no vessel \"%.100s\"",
                        entry->key);
    else if (to == from)
        checker_problem(checker, entry->line, entry->key, "a vessel cannot wait for itself");
    if (to == NAME_INDEX_NONE || from == NAME_INDEX_NONE || to == from || condition < 0)
        graph->has_gaps = true;
    else
        add_path(graph, from, to, (enum path_condition)condition);
}

static void read_targets(struct graph *graph, const struct node *entry)
{
    struct checker *checker = graph->checker;
    size_t from = name_index_find(&graph->names, entry->key);
    if (from == NAME_INDEX_NONE) {
        graph->has_gaps = true;
        checker_problem(checker, entry->line, entry->key, "there is no vessel \"%.100s\"",
                        entry->key);
    }
    if (entry->kind == NODE_ABSENT)
        return;
    if (entry->kind != NODE_MAP) {
        graph->has_gaps = true;
        if (entry->kind != NODE_BROKEN)
            checker_problem(checker, entry->line, entry->key,
                            "the paths of a vessel must be a mapping (next vessel: condition)");
        return;
    }
    graph->paths += entry->count;
    if (graph->paths > MAX_PATHS)
        return;
    size_t mark = node_path_enter(&checker->path, entry->key);
    for (uint32_t i = 0; i < entry->count; i++)
        read_path(graph, from, &entry->items[i]);
    node_path_leave(&checker->path, mark);
}

static void read_paths(struct graph *graph, const struct node *fleet)
{
    struct checker *checker = graph->checker;
    const struct node *connections = checker_map(checker, fleet, "connections");
    if (!connections) {
        graph->has_gaps = node_get(fleet, "connections");
        return;
    }
    size_t mark = node_path_enter(&checker->path, "connections");
    for (uint32_t i = 0; i < connections->count; i++)
        read_targets(graph, &connections->items[i]);
    node_path_leave(&checker->path, mark);
    if (graph->paths > MAX_PATHS) {
        graph->has_gaps = true;
        checker_problem(checker, connections->line, "connections",
                        "a fleet can have at most %d paths, not %zu", MAX_PATHS, graph->paths);
    }
    definition_sort_paths(graph->definition);
}

/* ---- cycles ---- */

/* Removes vessels without predecessors until none is left (Kahn's algorithm). waits[i] is the
 * number of remaining paths into vessel i. Vessels for which it is not 0 at the end are in a cycle
 * or reachable from one; returns their number. first[i] is the index of the first path from vessel
 * i. */
static size_t strip_acyclic(const struct definition *definition, size_t *waits, size_t *first)
{
    size_t count = definition->vessel_count;
    size_t *ready = memory_array(NULL, count, sizeof(size_t));
    size_t found = 0;
    for (size_t i = 0; i < definition->path_count; i++)
        waits[definition->paths[i].to]++;
    for (size_t i = 0, path = 0; i < count; i++) {
        first[i] = path;
        while (path < definition->path_count && definition->paths[path].from == i)
            path++;
        if (waits[i] == 0)
            ready[found++] = i;
    }
    for (size_t done = 0; done < found; done++) {
        size_t from = ready[done];
        for (size_t i = first[from];
             i < definition->path_count && definition->paths[i].from == from; i++)
            if (--waits[definition->paths[i].to] == 0)
                ready[found++] = definition->paths[i].to;
    }
    free(ready);
    return count - found;
}

/* Starts at a vessel that still waits and follows the paths backwards, through vessels that still
 * wait, until one comes up again: that is a cycle. */
static void report_cycle(struct graph *graph, const struct node *fleet, const size_t *waits)
{
    const struct definition *definition = graph->definition;
    size_t count = definition->vessel_count;
    size_t *before = memory_array(NULL, count, sizeof(size_t)); /* one that vessel i waits for */
    bool *seen = memory_alloc(count * sizeof(bool));
    size_t at = 0;
    for (size_t i = 0; i < definition->path_count; i++)
        if (waits[definition->paths[i].from] > 0 && waits[definition->paths[i].to] > 0) {
            before[definition->paths[i].to] = definition->paths[i].from;
            at = definition->paths[i].to;
        }
    for (; !seen[at]; at = before[at])
        seen[at] = true;
    struct buffer names = {.limit = 300};
    buffer_append_format(&names, "%.100s", definition->vessels[at].name);
    for (size_t i = before[at]; i != at && !names.failed; i = before[i])
        buffer_append_format(&names, ", which waits for %.100s", definition->vessels[i].name);
    checker_problem(graph->checker, checker_line(fleet, "connections"), "connections",
                    "the paths form a cycle, so none of its vessels could ever start: %s%s",
                    buffer_text(&names), names.failed ? ", …" : ", which waits for the first");
    buffer_free(&names);
    free(before);
    free(seen);
}

static void check_cycles(struct graph *graph, const struct node *fleet)
{
    size_t count = graph->definition->vessel_count;
    size_t *waits = memory_alloc(count * sizeof(size_t));
    size_t *first = memory_alloc(count * sizeof(size_t));
    if (strip_acyclic(graph->definition, waits, first) > 0)
        report_cycle(graph, fleet, waits);
    free(waits);
    free(first);
}

/* ---- connectedness ---- */

static size_t root_of(size_t *parents, size_t at)
{
    while (parents[at] != at) {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    return at;
}

/* Reports every group of connected vessels except the largest, at the first vessel of the group. */
static void report_groups(struct graph *graph, size_t *parents)
{
    const struct definition *definition = graph->definition;
    size_t count = definition->vessel_count;
    size_t *sizes = memory_alloc(count * sizeof(size_t));
    for (size_t i = 0; i < count; i++)
        sizes[root_of(parents, i)]++;
    size_t largest = root_of(parents, 0);
    for (size_t i = 0; i < count; i++)
        if (sizes[i] > sizes[largest])
            largest = i;
    for (size_t i = 0; i < count; i++) {
        size_t group = root_of(parents, i);
        if (group == largest || sizes[group] == 0)
            continue;
        const char *name = definition->vessels[i].name;
        int line = graph->checker->vessel_lines[i];
        if (sizes[group] == 1)
            checker_problem(
                graph->checker, line, name,
                "no path connects this vessel to the others: add one to \"connections\"");
        else
            checker_problem(graph->checker, line, name,
                            "no path connects this vessel's group (%zu vessels) to the others: add "
                            "one to \"connections\"",
                            sizes[group]);
        sizes[group] = 0; /* so that each group is reported once */
    }
    free(sizes);
}

static void check_connected(struct graph *graph)
{
    const struct definition *definition = graph->definition;
    size_t *parents = memory_array(NULL, definition->vessel_count, sizeof(size_t));
    for (size_t i = 0; i < definition->vessel_count; i++)
        parents[i] = i;
    for (size_t i = 0; i < definition->path_count; i++)
        parents[root_of(parents, definition->paths[i].from)] =
            root_of(parents, definition->paths[i].to);
    size_t mark = node_path_enter(&graph->checker->path, "vessels");
    report_groups(graph, parents);
    node_path_leave(&graph->checker->path, mark);
    free(parents);
}

void fleet_graph_read(struct checker *checker, const struct node *fleet,
                      struct definition *definition)
{
    struct graph graph = {.checker = checker, .definition = definition};
    if (definition->vessel_count == 0)
        return;
    name_index_init(&graph.names, definition->vessel_count);
    for (size_t i = 0; i < definition->vessel_count; i++)
        name_index_add(&graph.names, definition->vessels[i].name, i);
    name_index_sort(&graph.names);
    read_paths(&graph, fleet);
    check_cycles(&graph, fleet);
    if (!graph.has_gaps)
        check_connected(&graph);
    name_index_free(&graph.names);
}
