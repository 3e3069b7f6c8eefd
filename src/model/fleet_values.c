/* Reads and checks single values. Called by the validation of a fleet file; pure. */
#include "model/fleet_values.h"

#include <limits.h>
#include <string.h>

#include "base/decimal.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "model/definition.h"

size_t fleet_values_argument_bytes(const char *argument)
{
    return strlen(argument) + 1 + sizeof(char *);
}

size_t fleet_values_variable_bytes(const struct environment_entry *variable)
{
    return strlen(variable->name) + strlen(variable->value) + 2 + sizeof(char *);
}

int fleet_values_number(const char *text, int *number)
{
    int64_t value = 0;
    const char *end = decimal_read(text, VALUE_MAX_DIGITS, &value);
    *number = (int)value;
    return end && *end == '\0' ? 0 : -1;
}

const char *fleet_values_path_problem(const char *path)
{
    if (path[0] == '\0')
        return "a file name must not be empty";
    if (path[0] == '/')
        return "a file name must be relative, without a leading \"/\"";
    if (strlen(path) > PATH_MAX / 2)
        return "a file name must be at most 2048 bytes long";
    for (const char *at = path; *at != '\0';) {
        uint32_t code_point;
        size_t length = utf8_decode(at, &code_point);
        if (length == 0 || utf8_is_cc(code_point))
            return "a file name must not contain control characters";
        at += length;
    }
    for (const char *part = path;; part++) {
        size_t bytes = strcspn(part, "/");
        if (bytes == 0 || (bytes == 1 && part[0] == '.') ||
            (bytes == 2 && part[0] == '.' && part[1] == '.'))
            return "a file name must not contain empty, \".\" or \"..\" components";
        if (bytes > NAME_MAX)
            return "a component of a file name must be at most 255 bytes long";
        part += bytes;
        if (*part == '\0')
            return NULL;
    }
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *fleet_values_variable_problem(const char *name)
{
    if (!is_letter(name[0]))
        return "the name of a variable must begin with a letter or \"_\"";
    for (const char *at = name; *at != '\0'; at++)
        if (!is_letter(*at) && !is_digit(*at))
            return "the name of a variable must consist of letters, digits and \"_\"";
    if (strncmp(name, "SHIPYARD_", 9) == 0 || strncmp(name, "WEBHOOKD_", 9) == 0)
        return "names that begin with SHIPYARD_ or WEBHOOKD_ are reserved for the platform";
    return NULL;
}

bool fleet_values_is_guarded(const char *name)
{
    static const char *const NAMES[] = {"PATH", "HOME", "ENV", "BASH_ENV"};
    static const char *const BEGINNINGS[] = {"LD_", "PYTHON", "NODE_", "GIT_", "BASH_FUNC_"};
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++)
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_COUNT(BEGINNINGS); i++)
        if (strncmp(name, BEGINNINGS[i], strlen(BEGINNINGS[i])) == 0)
            return true;
    return false;
}

bool fleet_values_is_hidden(const char *text)
{
    return strcmp(text, DEFINITION_HIDDEN) == 0;
}

const char *fleet_values_placeholder_problem(const char *text)
{
    if (fleet_values_is_hidden(text))
        return "the platform that exported this file left the value out (SHIPYARD_HIDDEN): write "
               "the real value";
    return NULL;
}
