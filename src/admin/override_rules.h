/* The rules for a request's overrides: reads the blueprints of the vessels that they name. On admin
 * workers' threads. */
#ifndef WEBHOOKD_ADMIN_OVERRIDE_RULES_H
#define WEBHOOKD_ADMIN_OVERRIDE_RULES_H

#include "model/blueprint.h"
#include "model/overrides.h"
#include "store/store.h"

/* Exists while a request's overrides are checked. */
struct override_rules {
    struct overrides_rules rules; /* for overrides_check */

    /* Private to override_rules.c: */
    struct store *store;
    struct blueprint *blueprint; /* the last one that was asked for */
    int version;                 /* as it was asked for */
};

/* is_trigger: the caller may set only variables that the definition or a blueprint names. */
void override_rules_begin(struct override_rules *rules, struct store *store, bool is_trigger);
void override_rules_end(struct override_rules *rules);

#endif
