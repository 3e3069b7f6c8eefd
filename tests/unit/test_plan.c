/* Which vessels start next, and how a run ends. */
#include "model/plan.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

static struct definition graph(size_t vessels, struct definition_path *paths, size_t count)
{
    return (struct definition){.vessel_count = vessels, .paths = paths, .path_count = count};
}

/* Statuses and verdicts are given as one letter each: s r R S E T I, and w(ait) s(tart)
 * i(ncomplete). */
static void expect(const struct definition *definition, const char *before, const char *verdicts)
{
    static const char STATUS_LETTERS[] = "srRSETI";
    static const char VERDICT_LETTERS[] = {
        [PLAN_WAIT] = 'w', [PLAN_START] = 's', [PLAN_INCOMPLETE] = 'i'};
    enum vessel_status statuses[8];
    enum plan_verdict found[8];
    char text[9] = "";
    for (size_t i = 0; i < definition->vessel_count; i++)
        statuses[i] = (enum vessel_status)(strchr(STATUS_LETTERS, before[i]) - STATUS_LETTERS);
    plan_next(definition, statuses, found);
    for (size_t i = 0; i < definition->vessel_count; i++)
        text[i] = VERDICT_LETTERS[found[i]];
    ck_assert_msg(strcmp(text, verdicts) == 0, "%s gives %s, not %s", before, text, verdicts);
}

TEST(vessels_without_a_path_before_them_start_first)
{
    struct definition_path paths[] = {{0, 2, PATH_SUCCESS}, {1, 2, PATH_SUCCESS}};
    struct definition fleet = graph(3, paths, 2);
    expect(&fleet, "sss", "ssw");
    expect(&fleet, "rss", "wsw");
}

TEST(a_vessel_waits_for_all_predecessors_even_if_one_has_failed)
{
    struct definition_path paths[] = {{0, 2, PATH_SUCCESS}, {1, 2, PATH_SUCCESS}};
    struct definition fleet = graph(3, paths, 2);
    expect(&fleet, "SSs", "wws");
    expect(&fleet, "Srs", "www");
    expect(&fleet, "ERs", "www");
    expect(&fleet, "ESs", "wwi");
    expect(&fleet, "SEs", "wwi");
    expect(&fleet, "TSs", "wwi");
}

TEST(incompleteness_spreads_one_path_at_a_time)
{
    struct definition_path paths[] = {{0, 1, PATH_SUCCESS}, {1, 2, PATH_SUCCESS}};
    struct definition fleet = graph(3, paths, 2);
    expect(&fleet, "Ess", "wiw");
    expect(&fleet, "EIs", "wwi");
    expect(&fleet, "EII", "www");
}

/* SUCCESS means exit code 0, ERRORED 1 to 255, COMPLETED either; terminated and incomplete vessels
 * meet no condition. */
TEST(every_condition_is_tested_against_every_status)
{
    static const struct {
        enum path_condition condition;
        /* The ends after which the vessel after the path starts; after others it is incomplete. */
        const char *starts;
    } cases[] = {{PATH_SUCCESS, "S"}, {PATH_ERRORED, "E"}, {PATH_COMPLETED, "SE"}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct definition_path paths[] = {{0, 1, cases[i].condition}};
        struct definition fleet = graph(2, paths, 1);
        for (const char *status = "srRSETI"; *status; status++) {
            char before[] = {*status, 's', '\0'};
            const char *verdicts = *status == 's'                     ? "sw"
                                   : strchr("rR", *status)            ? "ww"
                                   : strchr(cases[i].starts, *status) ? "ws"
                                                                      : "wi";
            expect(&fleet, before, verdicts);
        }
    }
}

TEST(paths_of_all_kinds_into_one_vessel_must_all_hold)
{
    struct definition_path paths[] = {
        {0, 3, PATH_SUCCESS}, {1, 3, PATH_ERRORED}, {2, 3, PATH_COMPLETED}};
    struct definition fleet = graph(4, paths, 3);
    expect(&fleet, "SEEs", "wwws");
    expect(&fleet, "SESs", "wwws");
    expect(&fleet, "SSSs", "wwwi");
    expect(&fleet, "EEEs", "wwwi");
    expect(&fleet, "SErs", "wwww");
    expect(&fleet, "SSrs", "wwww"); /* it waits for all even if one condition already fails */
}

TEST(only_scheduled_vessels_get_a_verdict_other_than_wait)
{
    struct definition_path paths[] = {{0, 1, PATH_SUCCESS}};
    struct definition fleet = graph(2, paths, 1);
    static const char *const STATES[] = {"rs", "Rs"};
    for (size_t i = 0; i < ARRAY_COUNT(STATES); i++)
        expect(&fleet, STATES[i], "ww");
    expect(&fleet, "SS", "ww");
    expect(&fleet, "ST", "ww");
}

TEST(a_diamond_starts_its_end_once_both_sides_succeeded)
{
    struct definition_path paths[] = {
        {0, 1, PATH_SUCCESS}, {0, 2, PATH_SUCCESS}, {1, 3, PATH_SUCCESS}, {2, 3, PATH_SUCCESS}};
    struct definition fleet = graph(4, paths, 4);
    expect(&fleet, "ssss", "swww");
    expect(&fleet, "Ssss", "wssw");
    expect(&fleet, "SSrs", "wwww");
    expect(&fleet, "SSSs", "wwws");
}

TEST(a_run_is_running_until_all_have_ended)
{
    const enum vessel_status some[] = {VESSEL_ERRORED, VESSEL_TERMINATED, VESSEL_SCHEDULED};
    ck_assert_int_eq((int)plan_run_status(some, 3), RUN_RUNNING);
    const enum vessel_status retrying[] = {VESSEL_SUCCESS, VESSEL_RETRYING};
    ck_assert_int_eq((int)plan_run_status(retrying, 2), RUN_RUNNING);
}

TEST(terminated_outranks_errored_and_errored_outranks_success)
{
    const enum vessel_status all[] = {VESSEL_TERMINATED, VESSEL_ERRORED, VESSEL_SUCCESS,
                                      VESSEL_INCOMPLETE};
    const enum vessel_status turned[] = {VESSEL_ERRORED, VESSEL_TERMINATED};
    ck_assert_int_eq((int)plan_run_status(all, 4), RUN_TERMINATED);
    ck_assert_int_eq((int)plan_run_status(turned, 2), RUN_TERMINATED);
    ck_assert_int_eq((int)plan_run_status(all + 1, 3), RUN_ERRORED);
    ck_assert_int_eq((int)plan_run_status(all + 2, 2), RUN_SUCCESS);
}

/* ---- comparison with an oracle that sees the whole graph ---- */

enum { MOST = 12 };

struct world {
    size_t count;
    bool has[MOST][MOST];
    enum path_condition conditions[MOST][MOST];
    enum vessel_status would_end[MOST]; /* how each vessel ends if it starts */
    enum vessel_status known[MOST];     /* how it ended, if it has */
    bool has_ended[MOST];
};

static bool oracle_holds(enum path_condition condition, enum vessel_status status)
{
    if (condition == PATH_SUCCESS)
        return status == VESSEL_SUCCESS;
    if (condition == PATH_ERRORED)
        return status == VESSEL_ERRORED;
    return status == VESSEL_SUCCESS || status == VESSEL_ERRORED;
}

/* Returns how a vessel finally ends: by recursion from it to its predecessors, without a notion of
 * time. */
static enum vessel_status oracle_end(const struct world *world, size_t vessel)
{
    for (size_t from = 0; from < world->count; from++)
        if (world->has[from][vessel] &&
            !oracle_holds(world->conditions[from][vessel], oracle_end(world, from)))
            return VESSEL_INCOMPLETE;
    return world->would_end[vessel];
}

static enum plan_verdict oracle_verdict(const struct world *world, size_t vessel)
{
    bool all_hold = true;
    for (size_t from = 0; from < world->count; from++) {
        if (!world->has[from][vessel])
            continue;
        if (!world->has_ended[from])
            return PLAN_WAIT;
        all_hold &= oracle_holds(world->conditions[from][vessel], world->known[from]);
    }
    return all_hold ? PLAN_START : PLAN_INCOMPLETE;
}

static unsigned roll(unsigned *seed, unsigned sides)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % sides;
}

static void make_world(struct world *world, unsigned *seed)
{
    static const enum vessel_status ends[] = {VESSEL_SUCCESS, VESSEL_SUCCESS, VESSEL_ERRORED,
                                              VESSEL_TERMINATED};
    memset(world, 0, sizeof(*world));
    world->count = 1 + roll(seed, MOST);
    size_t order[MOST]; /* paths lead from earlier to later vessels in it, so there is no cycle */
    for (size_t i = 0; i < world->count; i++) {
        size_t at = roll(seed, (unsigned)i + 1);
        order[i] = order[at];
        order[at] = i;
        world->would_end[i] = ends[roll(seed, ARRAY_COUNT(ends))];
    }
    for (size_t i = 0; i < world->count; i++)
        for (size_t k = i + 1; k < world->count; k++)
            if (roll(seed, 3) == 0) {
                world->has[order[i]][order[k]] = true;
                world->conditions[order[i]][order[k]] = (enum path_condition)roll(seed, 3);
            }
}

/* Executes the run in a random order, calls plan_next at each point, and compares each of its
 * verdicts. */
static void play(struct world *world, unsigned *seed)
{
    struct definition_path paths[MOST * MOST];
    struct definition fleet = graph(world->count, paths, 0);
    for (size_t from = 0; from < world->count; from++)
        for (size_t to = 0; to < world->count; to++)
            if (world->has[from][to])
                paths[fleet.path_count++] =
                    (struct definition_path){from, to, world->conditions[from][to]};
    enum vessel_status statuses[MOST];
    enum plan_verdict verdicts[MOST];
    for (size_t i = 0; i < world->count; i++)
        statuses[i] = VESSEL_SCHEDULED;
    for (size_t ended = 0; ended < world->count;) {
        plan_next(&fleet, statuses, verdicts);
        for (size_t i = 0; i < world->count; i++)
            if (statuses[i] == VESSEL_SCHEDULED)
                ck_assert_int_eq((int)verdicts[i], (int)oracle_verdict(world, i));
            else
                ck_assert_int_eq((int)verdicts[i], (int)PLAN_WAIT);
        size_t i = roll(seed, (unsigned)world->count);
        if (statuses[i] == VESSEL_RUNNING)
            world->known[i] = world->would_end[i];
        else if (verdicts[i] == PLAN_INCOMPLETE)
            world->known[i] = VESSEL_INCOMPLETE;
        else {
            if (verdicts[i] == PLAN_START)
                statuses[i] = VESSEL_RUNNING;
            continue;
        }
        statuses[i] = world->known[i];
        world->has_ended[i] = true;
        ended++;
    }
    for (size_t i = 0; i < world->count; i++)
        ck_assert_int_eq((int)statuses[i], (int)oracle_end(world, i));
}

TEST(thousands_of_random_graphs_end_as_an_oracle_predicts)
{
    unsigned seed = 20261127;
    for (int i = 0; i < 5000; i++) {
        struct world world;
        make_world(&world, &seed);
        play(&world, &seed);
    }
}

TEST(retries_are_counted_and_excluded_codes_are_not_retried)
{
    struct exit_code_range excluded[] = {{2, 2}, {10, 20}};
    struct definition_vessel vessel = {
        .guardrails = {.retry_count = 2, .excluded = excluded, .excluded_count = 2}};
    static const struct {
        int exit_code, retries;
        bool again;
    } cases[] = {{1, 0, true},   {1, 1, true},  {1, 2, false},  {2, 0, false},
                 {3, 0, true},   {9, 0, true},  {10, 0, false}, {15, 1, false},
                 {20, 0, false}, {21, 1, true}, {127, 0, true}, {255, 1, true}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        ck_assert_msg(plan_retries(&vessel, cases[i].exit_code, cases[i].retries) == cases[i].again,
                      "exit code %d after %d retries", cases[i].exit_code, cases[i].retries);
    vessel.guardrails.retry_count = 0;
    ck_assert(!plan_retries(&vessel, 1, 0));
}
