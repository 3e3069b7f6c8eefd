/* Reads the packages of a vessel. Called by fleet_vessel.c; pure. */
#include "model/fleet_packages.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/name_index.h"

/* Adds what {name: …, version: …} asks for, if it has no problem. */
static void read_package(struct checker *checker, const struct node *entry, enum package_kind kind,
                         struct package_list *list)
{
    static const char *const KEYS[] = {"name", "version", NULL};
    if (entry->kind == NODE_BROKEN)
        return;
    if (entry->kind != NODE_MAP) {
        checker_problem(checker, entry->line, NULL,
                        "a package must be written as {name: …, version: …}; the version is "
                        "optional");
        return;
    }
    checker_keys(checker, entry, KEYS);
    const char *name = checker_required(checker, entry, "name");
    const char *version = checker_text(checker, entry, "version");
    const char *name_problem = name ? packages_name_problem(kind, name) : NULL;
    const char *version_problem = version ? packages_version_problem(kind, version) : NULL;
    if (name_problem)
        checker_problem(checker, checker_line(entry, "name"), "name", "%s (\"%.60s\")",
                        name_problem, name);
    if (version_problem)
        checker_problem(checker, checker_line(entry, "version"), "version", "%s (\"%.60s\")",
                        version_problem, version);
    if (name && !name_problem && !version_problem)
        packages_add(list, name, version ? version : "");
}

static void refuse_double_packages(struct checker *checker, int line, enum package_kind kind,
                                   const struct package_list *list)
{
    struct name_index index;
    char **normal = memory_array(NULL, list->count + 1, sizeof(normal[0]));
    name_index_init(&index, list->count);
    for (size_t i = 0; i < list->count; i++) {
        normal[i] = packages_normal_name(kind, list->items[i].name);
        name_index_add(&index, normal[i], i);
    }
    name_index_sort(&index);
    for (size_t i = 1; i < index.count; i++)
        if (strcmp(index.entries[i].name, index.entries[i - 1].name) == 0)
            checker_problem(checker, line, NULL, "the package \"%.60s\" is given twice",
                            index.entries[i].name);
    for (size_t i = 0; i < list->count; i++)
        free(normal[i]);
    free(normal);
    name_index_free(&index);
}

/* Reads a list, or a single mapping, and adds its packages to those that are in the list. */
static void read_list(struct checker *checker, const struct node *source, const char *key,
                      enum package_kind kind, struct package_list *list)
{
    const struct node *value = node_get(source, key);
    if (!value || value->kind == NODE_BROKEN)
        return;
    if (value->kind == NODE_TEXT) {
        checker_problem(checker, value->line, key, "must be a list of {name: …, version: …}");
        return;
    }
    size_t mark = node_path_enter(&checker->path, key);
    bool is_list = value->kind == NODE_LIST;
    size_t count = is_list ? value->count : value->count > 0;
    if (list->count + count > PACKAGES_MAX) {
        checker_problem(checker, value->line, NULL,
                        "a vessel may have at most %d packages of a kind, not %zu", PACKAGES_MAX,
                        list->count + count);
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        size_t item = checker->path.bytes;
        if (is_list)
            node_path_enter_item(&checker->path, i);
        read_package(checker, is_list ? &value->items[i] : value, kind, list);
        node_path_leave(&checker->path, item);
    }
    refuse_double_packages(checker, value->line, kind, list);
    node_path_leave(&checker->path, mark);
}

/* Says which system packages the machine lacks. A vessel that BASH runs may have them as packages
 * alone. */
static void look_up(struct checker *checker, const struct node *source,
                    const struct package_list *list)
{
    const struct fleet_file_options *options = checker->options;
    const char *key = node_get(source, "system_packages") ? "system_packages" : "packages";
    char *missing = options->missing_packages && list->count > 0
                        ? options->missing_packages(options->context, list)
                        : NULL;
    if (missing && options->strict)
        checker_problem(checker, checker_line(source, key), key, "%s", missing);
    else if (missing)
        checker_note(checker, checker_line(source, key), key, "%s", missing);
    free(missing);
}

void fleet_packages_read(struct checker *checker, const struct node *source,
                         struct definition_vessel *vessel)
{
    switch (vessel->language) {
    case LANGUAGE_BASH:
        read_list(checker, source, "packages", PACKAGE_SYSTEM, &vessel->system_packages);
        break;
    case LANGUAGE_PYTHON:
        read_list(checker, source, "packages", PACKAGE_PYTHON, &vessel->packages);
        break;
    case LANGUAGE_NODE:
        read_list(checker, source, "packages", PACKAGE_NODE, &vessel->packages);
        break;
    }
    read_list(checker, source, "system_packages", PACKAGE_SYSTEM, &vessel->system_packages);
    look_up(checker, source, &vessel->system_packages);
}
