/* The hidden values of a fleet file that is being applied. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_HIDDEN_H
#define WEBHOOKD_ADMIN_HIDDEN_H

#include "admin/request.h"
#include "model/fleet_hidden.h"
#include "store/hidden.h"

struct hidden_file {
    struct hidden_terms terms; /* for store_apply_fleet */
    char *text;                /* the file without the values */
    size_t bytes;

    /* Private to hidden.c: */
    struct fleet_hidden_list list;
    struct secret_key key;
    struct {
        size_t vessel, entry;
    } * missing;
    size_t missing_count;
};

/* Reads which version's values the file keeps, from the query: from_fleet and from_version. */
int hidden_read_source(struct admin_request *request, struct hidden_file *hidden,
                       struct error *error);
/* Prepares the hidden values of a file: leaves them out of its text, and reads the key. Creates the
 * key if nothing sealed is stored, except for a check. Does nothing if there are no hidden values.
 * The caller calls hidden_end in any case. */
int hidden_begin(struct admin_request *request, const struct definition *definition,
                 const struct fleet_file_options *options, bool check_only,
                 struct hidden_file *hidden, struct error *error);
/* Adds a problem for each value that the file keeps and the store does not have. */
void hidden_refuse_missing(const struct hidden_file *hidden, struct fleet_problems *problems);
void hidden_end(struct hidden_file *hidden);

#endif
