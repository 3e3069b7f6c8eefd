/* The configuration file: checks whether webhookd could start with it, and reads it again while
 * webhookd runs. Called by main.c and daemon.c, on the main thread. */
#ifndef WEBHOOKD_CONFIGURATION_H
#define WEBHOOKD_CONFIGURATION_H

#include "base/error.h"
#include "base/resources.h"
#include "config/config.h"

/* What the configuration is checked against, the same for each reload. All borrowed. */
struct configuration_place {
    const char *path; /* of the file */
    const char *supervisor_path;
    const struct resources *resources; /* of the machine, as measured at the start */
};

/* Checks whether webhookd could start with this configuration, and lowers its bounds to what there
 * is (config/bounds.h). Returns 0, or -1 and why not. */
int configuration_check(struct config *config, const struct configuration_place *place,
                        struct error *error);
/* Logs each bound that was lowered, and why. */
void configuration_log_bounds(const struct config *config);
/* Writes the same to standard output. */
void configuration_print_bounds(const struct config *config, const char *path);

/* Adds a line for each fleet section that names no fleet (admin/fleet_sections.h). Adds nothing if
 * there is no store yet, or if it cannot be read. */
void configuration_report_sections(const struct config *config, struct config_report *report);

/* Reads the file again and logs its errors. Returns a snapshot that webhookd could also start with,
 * or NULL. `first` is the configuration that webhookd was started with: logs which changed keys
 * need a restart, and which fleet sections name no fleet. */
struct config *configuration_reload(const struct config *first,
                                    const struct configuration_place *place);

#endif
