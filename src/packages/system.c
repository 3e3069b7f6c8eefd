/* Reads from dpkg's status file which packages the machine has. Called by admin/known, for a note,
 * by packages/threads before an attempt, and by packages/view. The file is dpkg's own record:
 * paragraphs with one field a line. A line that begins with white space continues the one before
 * it. */
#include "packages/system.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

#define STATUS_MAX_BYTES ((size_t)64 << 20)
#define WHITE            " \t\n"

/* A name that is installed; the texts point into the file. */
struct entry {
    const char *name;
    const char *version; /* NULL: a package of another name provides it */
};

struct system_packages {
    struct buffer text;
    struct entry *entries; /* sorted by name */
    size_t count;
};

/* ---- reading ---- */

/* The fields of a paragraph that matter, NULL where it has none. */
struct paragraph {
    char *name, *status, *version, *provides;
};

static void add_entry(struct system_packages *installed, const char *name, const char *version)
{
    size_t count = installed->count;
    if ((count & (count - 1)) == 0) /* room for 1, 2, 4, … */
        installed->entries = memory_array(installed->entries, count == 0 ? 1 : 2 * count,
                                          sizeof(installed->entries[0]));
    installed->entries[installed->count++] = (struct entry){.name = name, .version = version};
}

/* Adds the names of "awk, editor (= 1.0), mail-transport-agent:any". */
static void add_provided(struct system_packages *installed, char *provides)
{
    char *rest = NULL;
    for (char *item = strtok_r(provides, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        item += strspn(item, WHITE);
        item[strcspn(item, WHITE "(:")] = '\0';
        if (item[0] != '\0')
            add_entry(installed, item, NULL);
    }
}

/* The status is "WANTED ok installed": "install", or "hold" if it must not be upgraded. */
static void add_paragraph(struct system_packages *installed, const struct paragraph *paragraph)
{
    static const char installed_end[] = " ok installed";
    size_t bytes = paragraph->status ? strlen(paragraph->status) : 0;
    size_t end_bytes = strlen(installed_end);
    if (!paragraph->name || !paragraph->version || bytes < end_bytes ||
        strcmp(paragraph->status + bytes - end_bytes, installed_end) != 0)
        return;
    add_entry(installed, paragraph->name, paragraph->version);
    if (paragraph->provides)
        add_provided(installed, paragraph->provides);
}

/* Takes "Name: value", which ends with NUL. */
static void take_field(struct paragraph *paragraph, char *field)
{
    const struct {
        const char *name;
        char **value;
    } fields[] = {{"Package", &paragraph->name},
                  {"Status", &paragraph->status},
                  {"Version", &paragraph->version},
                  {"Provides", &paragraph->provides}};
    char *colon = strchr(field, ':');
    if (!colon)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        size_t bytes = strlen(fields[i].name);
        if ((size_t)(colon - field) != bytes || strncasecmp(field, fields[i].name, bytes) != 0)
            continue;
        char *value = colon + 1 + strspn(colon + 1, WHITE);
        for (size_t end = strlen(value); end > 0 && strchr(WHITE, value[end - 1]); end--)
            value[end - 1] = '\0';
        *fields[i].value = value;
    }
}

/* Returns the end of the field that begins here: the line end before the next line that does not
 * continue it, or the end of the text. */
static char *field_end(char *field)
{
    char *end = strchrnul(field, '\n');
    while (end[0] == '\n' && (end[1] == ' ' || end[1] == '\t'))
        end = strchrnul(end + 1, '\n');
    return end;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* Cuts the text into fields. */
static void read_paragraphs(struct system_packages *installed, char *text)
{
    struct paragraph paragraph = {.name = NULL};
    for (char *at = text; *at != '\0';) {
        char *end = field_end(at);
        bool is_last = *end == '\0';
        *end = '\0';
        if (*at != '\0') {
            take_field(&paragraph, at);
        } else {
            add_paragraph(installed, &paragraph);
            paragraph = (struct paragraph){.name = NULL};
        }
        at = is_last ? end : end + 1;
    }
    add_paragraph(installed, &paragraph);
    if (installed->count > 0)
        qsort(installed->entries, installed->count, sizeof(installed->entries[0]), compare_entries);
}

struct system_packages *system_packages_read(const char *status_path, struct error *error)
{
    struct system_packages *installed = memory_alloc(sizeof(*installed));
    struct error reason = ERROR_INIT;
    if (file_read(AT_FDCWD, status_path, STATUS_MAX_BYTES, &installed->text, &reason) != 0) {
        if (reason.kind == ERROR_NOT_FOUND)
            error_set(error, ERROR_NOT_FOUND,
                      "system packages cannot be looked up: this machine has no dpkg (%s)",
                      status_path);
        else
            error_set(error, reason.kind, "system packages cannot be looked up: %s",
                      reason.message);
        system_packages_free(installed);
        return NULL;
    }
    buffer_text(&installed->text);
    if (installed->text.bytes > 0 && !installed->text.failed)
        read_paragraphs(installed, installed->text.data);
    return installed;
}

void system_packages_free(struct system_packages *installed)
{
    if (!installed)
        return;
    buffer_free(&installed->text);
    free(installed->entries);
    free(installed);
}

/* ---- what is missing ---- */

/* Returns the first entry of this name, or NULL. */
static const struct entry *find_first(const struct system_packages *installed, const char *name)
{
    const struct entry key = {.name = name};
    if (installed->count == 0)
        return NULL;
    const struct entry *found = bsearch(&key, installed->entries, installed->count,
                                        sizeof(installed->entries[0]), compare_entries);
    while (found && found > installed->entries && strcmp(found[-1].name, name) == 0)
        found--;
    return found;
}

/* Returns whether the package is there. If it is not, sets *other to the version that is, or to
 * NULL. */
static bool has_package(const struct system_packages *installed, const struct package *package,
                        const char **other)
{
    *other = NULL;
    const struct entry *end = installed->entries + installed->count;
    for (const struct entry *entry = find_first(installed, package->name);
         entry && entry < end && strcmp(entry->name, package->name) == 0; entry++) {
        if (package->version[0] == '\0' ||
            (entry->version && strcmp(entry->version, package->version) == 0))
            return true;
        if (entry->version)
            *other = entry->version;
    }
    return false;
}

char *system_packages_missing(const struct system_packages *installed,
                              const struct package_list *wanted, size_t most)
{
    struct buffer names = BUFFER_INIT, command = BUFFER_INIT;
    size_t missing = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct package *package = &wanted->items[i];
        const char *other, *equals = package->version[0] != '\0' ? "=" : "";
        if (has_package(installed, package, &other) || ++missing > most)
            continue;
        buffer_append_format(&names, "%s%s%s%s", missing > 1 ? ", " : "", package->name, equals,
                             package->version);
        if (other)
            buffer_append_format(&names, " (installed is %s)", other);
        buffer_append_format(&command, " %s%s%s", package->name, equals, package->version);
    }
    char *text = NULL;
    if (missing > most)
        buffer_append_format(&names, " and %zu more", missing - most);
    if (missing > 0)
        text =
            memory_format("system packages are missing: %s; an administrator installs them with: "
                          "apt-get install%s%s",
                          buffer_text(&names), buffer_text(&command), missing > most ? " ..." : "");
    buffer_free(&names);
    buffer_free(&command);
    return text;
}

int system_packages_check(const char *status_path, const struct package_list *wanted,
                          struct error *error)
{
    if (wanted->count == 0)
        return 0;
    struct system_packages *installed = system_packages_read(status_path, error);
    if (!installed)
        return -1;
    char *missing = system_packages_missing(installed, wanted, SYSTEM_PACKAGES_NAMED);
    if (missing)
        error_set(error, ERROR_NOT_FOUND, "%s", missing);
    int result = missing ? -1 : 0;
    free(missing);
    system_packages_free(installed);
    return result;
}
