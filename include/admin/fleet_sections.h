/* Sections of the configuration, fleet "organization/project/name", that name no fleet of the
 * store. That is allowed, because the fleet may come later; but if the name is mistyped, the fleet
 * runs without the section's settings, such as its user. */
#ifndef WEBHOOKD_ADMIN_FLEET_SECTIONS_H
#define WEBHOOKD_ADMIN_FLEET_SECTIONS_H

#include "config/config.h"
#include "store/store.h"

/* Adds a line for each such section: "webhookd.conf:12: fleet "a/b/Depoly": …". Returns -1 if the
 * store cannot be read. Any thread. */
int fleet_sections_report(const struct config *config, struct store *store,
                          struct config_report *report, struct error *error);

/* Which of the running sections named no fleet when they were last examined. Any thread. */
struct fleet_sections;
/* Holds the configuration, whose fleet sections stay in force until a restart. */
struct fleet_sections *fleet_sections_new(struct config *config);
void fleet_sections_free(struct fleet_sections *sections); /* NULL is fine */
/* To be called at the start, and when a fleet was created, renamed or deleted. Logs a warning for
 * each section that has come to name no fleet, and a note for each that names one again. If the
 * store cannot be read, does nothing. */
void fleet_sections_examine(struct fleet_sections *sections, struct store *store);

#endif
