/* Fleets' lines and their turn: see lines.h. Called by runner/runner and, for ready vessels and the ends of runs, by runner/run. */
#include "runner/lines.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "runner/core.h"

static struct line **bucket_of(struct lines *lines, int64_t fleet_no)
{
    return &lines->buckets[(uint64_t)fleet_no % LINES_BUCKETS];
}

struct line *lines_get(struct lines *lines, int64_t fleet_no)
{
    struct line **bucket = bucket_of(lines, fleet_no);
    struct line *line = *bucket;
    while (line != NULL && line->fleet_no != fleet_no)
        line = line->next_in_bucket;
    if (line != NULL)
        return line;
    line = memory_alloc(sizeof(*line));
    line->fleet_no = fleet_no;
    line->next_in_bucket = *bucket;
    *bucket = line;
    return line;
}

void lines_fini(struct lines *lines)
{
    for (size_t i = 0; i < LINES_BUCKETS; i++) {
        for (struct line *line = lines->buckets[i], *next; line != NULL; line = next) {
            next = line->next_in_bucket;
            free(line);
        }
        lines->buckets[i] = NULL;
    }
}

static bool has_work(const struct line *line)
{
    return line->ready.first != NULL ||
           (!line->is_held && (line->count > 0 || line->skipped_from > 0));
}

static void free_if_empty(struct lines *lines, struct line *line)
{
    if (line->is_in_turn || line->active_runs > 0 || line->ready.first != NULL || line->count > 0 ||
        line->skipped_from > 0)
        return;
    struct line **at = bucket_of(lines, line->fleet_no);
    while (*at != line)
        at = &(*at)->next_in_bucket;
    *at = line->next_in_bucket;
    free(line);
}

/* ---- the turn ---- */

static void append(struct lines *lines, struct line *line)
{
    line->next = NULL;
    line->previous = lines->last;
    if (lines->last != NULL)
        lines->last->next = line;
    else
        lines->first = line;
    lines->last = line;
    line->is_in_turn = true;
}

static void take_out(struct lines *lines, struct line *line)
{
    if (line->previous != NULL)
        line->previous->next = line->next;
    else
        lines->first = line->next;
    if (line->next != NULL)
        line->next->previous = line->previous;
    else
        lines->last = line->previous;
    line->next = line->previous = NULL;
    line->is_in_turn = false;
}

void line_enter(struct lines *lines, struct line *line)
{
    if (!line->is_in_turn && has_work(line))
        append(lines, line);
}

void line_to_end(struct lines *lines, struct line *line)
{
    take_out(lines, line);
    append(lines, line);
}

void line_leave(struct lines *lines, struct line *line)
{
    take_out(lines, line);
    free_if_empty(lines, line);
}

/* ---- runs that wait ---- */

void line_add_waiting(struct line *line, int64_t number)
{
    if (line->skipped_from > 0)
        return; /* it is behind those */
    if (line->count == LINE_WAITING) {
        line->skipped_from = number;
        return;
    }
    line->waiting[(line->first + line->count) % LINE_WAITING] = number;
    line->count++;
}

int64_t line_first_waiting(const struct line *line)
{
    return line->count > 0 ? line->waiting[line->first] : 0;
}

void line_drop_waiting(struct line *line)
{
    assert(line->count > 0);
    line->first = (line->first + 1) % LINE_WAITING;
    line->count--;
    line->failures = 0;
}

void line_run_begins(struct line *line)
{
    line->active_runs++;
}

void line_run_over(struct lines *lines, struct line *line)
{
    assert(line->active_runs > 0);
    line->active_runs--;
    line->is_held = false;
    line_enter(lines, line);
    free_if_empty(lines, line);
}

void lines_release(struct lines *lines)
{
    for (size_t i = 0; i < LINES_BUCKETS; i++)
        for (struct line *line = lines->buckets[i]; line != NULL; line = line->next_in_bucket)
            if (line->failures > 0) {
                line->is_held = false;
                line_enter(lines, line);
            }
}

/* ---- vessels that are ready ---- */

void line_add_ready(struct lines *lines, struct line *line, struct run_vessel *vessel)
{
    assert(!vessel->is_ready);
    vessel->is_ready = true;
    vessel->next = NULL;
    vessel->previous = line->ready.last;
    if (vessel->previous != NULL)
        vessel->previous->next = vessel;
    else
        line->ready.first = vessel;
    line->ready.last = vessel;
    line_enter(lines, line);
}

void line_remove_ready(struct line *line, struct run_vessel *vessel)
{
    if (!vessel->is_ready)
        return;
    if (vessel->previous != NULL)
        vessel->previous->next = vessel->next;
    else
        line->ready.first = vessel->next;
    if (vessel->next != NULL)
        vessel->next->previous = vessel->previous;
    else
        line->ready.last = vessel->previous;
    vessel->next = vessel->previous = NULL;
    vessel->is_ready = false;
}
