/* See model/attempt_result.h. Called by the supervisor, the runner and the store. */
#include "model/attempt_result.h"

#include <stddef.h>
#include <string.h>

#include "base/utf8.h"

enum vessel_status attempt_result_status(const struct attempt_result *result)
{
    switch (result->ending) {
    case ATTEMPT_EXITED:
        return result->exit_code == 0 ? VESSEL_SUCCESS : VESSEL_ERRORED;
    case ATTEMPT_STOPPED:
        return VESSEL_TERMINATED;
    case ATTEMPT_CUTOFF:
    case ATTEMPT_OVER_DISK:
    case ATTEMPT_NOT_STARTED:
    case ATTEMPT_REFUSED:
    case ATTEMPT_UNPREPARED:
    case ATTEMPT_INTERRUPTED:
        return VESSEL_ERRORED;
    }
    return VESSEL_ERRORED;
}

void attempt_result_set_reason(struct attempt_result *result, const char *text)
{
    size_t bytes = utf8_cut(text, sizeof(result->reason) - 1);
    memcpy(result->reason, text, bytes);
    result->reason[bytes] = '\0';
}
