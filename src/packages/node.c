/* Node: npm resolves and installs. A lock is npm's own package-lock.json. Scripts of packages are
 * never executed. See packages/tool.h. */
#include "packages/tool.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

/* npm stops if the user's and the global configuration are the same file, so it gets two that do
 * not exist. */
#define NPM_OPTIONS                                                                                \
    "--ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error --no-color "      \
    "--no-progress --fetch-retry-mintimeout=1000 --fetch-retry-factor=2 "                          \
    "--userconfig=\"$HOME/user\" --globalconfig=\"$HOME/global\" "                                 \
    "--cache=\"$HOME/cache\" --logs-max=0"

static const char probe[] =
    "set -eu\n"
    "exec \"$1\" -p 'process.versions.modules + \" \" + process.platform + \" \" + process.arch' "
    "> " TOOL_INTERPRETER "\n";

static const char lock[] = "set -eu\n"
                           "npm=$2; shift 2\n"
                           "exec \"$npm\" install --package-lock-only " NPM_OPTIONS " \"$@\"\n";

static const char install[] = "set -eu\n"
                              "npm=$2; shift 2\n"
                              "exec \"$npm\" ci " NPM_OPTIONS " \"$@\"\n";

static char **arguments(const struct config *config, size_t *count)
{
    static char registry[] = "--registry", cafile[] = "--cafile";
    char **items = memory_alloc(6 * sizeof(*items));
    *count = 0;
    items[(*count)++] = config->runner.node;
    items[(*count)++] = config->packages.npm;
    items[(*count)++] = registry;
    items[(*count)++] = config->packages.npm_registry;
    if (config->packages.ca_file[0] != '\0') {
        items[(*count)++] = cafile;
        items[(*count)++] = config->packages.ca_file;
    }
    return items;
}

/* ---- the request ---- */

static json_t *make_package(json_t *dependencies)
{
    return json_pack("{s:s,s:s,s:b,s:o}", "name", "vessel", "version", "1.0.0", "private", 1,
                     "dependencies", dependencies);
}

/* The versions of the old lock are kept by giving npm that lock: it then changes only what does not
 * fit. */
static int write_request(int dir_fd, const struct package_list *packages, const char *old,
                         struct error *error)
{
    json_t *dependencies = json_object();
    for (size_t i = 0; i < packages->count; i++) {
        const char *version = packages->items[i].version;
        json_object_set_new(dependencies, packages->items[i].name,
                            json_string(version[0] != '\0' ? version : "latest"));
    }
    json_t *package = make_package(dependencies);
    char *text = json_dumps(package, JSON_INDENT(1));
    int result = tool_write_file(dir_fd, "package.json", text, error);
    if (result == 0 && old)
        result = tool_write_file(dir_fd, "package-lock.json", old, error);
    free(text);
    json_decref(package);
    return result;
}

/* ---- the lock ---- */

/* Whether the registry vouches for the package: it names the hash. Without one, the package comes
 * from a URL or a repository. */
static int check_entry(const char *path, const json_t *entry, struct error *error)
{
    bool is_root = path[0] == '\0', is_bundled = json_is_true(json_object_get(entry, "inBundle"));
    if (is_root || is_bundled || json_string_value(json_object_get(entry, "integrity")))
        return 0;
    return error_set(error, ERROR_INVALID,
                     "\"%.100s\" has no hash in the registry: packages come from the configured "
                     "registry",
                     path);
}

static int check_lock(const json_t *parsed, struct error *error)
{
    json_t *packages = json_object_get(parsed, "packages"), *entry;
    const char *path;
    if (!json_is_object(packages))
        return error_set(error, ERROR_INVALID, "npm's package-lock.json names no packages");
    json_object_foreach(packages, path, entry)
    {
        if (check_entry(path, entry, error) != 0)
            return -1;
    }
    return 0;
}

static json_t *parse(const char *text, struct error *error)
{
    json_error_t where;
    json_t *parsed = json_loads(text, 0, &where);
    if (!parsed)
        error_set(error, ERROR_INVALID, "npm's package-lock.json cannot be read: %s", where.text);
    return parsed;
}

static char *read_lock(int dir_fd, struct error *error)
{
    char *text = tool_read_file(dir_fd, "package-lock.json", error);
    json_t *parsed = text ? parse(text, error) : NULL;
    if (parsed && check_lock(parsed, error) == 0) {
        json_decref(parsed);
        return text;
    }
    json_decref(parsed);
    free(text);
    return NULL;
}

/* npm demands that package.json names the same dependencies as the lock. */
static int write_lock(int dir_fd, const char *text, struct error *error)
{
    json_t *parsed = parse(text, error);
    if (!parsed)
        return -1;
    json_t *root = json_object_get(json_object_get(parsed, "packages"), "");
    json_t *dependencies = json_deep_copy(json_object_get(root, "dependencies"));
    json_t *package = make_package(dependencies ? dependencies : json_object());
    char *package_text = json_dumps(package, JSON_INDENT(1));
    int result = tool_write_file(dir_fd, "package.json", package_text, error);
    if (result == 0)
        result = tool_write_file(dir_fd, "package-lock.json", text, error);
    free(package_text);
    json_decref(package);
    json_decref(parsed);
    return result;
}

static int compare_packages(const void *a, const void *b)
{
    const struct package *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->version, right->version);
}

/* The lock names where each package lies: "node_modules/a/node_modules/@b/c". The same version may
 * lie in several places. */
static void read_versions(const char *text, struct package_list *into)
{
    static const char folder[] = "node_modules/";
    struct error ignored = ERROR_INIT;
    json_t *parsed = parse(text, &ignored), *entry;
    const char *path;
    struct package_list found = {NULL, 0};
    json_object_foreach(json_object_get(parsed, "packages"), path, entry)
    {
        const char *name = NULL, *version = json_string_value(json_object_get(entry, "version"));
        for (const char *at = path; (at = strstr(at, folder)); name = at)
            at += strlen(folder);
        if (name && version)
            packages_add(&found, name, version);
    }
    json_decref(parsed);
    if (found.count > 1)
        qsort(found.items, found.count, sizeof(*found.items), compare_packages);
    for (size_t i = 0; i < found.count; i++)
        if (i == 0 || compare_packages(&found.items[i - 1], &found.items[i]) != 0)
            packages_add(into, found.items[i].name, found.items[i].version);
    packages_free(&found);
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The lines before the cause give only codes. */
static bool says_little(const char *words)
{
    static const char *const beginnings[] = {"code ",    "errno ",         "syscall ",
                                             "network ", "A complete log", "Log files"};
    for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++)
        if (begins_with(words, beginnings[i]))
            return true;
    return words[0] == '\0';
}

/* npm 9 writes "npm ERR! ", later versions "npm error ". */
static const char *find_reason(const char *line)
{
    static const char *const prefixes[] = {"npm ERR! ", "npm error "};
    static const char topic[] = "notarget ";
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        const char *words = line + strlen(prefixes[i]);
        if (begins_with(line, prefixes[i]) && begins_with(words, topic))
            return words + sizeof(topic) - 1;
        if (begins_with(line, prefixes[i]))
            return says_little(words) ? NULL : words;
    }
    return strstr(line, "npm: not found") || strstr(line, "npm: command not found")
               ? "npm is missing; an administrator installs it with: apt-get install npm"
               : NULL;
}

const struct tool tool_node = {
    .kind = "node",
    .probe = probe,
    .lock = lock,
    .install = install,
    .arguments = arguments,
    .write_request = write_request,
    .read_lock = read_lock,
    .write_lock = write_lock,
    .lock_file = "package-lock.json",
    .read_versions = read_versions,
    .find_reason = find_reason,
    .bin = "node_modules/.bin",
};
