/* run log --follow: prints output as it arrives: of one vessel until it has ended (with an attempt,
 * until that has ended), or of one vessel after another until all have ended. Called by
 * run_output.c; the program has one thread.
 *
 * The output of an attempt arrives as server-sent events. Vessels survive a restart of webhookd, so
 * following does too: it continues after the last byte that it has written. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/output_events.h"
#include "webhookctl/show.h"

#define PAUSE_MS    200
#define PATIENCE_MS 30000 /* for a webhookd that cannot be reached */

struct follower {
    struct ctl *ctl;
    json_t *run;           /* as of the last request; owned */
    int64_t away_since_ms; /* -1: webhookd answered the last request */
    bool headings;
    size_t followed;             /* attempts so far */
    struct output_events events; /* the stream of one attempt */
};

bool run_follow_is_vessel(const json_t *vessel, const char *text)
{
    static const char *const keys[] = {"name", "id", "vessel_id"};
    for (size_t k = 0; k < ARRAY_COUNT(keys); k++) {
        const char *value = show_text(vessel, keys[k]);
        if (value && strcmp(value, text) == 0)
            return true;
    }
    return false;
}

static int take_events(void *context, const char *data, size_t bytes)
{
    struct follower *follower = context;
    follower->away_since_ms = -1;
    return output_events_take(&follower->events, data, bytes);
}

/* ---- requests ---- */

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    nanosleep(&pause, NULL);
}

/* Pauses and returns 0 if the request may be repeated. Returns -1 and *error if webhookd has been
 * unreachable for too long, or for any other error. */
static int be_patient(struct follower *follower, const struct error *why, struct error *error)
{
    int64_t now_ms = clock_monotonic_ms();
    if (follower->away_since_ms < 0)
        follower->away_since_ms = now_ms;
    if (why->kind == ERROR_UNAVAILABLE && now_ms - follower->away_since_ms < PATIENCE_MS) {
        pause_a_little();
        return 0;
    }
    *error = *why;
    return -1;
}

static int look_at_run(struct follower *follower, struct error *error)
{
    for (;;) {
        struct error why = ERROR_INIT;
        json_t *fresh = client_get(follower->ctl->client, &why, "/fleetruns/%s",
                                   show_text(follower->run, "id"));
        if (fresh) {
            json_decref(follower->run);
            follower->run = fresh;
            follower->away_since_ms = -1;
            return 0;
        }
        if (be_patient(follower, &why, error) != 0)
            return -1;
    }
}

/* Attempt 0: the vessel run has none, but has output, because an override skipped it. */
static int follow_attempt(struct follower *follower, const char *vessel_run_id, int64_t attempt,
                          struct error *error)
{
    char number[40] = "";
    if (attempt > 0)
        snprintf(number, sizeof(number), "&attempt=%" PRId64, attempt);
    char *path = memory_format("/fleetruns/%s/vessels/%s/log?follow=1%s",
                               show_text(follower->run, "id"), vessel_run_id, number);
    int result = 0;
    output_events_begin(&follower->events);
    while (result == 0 && !follower->events.has_ended) {
        struct error why = ERROR_INIT;
        char *header = memory_format("Last-Event-ID: %" PRId64, follower->events.offset);
        struct client_stream stream = {.take = take_events, .context = follower, .header = header};
        buffer_reset(&follower->events.line);
        bool was_cut = client_stream(follower->ctl->client, "GET", path, &stream, &why) != 0;
        if (was_cut && !follower->events.has_ended)
            result = be_patient(follower, &why, error);
        else if (!follower->events
                      .has_ended) /* webhookd stops, or a proxy ends what lasts too long */
            pause_a_little();
        free(header);
    }
    free(path);
    return result;
}

/* ---- one vessel after another ---- */

static bool is_one_of(const char *status, const char *const *list)
{
    for (; *list; list++)
        if (status && strcmp(status, *list) == 0)
            return true;
    return false;
}

static bool vessel_goes_on(const json_t *vessel)
{
    static const char *const statuses[] = {"scheduled", "running", "retrying", NULL};
    return is_one_of(show_text(vessel, "status"), statuses);
}

static bool run_goes_on(const json_t *run)
{
    static const char *const statuses[] = {"scheduled", "running", NULL};
    return is_one_of(show_text(run, "status"), statuses);
}

/* Puts an empty line before the heading, whether or not the last output ended with a newline. */
static void write_heading(struct follower *follower, const json_t *vessel, int64_t attempt)
{
    if (!follower->headings)
        return;
    if (follower->followed > 0)
        fputs(follower->events.last != '\n' && follower->events.last != '\0' ? "\n\n" : "\n",
              stdout);
    follower->events.last = '\0';
    if (attempt == 1)
        ctl_say("==> %s <==", show_text(vessel, "name"));
    else
        ctl_say("==> %s, attempt %" PRId64 " <==", show_text(vessel, "name"), attempt);
    fflush(stdout);
}

static bool is_skipped(const json_t *vessel)
{
    return show_integer(vessel, "attempts") == 0 && show_integer(vessel, "output_bytes") > 0;
}

static int follow_skipped(struct follower *follower, const json_t *vessel, struct error *error)
{
    write_heading(follower, vessel, 1);
    follower->followed++;
    return follow_attempt(follower, show_text(vessel, "id"), 0, error);
}

static int follow_vessel(struct follower *follower, size_t index, int64_t only_attempt,
                         struct error *error)
{
    int64_t attempt = only_attempt > 0 ? only_attempt : 1;
    for (;;) {
        const json_t *vessel = json_array_get(json_object_get(follower->run, "vessels"), index);
        if (show_integer(vessel, "attempts") >= attempt) {
            char *id = memory_string(show_text(vessel, "id"));
            write_heading(follower, vessel, attempt);
            follower->followed++;
            int result = follow_attempt(follower, id, attempt, error);
            free(id);
            if (result != 0 || only_attempt > 0)
                return result;
            attempt++;
        } else if (!vessel_goes_on(vessel)) {
            return is_skipped(vessel) && only_attempt == 0 ? follow_skipped(follower, vessel, error)
                                                           : 0;
        } else {
            pause_a_little();
        }
        if (look_at_run(follower, error) != 0)
            return -1;
    }
}

/* A run has no vessels before it starts. */
static int await_vessels(struct follower *follower, struct error *error)
{
    while (json_array_size(json_object_get(follower->run, "vessels")) == 0 &&
           run_goes_on(follower->run)) {
        pause_a_little();
        if (look_at_run(follower, error) != 0)
            return -1;
    }
    return 0;
}

int run_follow(struct ctl *ctl, json_t *run, const char *vessel, int64_t attempt,
               struct error *error)
{
    struct follower follower = {.ctl = ctl, .run = json_incref(run), .away_since_ms = -1};
    int result = await_vessels(&follower, error);
    size_t count = json_array_size(json_object_get(follower.run, "vessels")), found = 0;
    follower.headings = count > 1 && !vessel;
    for (size_t i = 0; i < count && result == 0; i++) {
        const json_t *one = json_array_get(json_object_get(follower.run, "vessels"), i);
        if (vessel && !run_follow_is_vessel(one, vessel))
            continue;
        found++;
        result = follow_vessel(&follower, i, attempt, error);
    }
    if (result == 0 && vessel && found == 0)
        result = error_set(error, ERROR_NOT_FOUND,
                           "this fleet run has no vessel \"%.200s\" (run show lists its vessels)",
                           vessel);
    else if (result == 0 && follower.followed == 0 && attempt > 0)
        result = error_set(error, ERROR_NOT_FOUND, "there is no attempt %" PRId64 " of %s", attempt,
                           vessel ? vessel : "any vessel of this fleet run");
    else if (result == 0 && follower.followed == 0)
        ctl_complain("run log: no vessel of this fleet run has started (run show has details)");
    output_events_free(&follower.events);
    json_decref(follower.run);
    return result == 0 ? CTL_DONE : -1;
}
