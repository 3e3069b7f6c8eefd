/* References in the values of a fleet file and of a blueprint: to credentials, "#{GROUP.ITEM}",
 * and, where a blueprint has inputs, to these, "${NAME}". They may be part of a longer value; "##{"
 * and "$${" stand for the characters "#{" and "${". Pure; any thread. */
#ifndef WEBHOOKD_MODEL_REFERENCE_H
#define WEBHOOKD_MODEL_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#define REFERENCE_PART_CHARS 63 /* of a group or an item: [A-Z][A-Z0-9_]{0,62} */
#define REFERENCE_TEXT_BYTES (2 * REFERENCE_PART_CHARS + 2)

/* The name of a credential in its organization. */
struct reference {
    char group[REFERENCE_PART_CHARS + 1], item[REFERENCE_PART_CHARS + 1];
};

/* Reads exactly "GROUP.ITEM". Returns 0, or -1 if the text is anything else. */
int reference_parse(const char *text, struct reference *reference);
/* Returns NULL if the two parts are valid, else what is wrong with them. */
const char *reference_problem(const char *group, const char *item);
/* Writes "GROUP.ITEM" and returns text. */
char *reference_format(const struct reference *reference, char text[REFERENCE_TEXT_BYTES]);
bool reference_equal(const struct reference *a, const struct reference *b);

/* Whether the value refers to this credential. */
bool reference_is_in(const char *value, const struct reference *reference);
/* A cheap look: false means that the value is to be used as it is. */
bool reference_may_be_in(const char *value);

enum reference_piece {
    REFERENCE_END,
    REFERENCE_TEXT,   /* characters that stand for themselves; "##{" gives "#{" */
    REFERENCE_NAME,   /* a reference to a credential */
    REFERENCE_BROKEN, /* "#{" that begins no reference */
    /* Only for a reader with reads_inputs: */
    REFERENCE_INPUT,        /* a reference to an input; text and bytes are the input's name */
    REFERENCE_BROKEN_INPUT, /* "${" that begins no reference */
};

/* Takes a value apart, from its first piece to its last, in one pass: the caller replaces pieces,
 * and nothing that it puts in their place is read again. Set `at` to the value's start. */
struct reference_reader {
    const char *at;
    bool reads_inputs; /* otherwise "${" has no meaning */
    const char *text;  /* of all but NAME */
    size_t bytes;
    struct reference reference; /* of NAME */
};
enum reference_piece reference_next(struct reference_reader *reader);

#endif
