/* See configuration.h. */
#include "webhookd/configuration.h"

#include <inttypes.h>
#include <stdio.h>

#include "admin/fleet_sections.h"
#include "base/log.h"
#include "config/bounds.h"
#include "runner/runner.h"

/* `name` is the key of the report's lines in the log. */
static void log_report(enum log_level level, const char *event, const char *name,
                       struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        LOG_AT(level, event, log_text(name, report->lines[i]));
    config_report_free(report);
}

int configuration_check(struct config *config, const struct configuration_place *place,
                        struct error *error)
{
    if (config_check_start(config, error) != 0 ||
        config_bounds_apply(config, place->resources, error) != 0)
        return -1;
    return runner_check_config(config, place->path, place->supervisor_path, error);
}

void configuration_report_sections(const struct config *config, struct config_report *report)
{
    struct error error = ERROR_INIT;
    const struct store_options options = {
        .state_dir = config->state_dir, .location = config->store, .mode = STORE_READ};
    struct store *store = config->fleet_count > 0 ? store_open(&options, &error) : NULL;
    if (store)
        (void)fleet_sections_report(config, store, report, &error);
    store_close(store);
}

void configuration_log_bounds(const struct config *config)
{
    for (size_t i = 0; i < CONFIG_BOUNDS; i++) {
        const struct config_bound *bound = &config->bounds[i];
        if (config_bound_is_lowered(bound))
            log_warning("bound lowered to what there is", log_text("bound", bound->name),
                        log_int("configured", bound->configured),
                        log_int("effective", bound->effective), log_text("reason", bound->reason),
                        log_text("advice", bound->advice));
    }
}

void configuration_print_bounds(const struct config *config, const char *path)
{
    for (size_t i = 0; i < CONFIG_BOUNDS; i++) {
        const struct config_bound *bound = &config->bounds[i];
        if (config_bound_is_lowered(bound))
            printf("%s: %s is lowered from %" PRId64 " to %" PRId64 ": %s; %s\n", path, bound->name,
                   bound->configured, bound->effective, bound->reason, bound->advice);
    }
}

struct config *configuration_reload(const struct config *first,
                                    const struct configuration_place *place)
{
    const char *path = place->path;
    struct config_report report = {0};
    struct error error = ERROR_INIT;
    struct config *fresh = config_load(path, &report);
    if (fresh && configuration_check(fresh, place, &error) != 0) {
        config_report_add(&report, "%s: %s", path, error.message);
        config_release(fresh);
        fresh = NULL;
    }
    if (!fresh) {
        log_report(LOG_LEVEL_ERROR, "configuration not reloaded", "error", &report);
        return NULL;
    }
    config_report_restart(first, fresh, &report);
    log_report(LOG_LEVEL_WARNING, "setting changed, takes effect after a restart", "key", &report);
    configuration_report_sections(fresh, &report);
    log_report(LOG_LEVEL_WARNING, "fleet section names no fleet", "section", &report);
    return fresh;
}
