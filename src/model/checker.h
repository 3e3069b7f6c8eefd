/* The state that the parts of the validation of a fleet file or a blueprint file share: the current
 * path, and the lists of problems and notes. Exists during one call of fleet_file_parse or
 * blueprint_file_parse, on the caller's thread. */
#ifndef WEBHOOKD_MODEL_CHECKER_H
#define WEBHOOKD_MODEL_CHECKER_H

#include <stdbool.h>
#include <stddef.h>

#include "model/fleet_hidden.h"
#include "model/inputs.h"
#include "model/node.h"
#include "model/report.h"

struct checker {
    struct report problems;
    struct report notes;
    const struct fleet_file_options *options;
    struct node_path path;            /* of the mapping or list that is being read */
    int *vessel_lines;                /* indexed as the definition's vessels */
    size_t vessel;                    /* the one that is being read, in the definition */
    size_t hidden_count;              /* hidden values of the fleet so far */
    struct fleet_hidden_list *hidden; /* NULL: nobody asked for the places of hidden values */
    bool is_blueprint;                /* the source that is being read is a blueprint's */
    const struct inputs *inputs;      /* what "${NAME}" refers to; NULL: it has no meaning */
};

/* Counts the hidden value that is the vessel's variable `entry`, and adds its place. */
void checker_hidden(struct checker *checker, size_t entry, const char *key,
                    const struct node *value);

/* Report a problem with, or a note about, `key` of the mapping that is being read; NULL: the
 * mapping itself. */
void checker_problem(struct checker *checker, int line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void checker_note(struct checker *checker, int line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reports a key that is accepted but has no effect: as a note, or, if the file is read strictly, as
 * a problem. */
void checker_without_effect(struct checker *checker, int line, const char *key, const char *why);

/* Checks the references in a value. Returns false if it has reported a problem. */
bool checker_references(struct checker *checker, int line, const char *key, const char *value);

/* Reports every key that is not in the list, which ends with NULL. */
void checker_keys(struct checker *checker, const struct node *map, const char *const *allowed);
/* Keys of the reference platform that are accepted wherever the platform accepts them.
 * checker_note_later adds a note about each that has a value. */
#define CHECKER_LATER_KEYS "notifications", "triggers"
void checker_note_later(struct checker *checker, const struct node *map);
/* The same for keys that have an effect in the source of a vessel, and are accepted elsewhere. */
#define CHECKER_SOURCE_KEYS "packages", "system_packages"
void checker_note_misplaced(struct checker *checker, const struct node *map);

/* Return the value of a key; NULL if it is absent, or, after reporting, if it is of another
 * kind. */
const struct node *checker_map(struct checker *checker, const struct node *map, const char *key);
const char *checker_text(struct checker *checker, const struct node *map, const char *key);
/* Does the same, but also reports a missing key. */
const char *checker_required(struct checker *checker, const struct node *map, const char *key);
/* Returns the index of a key's value in a list of words that ends with NULL. Returns -1 if the key
 * is absent, or, after reporting, if the value is not in the list. */
int checker_word(struct checker *checker, const struct node *map, const char *key,
                 const char *const *words);
/* Sets *number if the key has a whole number from low to high. Reports any other value. */
void checker_number(struct checker *checker, const struct node *map, const char *key, int low,
                    int high, int *number);
/* Returns the line of a key, or that of the mapping if the key is absent. */
int checker_line(const struct node *map, const char *key);

#endif
