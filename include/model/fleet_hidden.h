/* The hidden values of a fleet file: where they are written, and the file without them. Pure. */
#ifndef WEBHOOKD_MODEL_FLEET_HIDDEN_H
#define WEBHOOKD_MODEL_FLEET_HIDDEN_H

#include "model/fleet_file.h"

struct fleet_hidden {
    size_t vessel, entry; /* in the definition: its vessel, and the vessel's variable */
    char *path;
    int line;
    size_t begin, end; /* bytes behind the byte order mark */
};

struct fleet_hidden_list {
    struct fleet_hidden *items; /* in the order of the file */
    size_t count;
    /* The file, which is borrowed. */
    const char *text;
    size_t bytes, offset; /* offset: the length of its byte order mark */
    bool is_json;
    struct fleet_file_options options;
};

/* Finds the hidden values of a file that fleet_file_parse has accepted with these options. The
 * caller frees the list with fleet_hidden_free; it has no secret. */
void fleet_file_find_hidden(const char *text, size_t bytes,
                            const struct fleet_file_options *options,
                            struct fleet_hidden_list *list);
void fleet_hidden_free(struct fleet_hidden_list *list);

/* Returns the file with each hidden value replaced by DEFINITION_HIDDEN, and its length in *bytes.
 * All other bytes stay: comments, order, line ends. What looks like the value elsewhere, in a
 * comment for example, stays, too. Checks that the result means the same as `definition`, which the
 * file was parsed to; if it does not, returns NULL with ERROR_INVALID. The caller frees the result.
 */
char *fleet_hidden_mask(const struct fleet_hidden_list *list, const struct definition *definition,
                        size_t *bytes, struct error *error);

/* Adds the problem that the fleet has no value for a variable that the file keeps. */
void fleet_hidden_refuse(const struct fleet_hidden_list *list, size_t vessel, size_t entry,
                         struct fleet_problems *problems);

#endif
