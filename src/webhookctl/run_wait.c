/* run wait: returns when the run has ended. Called by main.c; the program has one thread.
 *
 * It polls with pauses that grow. Vessels survive a restart of webhookd, so waiting does too: while
 * webhookd cannot be reached, it fails only after PATIENCE_MS. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

#define FIRST_PAUSE_MS 50
#define LAST_PAUSE_MS  1000
#define PATIENCE_MS    30000

static bool has_ended(const json_t *run)
{
    const char *status = show_text(run, "status");
    return status && strcmp(status, "scheduled") != 0 && strcmp(status, "running") != 0;
}

static void pause_ms(int64_t milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Polls once and replaces *run with the new state. If webhookd cannot be reached, leaves *run
 * unchanged and sets *away_since_ms to the time at which that began. */
static int look_again(struct client *client, json_t **run, int64_t *away_since_ms,
                      struct error *error)
{
    struct error why = ERROR_INIT;
    json_t *fresh = client_get(client, &why, "/fleetruns/%s", show_text(*run, "id"));
    int64_t now_ms = clock_monotonic_ms();
    if (fresh) {
        json_decref(*run);
        *run = fresh;
        *away_since_ms = -1;
        return 0;
    }
    if (*away_since_ms < 0)
        *away_since_ms = now_ms;
    if (why.kind == ERROR_UNAVAILABLE && now_ms - *away_since_ms < PATIENCE_MS)
        return 0;
    *error = why;
    return -1;
}

/* Waits until *run has ended. Returns CTL_DONE, -1 if a request failed, or CTL_FAILED at the
 * deadline. */
static int wait_for_end(struct client *client, json_t **run, int64_t deadline_ms,
                        struct error *error)
{
    int64_t pause = FIRST_PAUSE_MS, away_since_ms = -1;
    while (!has_ended(*run)) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        if (left <= 0)
            return CTL_FAILED;
        pause_ms(pause < left ? pause : left);
        pause = 2 * pause < LAST_PAUSE_MS ? 2 * pause : LAST_PAUSE_MS;
        if (look_again(client, run, &away_since_ms, error) != 0)
            return -1;
    }
    return CTL_DONE;
}

int run_wait(struct ctl *ctl, struct error *error)
{
    const char *timeout = ctl->options->values[OPTION_TIMEOUT];
    int64_t deadline_ms = INT64_MAX, timeout_ms = 0;
    if (options_duration(ctl->options, OPTION_TIMEOUT, &timeout_ms, error) != 0)
        return CTL_MISTAKE;
    int64_t now_ms = clock_monotonic_ms();
    if (timeout && timeout_ms < INT64_MAX - now_ms)
        deadline_ms = now_ms + timeout_ms;

    client_set_deadline(ctl->client, deadline_ms);
    json_t *run = resolve_run(ctl->client, ctl->operands[0], error);
    if (!run)
        return -1;
    int result = wait_for_end(ctl->client, &run, deadline_ms, error);
    const char *status = show_text(run, "status");
    if (result == CTL_FAILED)
        ctl_complain("run wait: fleet run %s is still %s after %s; it continues",
                     show_text(run, "id"), status, timeout);
    if (result == CTL_DONE) {
        if (ctl->json)
            show_json(run);
        else
            ctl_say("%s", status);
        result = strcmp(status, "success") == 0 ? CTL_DONE : CTL_FAILED;
    }
    json_decref(run);
    return result;
}
