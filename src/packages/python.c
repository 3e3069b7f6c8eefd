/* Python: pip resolves and installs, into a virtual environment. A lock is a requirements file with
 * one exact version and its hash a line, as `pip install --require-hashes` reads it. No option lets
 * pip take a source distribution, because even `--dry-run` would execute its setup.py. See
 * packages/tool.h. */
#include "packages/tool.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

#define PIP_OPTIONS "--isolated --disable-pip-version-check --no-input --no-cache-dir --no-color "
#define WHEELS_ONLY "--progress-bar off --only-binary :all: "
#define PYTHON_WORDS                                                                               \
    "import sys, sysconfig; "                                                                      \
    "print(sys.executable, sys.implementation.cache_tag, sysconfig.get_config_var('SOABI'), "      \
    "sysconfig.get_platform())"

static const char probe[] = "set -eu\n"
                            "exec \"$1\" -I -c \"" PYTHON_WORDS "\" > " TOOL_INTERPRETER "\n";

static const char lock[] =
    "set -eu\n"
    "python=$1; shift\n"
    "exec \"$python\" -I -m pip " PIP_OPTIONS "install " WHEELS_ONLY
    "--dry-run --ignore-installed --report report.json \"$@\" -r requirements.in\n";

/* --without-pip: Debian packages ensurepip separately, and nothing needs it here. */
static const char install[] =
    "set -eu\n"
    "python=$1; shift\n"
    "\"$python\" -I -m venv --without-pip .\n"
    "exec \"$python\" -I -m pip --python bin/python " PIP_OPTIONS "install " WHEELS_ONLY
    "--no-deps --require-hashes \"$@\" -r requirements.txt\n";

static char **arguments(const struct config *config, size_t *count)
{
    static char no_index[] = "--no-index", index[] = "--index-url", cert[] = "--cert",
                find_links[] = "--find-links";
    const struct config_list *links = &config->packages.pip_find_links;
    char **items = memory_alloc((5 + 2 * links->count) * sizeof(*items));
    bool has_index = config->packages.pip_index[0] != '\0';
    *count = 0;
    items[(*count)++] = config->runner.python;
    items[(*count)++] = has_index ? index : no_index;
    if (has_index)
        items[(*count)++] = config->packages.pip_index;
    if (config->packages.ca_file[0] != '\0') {
        items[(*count)++] = cert;
        items[(*count)++] = config->packages.ca_file;
    }
    for (size_t i = 0; i < links->count; i++) {
        items[(*count)++] = find_links;
        items[(*count)++] = links->items[i];
    }
    return items;
}

/* ---- the request ---- */

/* Appends the lines of a lock without their hashes. */
static void append_versions(struct buffer *into, const char *old)
{
    for (const char *line = old; *line != '\0';) {
        size_t bytes = strcspn(line, "\n"), version = strcspn(line, " \n");
        (void)buffer_append(into, line, version);
        (void)buffer_append_char(into, '\n');
        line += bytes + (line[bytes] == '\n' ? 1 : 0);
    }
}

static int write_request(int dir_fd, const struct package_list *packages, const char *old,
                         struct error *error)
{
    struct buffer text = BUFFER_INIT;
    if (old)
        append_versions(&text, old);
    for (size_t i = 0; !old && i < packages->count; i++) {
        char *line = packages_requirement(&packages->items[i]);
        (void)buffer_append_format(&text, "%s\n", line);
        free(line);
    }
    int result = tool_write_file(dir_fd, "requirements.in", buffer_text(&text), error);
    buffer_free(&text);
    return result;
}

/* ---- the lock ---- */

static bool is_safe(const char *text, const char *allowed)
{
    return text[0] != '\0' && text[0] != '-' && strspn(text, allowed) == strlen(text);
}

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* Returns the line of a package, or NULL if pip reports what cannot be locked. */
static char *make_line(const json_t *item, struct error *error)
{
    json_t *metadata = json_object_get(item, "metadata");
    json_t *archive = json_object_get(json_object_get(item, "download_info"), "archive_info");
    const char *name = json_string_value(json_object_get(metadata, "name"));
    const char *version = json_string_value(json_object_get(metadata, "version"));
    const char *hash = json_string_value(json_object_get(archive, "hash"));
    const char *sha256 =
        json_string_value(json_object_get(json_object_get(archive, "hashes"), "sha256"));
    if (!sha256 && hash && strncmp(hash, "sha256=", 7) == 0)
        sha256 = hash + 7;
    char *plain = packages_normal_name(PACKAGE_PYTHON, name ? name : "");
    char *line = NULL;
    if (is_safe(plain, LETTERS DIGITS "-") && version && is_safe(version, LETTERS DIGITS ".+!-_") &&
        sha256 && strlen(sha256) == 64 && is_safe(sha256, "abcdef" DIGITS))
        line = memory_format("%s==%s --hash=sha256:%s", plain, version, sha256);
    else
        error_set(error, ERROR_INVALID, "pip reports no version and SHA-256 of \"%.100s\"",
                  name ? name : "?");
    free(plain);
    return line;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(char **lines, size_t count)
{
    struct buffer text = BUFFER_INIT;
    qsort(lines, count, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < count; i++)
        (void)buffer_append_format(&text, "%s\n", lines[i]);
    char *result = memory_string(buffer_text(&text));
    buffer_free(&text);
    return result;
}

static char *lock_of(const json_t *report, struct error *error)
{
    json_t *items = json_object_get(report, "install");
    size_t count = json_array_size(items), made = 0;
    char **lines = memory_alloc((count + 1) * sizeof(*lines)), *result = NULL;
    while (made < count && (lines[made] = make_line(json_array_get(items, made), error)))
        made++;
    if (count == 0)
        error_set(error, ERROR_INVALID, "pip reports no packages");
    else if (made == count)
        result = join(lines, count);
    for (size_t i = 0; i < made; i++)
        free(lines[i]);
    free(lines);
    return result;
}

static char *read_lock(int dir_fd, struct error *error)
{
    char *text = tool_read_file(dir_fd, "report.json", error);
    json_error_t where;
    json_t *report = text ? json_loads(text, 0, &where) : NULL;
    if (text && !report)
        error_set(error, ERROR_INVALID, "pip's report cannot be read: %s", where.text);
    char *result = report ? lock_of(report, error) : NULL;
    json_decref(report);
    free(text);
    return result;
}

#define LOCK_FILE "requirements.txt"

static int write_lock(int dir_fd, const char *text, struct error *error)
{
    return tool_write_file(dir_fd, LOCK_FILE, text, error);
}

/* The lines are sorted. */
static void read_versions(const char *text, struct package_list *into)
{
    for (const char *line = text; *line != '\0';) {
        size_t bytes = strcspn(line, "\n");
        char *item = memory_string_n(line, strcspn(line, " \n")), *version = strstr(item, "==");
        if (version) {
            *version = '\0';
            packages_add(into, item, version + 2);
        }
        free(item);
        line += bytes + (line[bytes] == '\n' ? 1 : 0);
    }
}

static const char *find_reason(const char *line)
{
    static const char prefix[] = "ERROR: ";
    const char *found = strstr(line, prefix);
    if (found)
        return found + sizeof(prefix) - 1;
    return strstr(line, "No module named pip")
               ? "pip is missing; an administrator installs it with: apt-get install python3-pip"
               : NULL;
}

const struct tool tool_python = {
    .kind = "python",
    .probe = probe,
    .lock = lock,
    .install = install,
    .arguments = arguments,
    .reads_netrc = true,
    .write_request = write_request,
    .read_lock = read_lock,
    .write_lock = write_lock,
    .lock_file = LOCK_FILE,
    .read_versions = read_versions,
    .find_reason = find_reason,
    .says_cause_last = true,
    .bin = "bin",
};
