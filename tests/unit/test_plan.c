/* What starts next, and how a run ended. */
#include "model/plan.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

static struct definition graph(size_t vessels, struct definition_path *paths, size_t count)
{
    return (struct definition){.vessel_count = vessels, .paths = paths, .path_count = count};
}

/* One letter for each status and step: s r R S E T I, and w(ait) s(tart) i(ncomplete) u(nsupported). */
static void expect(const struct definition *definition, const char *before, const char *steps)
{
    static const char STATUS_LETTERS[] = "srRSETI";
    static const char STEP_LETTERS[] = {
        [PLAN_WAIT] = 'w', [PLAN_START] = 's', [PLAN_INCOMPLETE] = 'i', [PLAN_UNSUPPORTED] = 'u'};
    enum vessel_status statuses[8];
    enum plan_step found[8];
    char text[9] = "";
    for (size_t i = 0; i < definition->vessel_count; i++)
        statuses[i] = (enum vessel_status)(strchr(STATUS_LETTERS, before[i]) - STATUS_LETTERS);
    plan_next(definition, statuses, found);
    for (size_t i = 0; i < definition->vessel_count; i++)
        text[i] = STEP_LETTERS[found[i]];
    ck_assert_msg(strcmp(text, steps) == 0, "%s gives %s, not %s", before, text, steps);
}

START_TEST(vessels_without_a_path_before_them_start_first)
{
    struct definition_path paths[] = {{0, 2, PATH_SUCCESS}, {1, 2, PATH_SUCCESS}};
    struct definition fleet = graph(3, paths, 2);
    expect(&fleet, "sss", "ssw");
    expect(&fleet, "rss", "wsw");
}
END_TEST

START_TEST(a_vessel_waits_for_all_before_it_even_if_one_has_failed)
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
END_TEST

START_TEST(incompleteness_spreads_one_path_at_a_time)
{
    struct definition_path paths[] = {{0, 1, PATH_SUCCESS}, {1, 2, PATH_SUCCESS}};
    struct definition fleet = graph(3, paths, 2);
    expect(&fleet, "Ess", "wiw");
    expect(&fleet, "EIs", "wwi");
    expect(&fleet, "EII", "www");
}
END_TEST

START_TEST(paths_that_are_not_acted_on_are_named_once_the_vessel_before_has_ended)
{
    struct definition_path paths[] = {
        {0, 1, PATH_ERRORED}, {0, 2, PATH_COMPLETED}, {0, 3, PATH_SUCCESS}, {3, 2, PATH_SUCCESS}};
    struct definition fleet = graph(4, paths, 4);
    expect(&fleet, "rsss", "wwww");
    expect(&fleet, "Ssss", "wuws");
    expect(&fleet, "Esss", "wuwi");
    expect(&fleet, "EIsI", "wwuw");
}
END_TEST

START_TEST(only_scheduled_vessels_get_a_step)
{
    struct definition_path paths[] = {{0, 1, PATH_SUCCESS}};
    struct definition fleet = graph(2, paths, 1);
    static const char *const STATES[] = {"rs", "Rs"};
    for (size_t i = 0; i < ARRAY_COUNT(STATES); i++)
        expect(&fleet, STATES[i], "ww");
    expect(&fleet, "SS", "ww");
    expect(&fleet, "ST", "ww");
}
END_TEST

START_TEST(a_diamond_starts_its_end_once_both_sides_succeeded)
{
    struct definition_path paths[] = {
        {0, 1, PATH_SUCCESS}, {0, 2, PATH_SUCCESS}, {1, 3, PATH_SUCCESS}, {2, 3, PATH_SUCCESS}};
    struct definition fleet = graph(4, paths, 4);
    expect(&fleet, "ssss", "swww");
    expect(&fleet, "Ssss", "wssw");
    expect(&fleet, "SSrs", "wwww");
    expect(&fleet, "SSSs", "wwws");
}
END_TEST

START_TEST(a_run_is_running_until_all_have_ended)
{
    const enum vessel_status some[] = {VESSEL_ERRORED, VESSEL_TERMINATED, VESSEL_SCHEDULED};
    ck_assert_int_eq((int)plan_run_status(some, 3), RUN_RUNNING);
    const enum vessel_status retrying[] = {VESSEL_SUCCESS, VESSEL_RETRYING};
    ck_assert_int_eq((int)plan_run_status(retrying, 2), RUN_RUNNING);
}
END_TEST

START_TEST(terminated_outranks_errored_and_errored_outranks_success)
{
    const enum vessel_status all[] = {VESSEL_TERMINATED, VESSEL_ERRORED, VESSEL_SUCCESS,
                                      VESSEL_INCOMPLETE};
    const enum vessel_status turned[] = {VESSEL_ERRORED, VESSEL_TERMINATED};
    ck_assert_int_eq((int)plan_run_status(all, 4), RUN_TERMINATED);
    ck_assert_int_eq((int)plan_run_status(turned, 2), RUN_TERMINATED);
    ck_assert_int_eq((int)plan_run_status(all + 1, 3), RUN_ERRORED);
    ck_assert_int_eq((int)plan_run_status(all + 2, 2), RUN_SUCCESS);
}
END_TEST

TEST_MAIN("plan", TEST(vessels_without_a_path_before_them_start_first),
          TEST(a_vessel_waits_for_all_before_it_even_if_one_has_failed),
          TEST(incompleteness_spreads_one_path_at_a_time),
          TEST(paths_that_are_not_acted_on_are_named_once_the_vessel_before_has_ended),
          TEST(only_scheduled_vessels_get_a_step),
          TEST(a_diamond_starts_its_end_once_both_sides_succeeded),
          TEST(a_run_is_running_until_all_have_ended),
          TEST(terminated_outranks_errored_and_errored_outranks_success))
