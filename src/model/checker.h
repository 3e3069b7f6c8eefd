/* What the parts of the fleet file's validation share: where they are, and where problems and notes go. Lives for one
 * fleet_file_parse. */
#ifndef WEBHOOKD_MODEL_CHECKER_H
#define WEBHOOKD_MODEL_CHECKER_H

#include <stdbool.h>
#include <stddef.h>

#include "model/node.h"
#include "model/report.h"

struct checker {
    struct report problems;
    struct report notes;
    bool stub;
    struct node_path path; /* of the mapping or list that is being read */
    int *vessel_lines;     /* by the vessels' places in the definition */
};

/* What is wrong (or noted) with `key` of the mapping being read; NULL: with the mapping itself. */
void checker_problem(struct checker *checker, int line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void checker_note(struct checker *checker, int line, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reports every key that is not in the list (which ends with NULL). */
void checker_keys(struct checker *checker, const struct node *map, const char *const *allowed);
/* Keys of the reference platform that are accepted wherever they may stand there: noted if they ask for something. */
#define CHECKER_LATER_KEYS "packages", "system_packages", "notifications", "triggers"
void checker_note_later(struct checker *checker, const struct node *map);

/* The value of a key: NULL if it is absent, or of another kind, which is reported. */
const struct node *checker_map(struct checker *checker, const struct node *map, const char *key);
const char *checker_text(struct checker *checker, const struct node *map, const char *key);
/* The same, and a missing one is reported as well. */
const char *checker_required(struct checker *checker, const struct node *map, const char *key);
/* The place of a key's value in a list of words that ends with NULL; -1 if it is absent, or none of them, which is reported. */
int checker_word(struct checker *checker, const struct node *map, const char *key,
                 const char *const *words);
/* Sets *number if the key is there and in the range; anything else that is there is reported. */
void checker_number(struct checker *checker, const struct node *map, const char *key, int low,
                    int high, int *number);
/* A key's line, or the mapping's if the key is not there. */
int checker_line(const struct node *map, const char *key);

#endif
