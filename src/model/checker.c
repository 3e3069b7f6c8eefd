/* Looks up and checks values in the tree of a fleet file, and reports problems. Called by fleet_*.c
 * and guardrails.c; pure. */
#include "model/checker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/words.h"
#include "model/fleet_values.h"

static void report_at(struct checker *checker, struct report *report, int line, const char *key,
                      const char *format, va_list arguments) __attribute__((format(printf, 5, 0)));

static void report_at(struct checker *checker, struct report *report, int line, const char *key,
                      const char *format, va_list arguments)
{
    size_t mark = !key ? checker->path.bytes : node_path_enter(&checker->path, key);
    report_add_v(report, line, checker->path.text, format, arguments);
    node_path_leave(&checker->path, mark);
}

void checker_problem(struct checker *checker, int line, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_at(checker, &checker->problems, line, key, format, arguments);
    va_end(arguments);
}

void checker_note(struct checker *checker, int line, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_at(checker, &checker->notes, line, key, format, arguments);
    va_end(arguments);
}

void checker_hidden(struct checker *checker, size_t entry, const char *key,
                    const struct node *value)
{
    struct fleet_hidden_list *list = checker->hidden;
    if (++checker->hidden_count == DEFINITION_MAX_HIDDEN + 1)
        checker_problem(checker, value->line, NULL, "a fleet may have at most %d hidden values",
                        DEFINITION_MAX_HIDDEN);
    if (!list)
        return;
    if ((list->count & (list->count - 1)) == 0) /* room for 1, 2, 4, … */
        list->items = memory_array(list->items, list->count == 0 ? 1 : 2 * list->count,
                                   sizeof(list->items[0]));
    size_t mark = !key ? checker->path.bytes : node_path_enter(&checker->path, key);
    list->items[list->count++] = (struct fleet_hidden){.vessel = checker->vessel,
                                                       .entry = entry,
                                                       .path = memory_string(checker->path.text),
                                                       .line = value->line,
                                                       .begin = value->begin,
                                                       .end = value->end};
    node_path_leave(&checker->path, mark);
}

/* Writes "BASH, PYTHON or NODE" into the text and returns it. */
static const char *list_words(const char *const *words, char text[300])
{
    size_t bytes = 0;
    text[0] = '\0';
    for (size_t i = 0; words[i] && bytes < 300; i++) {
        const char *between = i == 0 ? "" : !words[i + 1] ? " or " : ", ";
        int length = snprintf(text + bytes, 300 - bytes, "%s%s", between, words[i]);
        bytes += length > 0 ? (size_t)length : 0;
    }
    return text;
}

void checker_keys(struct checker *checker, const struct node *map, const char *const *allowed)
{
    char list[300] = "";
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node *entry = &map->items[i];
        if (words_find(allowed, entry->key) >= 0)
            continue;
        if (list[0] == '\0')
            list_words(allowed, list);
        checker_problem(checker, entry->line, entry->key, "unknown key; expected %s", list);
    }
}

void checker_without_effect(struct checker *checker, int line, const char *key, const char *why)
{
    if (checker->options->strict)
        checker_problem(checker, line, key, "\"%s\" has no effect: %s", key, why);
    else
        checker_note(checker, line, key, "\"%s\" is accepted, but has no effect: %s", key, why);
}

/* Reports each of the keys, a list that ends with NULL, that has a value. */
static void report_values(struct checker *checker, const struct node *map, const char *const *keys,
                          const char *why)
{
    for (size_t i = 0; keys[i]; i++) {
        const struct node *value = node_get(map, keys[i]);
        if (value && (value->kind == NODE_TEXT || value->count > 0))
            checker_without_effect(checker, value->line, keys[i], why);
    }
}

void checker_note_later(struct checker *checker, const struct node *map)
{
    static const char *const LATER[] = {CHECKER_LATER_KEYS, NULL};
    report_values(checker, map, LATER, "webhookd does not act on it");
}

void checker_note_misplaced(struct checker *checker, const struct node *map)
{
    static const char *const OF_SOURCES[] = {CHECKER_SOURCE_KEYS, NULL};
    report_values(checker, map, OF_SOURCES, "write it into the source of a vessel");
}

const struct node *checker_map(struct checker *checker, const struct node *map, const char *key)
{
    const struct node *value = node_get(map, key);
    if (!value || value->kind == NODE_BROKEN)
        return NULL;
    if (value->kind == NODE_MAP)
        return value;
    checker_problem(checker, value->line, key, "must be a mapping (key: value)");
    return NULL;
}

const char *checker_text(struct checker *checker, const struct node *map, const char *key)
{
    const struct node *value = node_get(map, key);
    if (!value || value->kind == NODE_BROKEN)
        return NULL;
    if (value->kind == NODE_TEXT)
        return value->text;
    checker_problem(checker, value->line, key, "must be a single value, not a %s",
                    value->kind == NODE_LIST ? "list" : "mapping");
    return NULL;
}

const char *checker_required(struct checker *checker, const struct node *map, const char *key)
{
    if (!node_get(map, key))
        checker_problem(checker, map->line, key, "missing");
    return checker_text(checker, map, key);
}

int checker_word(struct checker *checker, const struct node *map, const char *key,
                 const char *const *words)
{
    const char *text = checker_text(checker, map, key);
    if (!text)
        return -1;
    int place = words_find(words, text);
    char list[300];
    if (place < 0)
        checker_problem(checker, checker_line(map, key), key, "invalid value \"%.60s\": write %s",
                        text, list_words(words, list));
    return place;
}

void checker_number(struct checker *checker, const struct node *map, const char *key, int low,
                    int high, int *number)
{
    const char *text = checker_text(checker, map, key);
    if (!text)
        return;
    int value = 0;
    if (fleet_values_number(text, &value) == 0 && value >= low && value <= high)
        *number = value;
    else
        checker_problem(checker, checker_line(map, key), key,
                        "must be a whole number from %d to %d, not \"%.60s\"", low, high, text);
}

int checker_line(const struct node *map, const char *key)
{
    const struct node *value = node_get(map, key);
    return value ? value->line : map->line;
}

/* ---- references to credentials ---- */

static bool look_up(struct checker *checker, int line, const char *key,
                    const struct reference *reference)
{
    const struct fleet_file_options *options = checker->options;
    char name[REFERENCE_TEXT_BYTES];
    if (!options->has_credential || options->has_credential(options->context, reference))
        return true;
    reference_format(reference, name);
    if (options->missing_credentials)
        checker_note(checker, line, key,
                     "credential %s does not exist: the vessel fails until it is stored", name);
    else
        checker_problem(checker, line, key,
                        "credential %s does not exist: store it with \"webhookctl credential set "
                        "%s\"",
                        name, name);
    return options->missing_credentials;
}

static bool look_up_input(struct checker *checker, int line, const char *key,
                          const struct reference_reader *reader)
{
    if (inputs_find(checker->inputs, reader->text, reader->bytes) != INPUTS_NONE)
        return true;
    checker_problem(checker, line, key,
                    "the blueprint has no input \"%.*s\": write \"$${\" for the characters \"${\"",
                    (int)(reader->bytes < 60 ? reader->bytes : 60), reader->text);
    return false;
}

bool checker_references(struct checker *checker, int line, const char *key, const char *value)
{
    struct reference_reader reader = {.at = value, .reads_inputs = checker->inputs != NULL};
    for (;;) {
        switch (reference_next(&reader)) {
        case REFERENCE_END:
            return true;
        case REFERENCE_TEXT:
            break;
        case REFERENCE_NAME:
            if (!look_up(checker, line, key, &reader.reference))
                return false;
            break;
        case REFERENCE_BROKEN:
            checker_problem(checker, line, key,
                            "\"#{\" begins a reference to a credential, #{GROUP.ITEM} in capital "
                            "letters: write \"##{\" for the characters themselves");
            return false;
        case REFERENCE_INPUT:
            if (!look_up_input(checker, line, key, &reader))
                return false;
            break;
        case REFERENCE_BROKEN_INPUT:
            checker_problem(checker, line, key,
                            "\"${\" begins a reference to an input, ${NAME}: write \"$${\" for the "
                            "characters themselves");
            return false;
        }
    }
}
