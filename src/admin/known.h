/* The credentials and blueprints of the organization for which a file is being applied, and the
 * system packages of the machine. For fleet_file_options. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_KNOWN_H
#define WEBHOOKD_ADMIN_KNOWN_H

#include <stdbool.h>

#include "model/fleet_file.h"
#include "model/inputs.h"
#include "packages/system.h"
#include "store/store.h"

struct known_blueprint;

struct known {
    struct store *store;
    struct id org_id;
    bool has_org; /* false: nothing is refused because of it; the change itself then fails */
    struct reference *credentials; /* sorted by group and item */
    size_t credential_count;
    struct known_blueprint *blueprints; /* those that were looked for so far */
    size_t blueprint_count;
    struct error failure;              /* set if a blueprint could not be read */
    struct system_packages *installed; /* read when the first vessel asks for any */
    struct error unreadable;           /* why they could not be read */
};

/* Read what an organization has, or that of a project. The caller calls known_free in any case. */
int known_read(struct store *store, const struct id *org_id, struct known *known,
               struct error *error);
int known_read_of_project(struct store *store, const struct id *project_id, struct known *known,
                          struct error *error);
void known_free(struct known *known);

/* Sets the functions of the options, which borrow `known`. */
void known_fill_options(struct known *known, struct fleet_file_options *options);

#endif
