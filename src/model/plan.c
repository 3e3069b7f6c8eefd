/* Decides which vessels start next and how a run ended. Called by the runner on its thread,
 * whenever the statuses of a run have changed; pure. */
#include "model/plan.h"

/* Returns the verdict that one path allows the vessel at its end, after the vessel at its beginning
 * has ended with `status`. */
static enum plan_verdict test_path(enum path_condition condition, enum vessel_status status)
{
    bool holds = false;
    switch (condition) {
    case PATH_SUCCESS:
        holds = status == VESSEL_SUCCESS;
        break;
    case PATH_ERRORED:
        holds = status == VESSEL_ERRORED;
        break;
    case PATH_COMPLETED:
        holds = status == VESSEL_SUCCESS || status == VESSEL_ERRORED;
        break;
    }
    return holds ? PLAN_START : PLAN_INCOMPLETE;
}

/* If several paths lead into one vessel, the strongest verdict counts. Waiting is the strongest: a
 * vessel waits until all its predecessors have ended. */
static int strength(enum plan_verdict verdict)
{
    switch (verdict) {
    case PLAN_START:
        return 0;
    case PLAN_INCOMPLETE:
        return 1;
    case PLAN_WAIT:
        return 2;
    }
    return 2;
}

void plan_next(const struct definition *definition, const enum vessel_status *statuses,
               enum plan_verdict *verdicts)
{
    for (size_t i = 0; i < definition->vessel_count; i++)
        verdicts[i] = statuses[i] == VESSEL_SCHEDULED ? PLAN_START : PLAN_WAIT;
    for (size_t i = 0; i < definition->path_count; i++) {
        const struct definition_path *path = &definition->paths[i];
        enum vessel_status before = statuses[path->from];
        enum plan_verdict verdict =
            vessel_status_has_ended(before) ? test_path(path->condition, before) : PLAN_WAIT;
        if (strength(verdict) > strength(verdicts[path->to]))
            verdicts[path->to] = verdict;
    }
}

bool plan_retries(const struct definition_vessel *vessel, int exit_code, int retries)
{
    if (retries >= vessel->guardrails.retry_count)
        return false;
    for (size_t i = 0; i < vessel->guardrails.excluded_count; i++) {
        const struct exit_code_range *range = &vessel->guardrails.excluded[i];
        if (exit_code >= range->first && exit_code <= range->last)
            return false;
    }
    return true;
}

enum run_status plan_run_status(const enum vessel_status *statuses, size_t count)
{
    enum run_status result = RUN_SUCCESS;
    for (size_t i = 0; i < count; i++) {
        if (!vessel_status_has_ended(statuses[i]))
            return RUN_RUNNING;
        if (statuses[i] == VESSEL_TERMINATED)
            result = RUN_TERMINATED;
        else if (statuses[i] == VESSEL_ERRORED && result == RUN_SUCCESS)
            result = RUN_ERRORED;
    }
    return result;
}
