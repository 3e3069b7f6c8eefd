/* See reference.h. Called by the validation of fleet files, by the admin API, and by the runner
 * when an attempt starts; pure. */
#include "model/reference.h"

#include <stdio.h>
#include <string.h>

#define OPENING       "#{"
#define ESCAPED       "##{" /* stands for OPENING */
#define INPUT_OPENING "${"
#define INPUT_ESCAPED "$${"

/* ---- names ---- */

/* Returns how many characters of the text make a group or an item; 0 if it does not begin with
 * one. */
static size_t part_chars(const char *text)
{
    size_t chars = 0;
    if (text[0] < 'A' || text[0] > 'Z')
        return 0;
    while ((text[chars] >= 'A' && text[chars] <= 'Z') ||
           (text[chars] >= '0' && text[chars] <= '9') || text[chars] == '_')
        chars++;
    return chars <= REFERENCE_PART_CHARS ? chars : 0;
}

/* Reads "GROUP.ITEM" from the start of the text. Returns its length, or 0. */
static size_t read_name(const char *text, struct reference *reference)
{
    size_t group = part_chars(text);
    if (group == 0 || text[group] != '.')
        return 0;
    size_t item = part_chars(text + group + 1);
    if (item == 0)
        return 0;
    (void)snprintf(reference->group, sizeof(reference->group), "%.*s", (int)group, text);
    (void)snprintf(reference->item, sizeof(reference->item), "%.*s", (int)item, text + group + 1);
    return group + 1 + item;
}

int reference_parse(const char *text, struct reference *reference)
{
    size_t chars = read_name(text, reference);
    return chars > 0 && text[chars] == '\0' ? 0 : -1;
}

const char *reference_problem(const char *group, const char *item)
{
    const char *const parts[] = {group, item};
    for (int i = 0; i < 2; i++) {
        size_t chars = part_chars(parts[i]);
        if (chars == 0 || parts[i][chars] != '\0')
            return "a credential is named GROUP.ITEM: each part begins with a capital letter and "
                   "has at most 63 capital letters, digits and \"_\"";
    }
    return NULL;
}

char *reference_format(const struct reference *reference, char text[REFERENCE_TEXT_BYTES])
{
    (void)snprintf(text, REFERENCE_TEXT_BYTES, "%s.%s", reference->group, reference->item);
    return text;
}

bool reference_equal(const struct reference *a, const struct reference *b)
{
    return strcmp(a->group, b->group) == 0 && strcmp(a->item, b->item) == 0;
}

/* ---- values ---- */

bool reference_may_be_in(const char *value)
{
    return strstr(value, OPENING) != NULL;
}

static enum reference_piece take(struct reference_reader *reader, size_t bytes,
                                 enum reference_piece piece)
{
    reader->text = reader->at;
    reader->bytes = bytes;
    reader->at += bytes;
    return piece;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static enum reference_piece read_credential(struct reference_reader *reader)
{
    const char *name = reader->at + strlen(OPENING);
    size_t chars = read_name(name, &reader->reference);
    if (chars == 0 || name[chars] != '}')
        return take(reader, strlen(OPENING), REFERENCE_BROKEN);
    reader->at = name + chars + 1;
    return REFERENCE_NAME;
}

static enum reference_piece read_input(struct reference_reader *reader)
{
    const char *name = reader->at + strlen(INPUT_OPENING);
    size_t chars = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    if (chars == 0 || (name[0] >= '0' && name[0] <= '9') || name[chars] != '}')
        return take(reader, strlen(INPUT_OPENING), REFERENCE_BROKEN_INPUT);
    reader->at = name;
    (void)take(reader, chars, REFERENCE_INPUT);
    reader->at++;
    return REFERENCE_INPUT;
}

/* Returns the length of the text before the next opening, which may be escaped. */
static size_t plain_bytes(const struct reference_reader *reader)
{
    for (const char *at = reader->at;; at++) {
        at += strcspn(at, reader->reads_inputs ? "#$" : "#");
        if (*at == '\0' || begins_with(at, OPENING) || begins_with(at, ESCAPED))
            return (size_t)(at - reader->at);
        if (reader->reads_inputs &&
            (begins_with(at, INPUT_OPENING) || begins_with(at, INPUT_ESCAPED)))
            return (size_t)(at - reader->at);
    }
}

enum reference_piece reference_next(struct reference_reader *reader)
{
    if (reader->at[0] == '\0')
        return REFERENCE_END;
    bool is_escaped = begins_with(reader->at, ESCAPED) ||
                      (reader->reads_inputs && begins_with(reader->at, INPUT_ESCAPED));
    if (is_escaped) {
        reader->at++;
        return take(reader, strlen(OPENING), REFERENCE_TEXT);
    }
    if (begins_with(reader->at, OPENING))
        return read_credential(reader);
    if (reader->reads_inputs && begins_with(reader->at, INPUT_OPENING))
        return read_input(reader);
    return take(reader, plain_bytes(reader), REFERENCE_TEXT);
}

bool reference_is_in(const char *value, const struct reference *reference)
{
    struct reference_reader reader = {.at = value};
    enum reference_piece piece;
    while ((piece = reference_next(&reader)) != REFERENCE_END)
        if (piece == REFERENCE_NAME && reference_equal(&reader.reference, reference))
            return true;
    return false;
}
