/* The names and versions of packages. Called by the check of a fleet file, and by whoever hands
 * packages to a package manager. The rules are narrower than those of the package managers: a name
 * or a version can never be read as a path, a URL, an option or a second line. Pure. */
#include "model/packages.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* ---- lists ---- */

void packages_add(struct package_list *list, const char *name, const char *version)
{
    if ((list->count & (list->count - 1)) == 0) /* room for 1, 2, 4, … */
        list->items = memory_array(list->items, list->count == 0 ? 1 : 2 * list->count,
                                   sizeof(list->items[0]));
    list->items[list->count++] =
        (struct package){.name = memory_string(name), .version = memory_string(version)};
}

void packages_free(struct package_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].version);
    }
    free(list->items);
    *list = (struct package_list){0};
}

static bool contains(const struct package_list *list, const struct package *package)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, package->name) == 0)
            return strcmp(list->items[i].version, package->version) == 0;
    return false;
}

bool packages_equal(const struct package_list *a, const struct package_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!contains(b, &a->items[i]))
            return false;
    return true;
}

/* ---- names ---- */

static bool is_one_of(char c, const char *characters)
{
    return c != '\0' && strchr(characters, c);
}

/* Whether the text begins and ends with a letter or digit and has only these and `between`. */
static bool is_word(const char *text, size_t bytes, const char *between)
{
    if (bytes == 0 || !is_one_of(text[0], LETTERS DIGITS) ||
        !is_one_of(text[bytes - 1], LETTERS DIGITS))
        return false;
    for (size_t i = 0; i < bytes; i++)
        if (!is_one_of(text[i], LETTERS DIGITS) && !is_one_of(text[i], between))
            return false;
    return true;
}

/* Reads "[http2, brotli]" to the end of the text. */
static bool is_extras(const char *text)
{
    for (const char *at = text + 1;; at++) {
        at += strspn(at, " ");
        size_t bytes = strcspn(at, " ,]");
        if (!is_word(at, bytes, "._-"))
            return false;
        at += bytes;
        at += strspn(at, " ");
        if (*at == ']')
            return at[1] == '\0';
        if (*at != ',')
            return false;
    }
}

/* https://peps.python.org/pep-0508/#names */
static bool is_python_name(const char *name)
{
    size_t bytes = strcspn(name, "[");
    return is_word(name, bytes, "._-") && (name[bytes] == '\0' || is_extras(name + bytes));
}

/* One part of an npm name, which must not begin with "." or "_". The tilde and capital letters
 * are of older names. */
static bool is_node_part(const char *part, size_t bytes)
{
    return bytes > 0 && is_one_of(part[0], LETTERS DIGITS) &&
           strspn(part, LETTERS DIGITS "._~-") >= bytes;
}

static bool is_node_name(const char *name)
{
    const char *slash = name[0] == '@' ? strchr(name, '/') : NULL;
    if (slash && !is_node_part(name + 1, (size_t)(slash - name - 1)))
        return false;
    const char *last = slash ? slash + 1 : name;
    return is_node_part(last, strlen(last)) && strcmp(name, "node_modules") != 0 &&
           strcmp(name, "favicon.ico") != 0;
}

/* https://www.debian.org/doc/debian-policy/ch-controlfields.html#source; no name ends in "-", which
 * apt-get would take as a request to remove the package. */
static bool is_system_name(const char *name)
{
    size_t bytes = strlen(name);
    return bytes >= 2 && strspn(name, "abcdefghijklmnopqrstuvwxyz" DIGITS "+.-") == bytes &&
           is_one_of(name[0], "abcdefghijklmnopqrstuvwxyz" DIGITS) && name[bytes - 1] != '-';
}

/* Whether pip, npm or apt could read it as a path, a URL, an option or more than one line. */
static bool is_elsewhere(enum package_kind kind, const char *name)
{
    const char *rest = kind == PACKAGE_NODE && name[0] == '@' ? name + 1 : name;
    size_t slashes = 0;
    for (const char *at = rest; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || is_one_of(*at, ":@\\"))
            return true;
        slashes += *at == '/';
    }
    return slashes > (rest != name ? 1u : 0u) || is_one_of(name[0], "-./~") ||
           strncmp(name, "git+", 4) == 0;
}

const char *packages_name_problem(enum package_kind kind, const char *name)
{
    if (name[0] == '\0')
        return "the name of a package must not be empty";
    if (is_elsewhere(kind, name))
        return "packages come from the configured index: write a name, not a path, URL or option";
    if (strlen(name) > PACKAGES_MAX_NAME_BYTES)
        return "the name of a package must be at most 214 bytes long";
    switch (kind) {
    case PACKAGE_PYTHON:
        return is_python_name(name) ? NULL
                                    : "not the name of a Python package: write a name such as "
                                      "\"requests\" or \"httpx[http2]\"";
    case PACKAGE_NODE:
        return is_node_name(name) ? NULL
                                  : "not the name of an npm package: write a name such as "
                                    "\"lodash\" or \"@scope/name\"";
    case PACKAGE_SYSTEM:
        return is_system_name(name) ? NULL
                                    : "not the name of a Debian package: write a name such as "
                                      "\"libpq5\"";
    }
    return NULL;
}

/* PEP 503, "Normalized Names". */
static char *python_normal_name(const char *name)
{
    char *normal = memory_string_n(name, strcspn(name, "["));
    size_t bytes = 0;
    for (const char *at = normal; *at != '\0'; at++) {
        bool is_separator = is_one_of(*at, "._-");
        if (is_separator && bytes > 0 && normal[bytes - 1] == '-')
            continue;
        char lower = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
        normal[bytes++] = is_separator ? '-' : lower;
    }
    normal[bytes] = '\0';
    return normal;
}

char *packages_normal_name(enum package_kind kind, const char *name)
{
    return kind == PACKAGE_PYTHON ? python_normal_name(name) : memory_string(name);
}

/* ---- versions ---- */

/* Returns the bytes of the comparison operator at the beginning; 0: there is none. */
static size_t operator_bytes(const char *text)
{
    static const char *const OPERATORS[] = {"===", "~=", "==", "!=", "<=", ">=", "<", ">"};
    for (size_t i = 0; i < ARRAY_COUNT(OPERATORS); i++)
        if (strncmp(text, OPERATORS[i], strlen(OPERATORS[i])) == 0)
            return strlen(OPERATORS[i]);
    return 0;
}

static bool is_bare_version(const char *version)
{
    return version[0] != '\0' && operator_bytes(version + strspn(version, " ")) == 0;
}

/* Whether the text could be a version of PEP 440, with ".*" at its end or not. pip knows better. */
static bool is_python_number(const char *text, size_t bytes)
{
    if (bytes > 2 && memcmp(text + bytes - 2, ".*", 2) == 0)
        bytes -= 2;
    return is_word(text, bytes, ".!+_-") && is_one_of(text[0], "vV" DIGITS);
}

/* Reads "==1.0", ">=1, <2" or a bare "1.0": specifiers of PEP 440, separated by commas. */
static bool is_python_version(const char *version)
{
    bool is_bare = is_bare_version(version);
    for (const char *at = version;; at++) {
        at += strspn(at, " ");
        size_t mark = operator_bytes(at);
        if (mark == 0 && !is_bare)
            return false;
        at += mark;
        at += strspn(at, " ");
        size_t bytes = strcspn(at, " ,");
        if (!is_python_number(at, bytes))
            return false;
        at += bytes;
        at += strspn(at, " ");
        if (*at != ',' || is_bare)
            return *at == '\0';
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t bytes = strlen(text), end_bytes = strlen(end);
    return bytes >= end_bytes && strcmp(text + bytes - end_bytes, end) == 0;
}

/* Whether npm reads the text as a range of semver: by its characters, which exclude tags, URLs,
 * aliases and repositories, and not as the name of a file (npm-package-arg). */
static bool is_node_version(const char *version)
{
    static const char *const FILES[] = {".tgz", ".tar.gz", ".tar"};
    if (!is_one_of(version[0], "<>=~^*xXv" DIGITS) ||
        version[strspn(version, LETTERS DIGITS ".+*~^<>=| -")] != '\0')
        return false;
    if (version[0] == 'v' && !is_one_of(version[1], DIGITS))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(FILES); i++)
        if (ends_with(version, FILES[i]))
            return false;
    return true;
}

/* https://www.debian.org/doc/debian-policy/ch-controlfields.html#version */
static bool is_system_version(const char *version)
{
    return is_one_of(version[0], DIGITS) &&
           version[strspn(version, LETTERS DIGITS ".+~:-")] == '\0';
}

const char *packages_version_problem(enum package_kind kind, const char *version)
{
    if (version[0] == '\0')
        return NULL;
    if (strlen(version) > PACKAGES_MAX_VERSION_BYTES)
        return "the version of a package must be at most 200 bytes long";
    switch (kind) {
    case PACKAGE_PYTHON:
        return is_python_version(version) ? NULL
                                          : "not a version of a Python package: write 1.0, ==1.0 "
                                            "or >=1,<2 (PEP 440)";
    case PACKAGE_NODE:
        return is_node_version(version) ? NULL
                                        : "not a version of an npm package: write 1.0.0, ^1.2 or "
                                          ">=1 <2 (semver)";
    case PACKAGE_SYSTEM:
        return is_system_version(version) ? NULL
                                          : "not a version of a Debian package: write the exact "
                                            "version, such as 15.8-0+deb12u1";
    }
    return NULL;
}

char *packages_requirement(const struct package *package)
{
    const char *version = package->version + strspn(package->version, " ");
    return memory_format("%s%s%s", package->name, is_bare_version(version) ? "==" : "", version);
}
