/* Reads guardrails from a fleet file, writes them to the canonical JSON and reads them back. Called
 * by fleet_vessel.c, definition_json.c and definition.c; pure. */
#include "model/guardrails.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/decimal.h"
#include "base/duration.h"
#include "base/memory.h"
#include "model/checker.h"
#include "model/fleet_values.h"

#define MAX_RETRIES       24
#define MAX_RETRY_WAIT_MS (3600 * 1000)
#define EXIT_CODES        256

void guardrails_free(struct guardrails *guardrails)
{
    free(guardrails->excluded);
    *guardrails = (struct guardrails){0};
}

/* ---- in a fleet file ---- */

struct duration_range {
    int64_t low_ms, high_ms;
    const char *text;
};

static void read_duration(struct checker *checker, const struct node *map, const char *key,
                          const struct duration_range *range, int64_t *ms)
{
    static const struct duration_form form = {
        .largest = DURATION_H, .smallest = DURATION_S, .max_digits = VALUE_MAX_DIGITS};
    const char *text = checker_text(checker, map, key);
    int64_t value = 0;
    if (!text)
        return;
    if (duration_parse(text, &form, &value) != 0)
        checker_problem(
            checker, checker_line(map, key), key,
            "\"%.60s\" is not a duration: write hours, minutes and seconds as in 1h2m3s", text);
    else if (value < range->low_ms || value > range->high_ms)
        checker_problem(checker, checker_line(map, key), key, "must be %s, not \"%.60s\"",
                        range->text, text);
    else
        *ms = value;
}

/* Reads N or N-M and sets those codes to true. Returns 0, or -1 if the text is anything else. */
static int parse_exit_codes(const char *text, bool codes[EXIT_CODES])
{
    int64_t first = 0;
    const char *end = decimal_read(text, VALUE_MAX_DIGITS, &first);
    int64_t last = first;
    if (end && *end == '-')
        end = decimal_read(end + 1, VALUE_MAX_DIGITS, &last);
    if (!end || *end != '\0' || first > last || last >= EXIT_CODES)
        return -1;
    for (int64_t code = first; code <= last; code++)
        codes[code] = true;
    return 0;
}

static void read_exit_codes(struct checker *checker, const struct node *entry,
                            bool codes[EXIT_CODES])
{
    if (entry->kind == NODE_ABSENT || entry->kind == NODE_BROKEN)
        return;
    if (entry->kind != NODE_TEXT)
        checker_problem(checker, entry->line, NULL, "exit codes must be written as N or N-M");
    else if (parse_exit_codes(entry->text, codes) != 0)
        checker_problem(
            checker, entry->line, NULL,
            "\"%.60s\" is not an exit code or a range of exit codes: write N or N-M, 0 to 255",
            entry->text);
}

/* Stores the codes as sorted and merged ranges, so that equal sets are stored as equal text. */
static void keep_ranges(const bool codes[EXIT_CODES], struct guardrails *guardrails)
{
    struct exit_code_range ranges[EXIT_CODES / 2];
    size_t count = 0;
    for (int code = 0; code < EXIT_CODES; code++) {
        if (!codes[code])
            continue;
        if (code > 0 && codes[code - 1])
            ranges[count - 1].last = (uint8_t)code;
        else
            ranges[count++] = (struct exit_code_range){(uint8_t)code, (uint8_t)code};
    }
    if (count == 0)
        return;
    guardrails->excluded = memory_copy(ranges, count * sizeof(ranges[0]));
    guardrails->excluded_count = count;
}

static void read_excluded(struct checker *checker, const struct node *map,
                          struct guardrails *guardrails)
{
    static const char KEY[] = "exclude_exit_code_ranges";
    const struct node *value = node_get(map, KEY);
    if (!value)
        return;
    bool codes[EXIT_CODES] = {false};
    size_t mark = node_path_enter(&checker->path, KEY);
    if (value->kind == NODE_LIST) {
        for (uint32_t i = 0; i < value->count; i++) {
            size_t item = node_path_enter_item(&checker->path, i);
            read_exit_codes(checker, &value->items[i], codes);
            node_path_leave(&checker->path, item);
        }
    } else {
        read_exit_codes(checker, value, codes);
    }
    node_path_leave(&checker->path, mark);
    keep_ranges(codes, guardrails);
}

void guardrails_read(struct checker *checker, const struct node *vessel,
                     struct guardrails *guardrails)
{
    /* In the order of enum guardrails_given. */
    static const char *const KEYS[] = {"retry_count", "retry_wait", "runtime_cutoff",
                                       "exclude_exit_code_ranges", NULL};
    static const struct duration_range WAIT = {0, MAX_RETRY_WAIT_MS, "at most 1h"};
    static const struct duration_range CUTOFF = {1, GUARDRAIL_MAX_CUTOFF_MS,
                                                 "more than 0s and at most 4h"};
    guardrails->cutoff_ms = GUARDRAIL_MAX_CUTOFF_MS;
    const struct node *map = checker_map(checker, vessel, "guardrails");
    if (!map)
        return;
    for (size_t i = 0; KEYS[i]; i++)
        if (node_get(map, KEYS[i]))
            guardrails->given |= 1u << i;
    size_t mark = node_path_enter(&checker->path, "guardrails");
    checker_keys(checker, map, KEYS);
    checker_number(checker, map, "retry_count", 0, MAX_RETRIES, &guardrails->retry_count);
    read_duration(checker, map, "retry_wait", &WAIT, &guardrails->retry_wait_ms);
    read_duration(checker, map, "runtime_cutoff", &CUTOFF, &guardrails->cutoff_ms);
    read_excluded(checker, map, guardrails);
    node_path_leave(&checker->path, mark);
}

/* ---- of a blueprint and its vessel ---- */

void guardrails_complete(struct guardrails *guardrails, const struct guardrails *blueprint)
{
    if (!(guardrails->given & GIVEN_RETRY_COUNT))
        guardrails->retry_count = blueprint->retry_count;
    if (!(guardrails->given & GIVEN_RETRY_WAIT))
        guardrails->retry_wait_ms = blueprint->retry_wait_ms;
    if (!(guardrails->given & GIVEN_CUTOFF))
        guardrails->cutoff_ms = blueprint->cutoff_ms;
    if (guardrails->given & GIVEN_EXCLUDED)
        return;
    size_t count = blueprint->excluded_count;
    free(guardrails->excluded);
    guardrails->excluded =
        count > 0 ? memory_copy(blueprint->excluded, count * sizeof(blueprint->excluded[0])) : NULL;
    guardrails->excluded_count = count;
}

/* ---- in the store ---- */

/* The keys of the canonical form, in the order of enum guardrails_given. */
static const char *const FORM_KEYS[] = {"retry_count", "retry_wait_ms", "cutoff_ms", "excluded"};

static json_t *excluded_json(const struct guardrails *guardrails)
{
    json_t *excluded = json_array();
    for (size_t i = 0; i < guardrails->excluded_count; i++) {
        const struct exit_code_range *range = &guardrails->excluded[i];
        if (json_array_append_new(excluded, json_pack("[i, i]", range->first, range->last)) != 0) {
            json_decref(excluded);
            return NULL;
        }
    }
    return excluded;
}

struct json_t *guardrails_to_json(const struct guardrails *guardrails)
{
    return json_pack("{s:i, s:I, s:I, s:o}", FORM_KEYS[0], guardrails->retry_count, FORM_KEYS[1],
                     (json_int_t)guardrails->retry_wait_ms, FORM_KEYS[2],
                     (json_int_t)guardrails->cutoff_ms, FORM_KEYS[3], excluded_json(guardrails));
}

struct json_t *guardrails_given_to_json(const struct guardrails *guardrails)
{
    json_t *json = guardrails_to_json(guardrails);
    for (size_t i = 0; i < ARRAY_COUNT(FORM_KEYS); i++)
        if (!(guardrails->given & 1u << i))
            (void)json_object_del(json, FORM_KEYS[i]);
    return json;
}

/* The bounds are wider than those of a fleet file: another version of webhookd may have written the
 * value. */
static bool get_number(const json_t *json, const char *key, int64_t low, int64_t *number)
{
    const json_t *value = json_object_get(json, key);
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= low && *number <= INT32_MAX;
}

static bool get_range(const json_t *pair, struct exit_code_range *range)
{
    const json_t *ends[] = {json_array_get(pair, 0), json_array_get(pair, 1)};
    json_int_t first = json_integer_value(ends[0]);
    json_int_t last = json_integer_value(ends[1]);
    *range = (struct exit_code_range){.first = (uint8_t)first, .last = (uint8_t)last};
    return json_is_integer(ends[0]) && json_is_integer(ends[1]) && first >= 0 &&
           last < EXIT_CODES && first <= last;
}

static bool get_excluded(const json_t *excluded, struct guardrails *guardrails)
{
    size_t count = json_array_size(excluded);
    if (count == 0)
        return json_is_array(excluded);
    guardrails->excluded = memory_array(NULL, count, sizeof(guardrails->excluded[0]));
    guardrails->excluded_count = count;
    for (size_t i = 0; i < count; i++)
        if (!get_range(json_array_get(excluded, i), &guardrails->excluded[i]))
            return false;
    return true;
}

/* Reads those of the keys that are in `given`. */
static const char *read_form(const json_t *json, unsigned given, struct guardrails *guardrails)
{
    int64_t retry_count = 0;
    guardrails->given = given;
    guardrails->cutoff_ms = GUARDRAIL_MAX_CUTOFF_MS;
    if (given & GIVEN_RETRY_COUNT && !get_number(json, FORM_KEYS[0], 0, &retry_count))
        return FORM_KEYS[0];
    guardrails->retry_count = (int)retry_count;
    if (given & GIVEN_RETRY_WAIT && !get_number(json, FORM_KEYS[1], 0, &guardrails->retry_wait_ms))
        return FORM_KEYS[1];
    if (given & GIVEN_CUTOFF && !get_number(json, FORM_KEYS[2], 1, &guardrails->cutoff_ms))
        return FORM_KEYS[2];
    if (given & GIVEN_EXCLUDED && !get_excluded(json_object_get(json, FORM_KEYS[3]), guardrails))
        return FORM_KEYS[3];
    return NULL;
}

const char *guardrails_from_json(const struct json_t *json, struct guardrails *guardrails)
{
    return read_form(json, GIVEN_RETRY_COUNT | GIVEN_RETRY_WAIT | GIVEN_CUTOFF | GIVEN_EXCLUDED,
                     guardrails);
}

const char *guardrails_given_from_json(const struct json_t *json, struct guardrails *guardrails)
{
    unsigned given = 0;
    if (!json_is_object(json))
        return "guardrails";
    for (size_t i = 0; i < ARRAY_COUNT(FORM_KEYS); i++)
        if (json_object_get(json, FORM_KEYS[i]))
            given |= 1u << i;
    return read_form(json, given, guardrails);
}
