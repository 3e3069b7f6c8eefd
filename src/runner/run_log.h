/* Log lines about a fleet run. Each begins with the fields `run`, the run's id, and `fleet_name`,
 * so callers need not pass them.
 *
 *     run_log_info(run->work, "fleet run ended", log_text("status", "success"));
 *     → info: fleet run ended run=0198… fleet_name=Greet status=success
 *
 * The macros take the work because a run that cannot be read has nothing else. Further fields may
 * follow the event, as in base/log.h. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_RUN_LOG_H
#define WEBHOOKD_RUNNER_RUN_LOG_H

#include "base/log.h"
#include "store/work.h"

#define RUN_LOG_AT(level, work, event, ...)                                                        \
    LOG_AT(level, event, log_id("run", &(work)->ids.run_id),                                       \
           log_text("fleet_name", (work)->fleet_name), __VA_ARGS__)

#define run_log_error(work, ...)   RUN_LOG_AT(LOG_LEVEL_ERROR, work, __VA_ARGS__)
#define run_log_warning(work, ...) RUN_LOG_AT(LOG_LEVEL_WARNING, work, __VA_ARGS__)
#define run_log_info(work, ...)    RUN_LOG_AT(LOG_LEVEL_INFO, work, __VA_ARGS__)
#define run_log_debug(work, ...)   RUN_LOG_AT(LOG_LEVEL_DEBUG, work, __VA_ARGS__)

#endif
