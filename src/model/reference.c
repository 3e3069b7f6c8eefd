/* See reference.h. Called by the validation of fleet files, by the admin API, and by the runner
 * when an attempt starts; pure. */
#include "model/reference.h"

#include <stdio.h>
#include <string.h>

#define OPENING "#{"
#define ESCAPED "##{" /* stands for OPENING */

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

static enum reference_piece text_piece(struct reference_reader *reader, size_t bytes)
{
    reader->text = reader->at;
    reader->bytes = bytes;
    reader->at += bytes;
    return REFERENCE_TEXT;
}

enum reference_piece reference_next(struct reference_reader *reader)
{
    if (reader->at[0] == '\0')
        return REFERENCE_END;
    if (strncmp(reader->at, ESCAPED, strlen(ESCAPED)) == 0) {
        reader->at++;
        return text_piece(reader, strlen(OPENING));
    }
    if (strncmp(reader->at, OPENING, strlen(OPENING)) == 0) {
        const char *name = reader->at + strlen(OPENING);
        size_t chars = read_name(name, &reader->reference);
        if (chars == 0 || name[chars] != '}') {
            (void)text_piece(reader, strlen(OPENING));
            return REFERENCE_BROKEN;
        }
        reader->at = name + chars + 1;
        return REFERENCE_NAME;
    }
    const char *next = strstr(reader->at, OPENING);
    if (next && next > reader->at && next[-1] == '#')
        next--; /* it is escaped */
    return text_piece(reader, next ? (size_t)(next - reader->at) : strlen(reader->at));
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
