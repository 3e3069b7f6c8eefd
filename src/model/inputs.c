/* The inputs of a blueprint: their values. Called by the readers of files, the admin API and the
 * runner; pure. */
#include "model/inputs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/decimal.h"
#include "model/node.h"
#include "model/reference.h"
#include "model/report.h"

/* ---- life, and looking up ---- */

static void free_input(struct input *input)
{
    free(input->key);
    free(input->name);
    free(input->default_value);
    free(input->placeholder);
    free(input->tooltip);
    for (size_t i = 0; i < input->option_count; i++) {
        free(input->options[i].name);
        free(input->options[i].value);
    }
    free(input->options);
}

void inputs_free(struct inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        free_input(&inputs->items[i]);
    free(inputs->items);
    *inputs = (struct inputs){NULL, 0};
}

size_t inputs_find(const struct inputs *inputs, const char *key, size_t key_bytes)
{
    for (size_t i = 0; i < inputs->count; i++)
        if (strlen(inputs->items[i].key) == key_bytes &&
            memcmp(inputs->items[i].key, key, key_bytes) == 0)
            return i;
    return INPUTS_NONE;
}

/* ---- values ---- */

static const char *skip_digits(const char *at)
{
    return at + strspn(at, "0123456789");
}

/* -?[0-9]+, from -2^63 to 2^63 - 1. */
static bool is_integer(const char *value)
{
    bool is_negative = value[0] == '-';
    const char *digits = value + is_negative;
    const char *first = digits + strspn(digits, "0");
    int64_t number = 0;
    if (digits[0] == '\0' || *skip_digits(digits) != '\0')
        return false;
    return *first == '\0' || decimal_read(first, 0, &number) ||
           (is_negative && strcmp(first, "9223372036854775808") == 0);
}

/* -?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)? */
static bool is_float(const char *value)
{
    const char *at = value + (value[0] == '-');
    const char *whole = at;
    at = skip_digits(at);
    size_t digits = (size_t)(at - whole);
    if (*at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction);
        digits += (size_t)(at - fraction);
    }
    if (digits == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1;
        exponent += *exponent == '-' || *exponent == '+';
        at = skip_digits(exponent);
        if (at == exponent)
            return false;
    }
    return *at == '\0';
}

static int two_digits(const char *at)
{
    return 10 * (at[0] - '0') + (at[1] - '0');
}

/* YYYY-MM-DD, a day of the Gregorian calendar. */
static bool is_date(const char *value)
{
    static const char days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const char form[] = "dddd-dd-dd";
    if (strlen(value) != strlen(form))
        return false;
    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == '-' ? value[i] != '-' : value[i] < '0' || value[i] > '9')
            return false;
    int year = 100 * two_digits(value) + two_digits(value + 2);
    int month = two_digits(value + 5), day = two_digits(value + 8);
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days_of[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

static bool is_option(const struct input *input, const char *value)
{
    for (size_t i = 0; i < input->option_count; i++)
        if (strcmp(input->options[i].value, value) == 0)
            return true;
    return false;
}

const char *inputs_problem(const struct input *input, const char *value)
{
    if (value[0] == '\0' && input->required)
        return "is required, and must not be empty";
    if (value[0] == '\0' && input->type != INPUT_SELECT)
        return NULL;
    switch (input->type) {
    case INPUT_ALPHANUMERIC:
        return !input->multiline && strpbrk(value, "\r\n")
                   ? "must be one line: the input is not multiline"
                   : NULL;
    case INPUT_INTEGER:
        return is_integer(value) ? NULL : "must be a whole number of at most 64 bits";
    case INPUT_FLOAT:
        return is_float(value) ? NULL : "must be a number";
    case INPUT_BOOLEAN:
        return strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0
                   ? NULL
                   : "must be true or false";
    case INPUT_DATE:
        return is_date(value) ? NULL : "must be a day, written as YYYY-MM-DD";
    case INPUT_SELECT:
        return is_option(input, value) ? NULL : "must be one of the input's options";
    case INPUT_PASSWORD:
        return NULL;
    }
    return NULL;
}

const char *inputs_normal_form(const struct input *input, const char *value)
{
    if (input->type == INPUT_BOOLEAN && strcasecmp(value, "true") == 0)
        return "TRUE";
    if (input->type == INPUT_BOOLEAN && strcasecmp(value, "false") == 0)
        return "FALSE";
    return value;
}

bool inputs_value_refers(const char *value)
{
    struct reference_reader reader = {.at = value, .reads_inputs = true};
    for (enum reference_piece piece; (piece = reference_next(&reader)) != REFERENCE_END;)
        if (piece == REFERENCE_NAME || piece == REFERENCE_INPUT)
            return true;
    return false;
}

/* ---- the inputs that a vessel gives ---- */

static const char *given_problem(const struct input *input, const struct environment_entry *entry)
{
    if (entry->hidden)
        return NULL;
    if (inputs_value_refers(entry->value))
        return NULL;
    if (input->type == INPUT_PASSWORD && entry->value[0] != '\0')
        return "is a PASSWORD now: apply the fleet file again, so that the value is hidden";
    return inputs_problem(input, entry->value);
}

static void add(struct report *report, struct node_path *path, const char *key, const char *problem)
{
    size_t mark = node_path_enter(path, key);
    report_add(report, 0, path->text, "the input %s %s", key, problem);
    node_path_leave(path, mark);
}

void inputs_check_vessel(const struct inputs *inputs, const struct definition_vessel *vessel,
                         const char *path, struct fleet_problems *problems)
{
    struct report report = {.list = problems, .count = problems->count};
    struct node_path at = {.bytes = 0};
    bool is_given[INPUTS_MAX_COUNT] = {false};
    if (path[0] != '\0')
        node_path_enter(&at, path);
    for (size_t i = 0; i < vessel->environment_count; i++) {
        const struct environment_entry *entry = &vessel->environment[i];
        size_t place = inputs_find(inputs, entry->name, strlen(entry->name));
        const char *problem = place == INPUTS_NONE ? "is not an input of the blueprint"
                                                   : given_problem(&inputs->items[place], entry);
        if (problem)
            add(&report, &at, entry->name, problem);
        if (place != INPUTS_NONE)
            is_given[place] = true;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        const struct input *input = &inputs->items[i];
        if (input->required && !is_given[i] && !input->default_value)
            add(&report, &at, input->key, "is required");
    }
}
