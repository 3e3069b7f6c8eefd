/* See configuration.h. */
#include "webhookd/configuration.h"

#include "base/log.h"
#include "runner/runner.h"

/* `name` is the key of the report's lines in the log. */
static void log_report(enum log_level level, const char *event, const char *name,
                       struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        LOG_AT(level, event, log_text(name, report->lines[i]));
    config_report_free(report);
}

int configuration_check(struct config *config, const char *path, const char *supervisor_path,
                        struct error *error)
{
    if (config_check_start(config, error) != 0)
        return -1;
    return runner_check_config(config, path, supervisor_path, error);
}

struct config *configuration_reload(const struct config *first, const char *path,
                                    const char *supervisor_path)
{
    struct config_report report = {0};
    struct error error = ERROR_INIT;
    struct config *fresh = config_load(path, &report);
    if (fresh && configuration_check(fresh, path, supervisor_path, &error) != 0) {
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
    return fresh;
}
