/* Statuses: their stored numbers, names and transitions. */
#include "model/run_status.h"
#include "model/run_trigger.h"
#include "model/vessel_status.h"

#include <string.h>

#include "support/suite.h"

TEST(stored_numbers_never_change)
{
    static const char *const RUNS[] = {"scheduled", "running", "success", "errored", "terminated"};
    static const char *const VESSELS[] = {"scheduled", "running",    "retrying",  "success",
                                          "errored",   "terminated", "incomplete"};
    static const char *const TRIGGERS[] = {"webhook", "on_demand", "api", "schedule"};
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(run_status_name((enum run_status)i), RUNS[i]);
    for (int i = 0; i < 7; i++)
        ck_assert_str_eq(vessel_status_name((enum vessel_status)i), VESSELS[i]);
    for (int i = 0; i < 4; i++)
        ck_assert_str_eq(run_trigger_name((enum run_trigger)i), TRIGGERS[i]);
}

TEST(names_are_read_back_and_other_words_are_refused)
{
    for (int i = 0; i < 5; i++) {
        enum run_status status = RUN_SCHEDULED;
        ck_assert_int_eq(run_status_parse(run_status_name((enum run_status)i), &status), 0);
        ck_assert_int_eq((int)status, i);
    }
    for (int i = 0; i < 4; i++) {
        enum run_trigger trigger = TRIGGER_WEBHOOK;
        ck_assert_int_eq(run_trigger_parse(run_trigger_name((enum run_trigger)i), &trigger), 0);
        ck_assert_int_eq((int)trigger, i);
    }
    enum run_status status = RUN_ERRORED;
    enum run_trigger trigger = TRIGGER_API;
    ck_assert_int_eq(run_status_parse("Success", &status), -1);
    ck_assert_int_eq(run_status_parse("", &status), -1);
    ck_assert_int_eq(run_trigger_parse("web", &trigger), -1);
    ck_assert_int_eq((int)status, RUN_ERRORED);
    ck_assert_int_eq((int)trigger, TRIGGER_API);
}

TEST(numbers_without_a_name_are_shown_as_unknown)
{
    ck_assert_str_eq(run_status_name((enum run_status)99), "unknown");
    ck_assert_str_eq(vessel_status_name((enum vessel_status)7), "unknown");
}

TEST(a_run_moves_only_along_its_diagram)
{
    static const char *const EDGES[] = {".r..t", "..set", ".....", ".....", "....."};
    for (int from = 0; from < 5; from++)
        for (int to = 0; to < 5; to++)
            ck_assert_msg(run_status_may_follow((enum run_status)from, (enum run_status)to) ==
                              (EDGES[from][to] != '.'),
                          "%s to %s", run_status_name((enum run_status)from),
                          run_status_name((enum run_status)to));
}

TEST(a_vessel_moves_only_along_its_diagram)
{
    /* to:                              srRSETI */
    static const char *const EDGES[] = {".r...TI", "..RSET.", ".r...T.", ".......",
                                        ".......", ".......", "......."};
    for (int from = 0; from < 7; from++)
        for (int to = 0; to < 7; to++)
            ck_assert_msg(
                vessel_status_may_follow((enum vessel_status)from, (enum vessel_status)to) ==
                    (EDGES[from][to] != '.'),
                "%s to %s", vessel_status_name((enum vessel_status)from),
                vessel_status_name((enum vessel_status)to));
}

TEST(ended_runs_and_vessels_change_no_more)
{
    for (int from = 0; from < 7; from++) {
        bool moves = false;
        for (int to = 0; to < 7; to++)
            moves |= vessel_status_may_follow((enum vessel_status)from, (enum vessel_status)to);
        ck_assert(vessel_status_has_ended((enum vessel_status)from) == !moves);
    }
    for (int from = 0; from < 5; from++) {
        bool moves = false;
        for (int to = 0; to < 5; to++)
            moves |= run_status_may_follow((enum run_status)from, (enum run_status)to);
        ck_assert(run_status_has_ended((enum run_status)from) == !moves);
    }
}
