/* The overrides of a run, as the runner applies them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/state_dir.h"
#include "model/overrides.h"
#include "support/runner_house.h"
#include "support/suite.h"

#define SET(members) "{\"vessel_overrides\":[" members "]}"
#define VESSEL(name, members)                                                                      \
    "{\"name\":\"" name "\",\"environment_variable_overrides\":{" members "}}"
#define SKIP(name, word) VESSEL(name, "\"SHIPYARD_OVERRIDE_STATUS\":\"" word "\"")

/* Accepts a run with overrides, as the admin API does. `place_of` is the request for which they are
 * sealed; NULL: the run's own. */
static struct id accept_sealed(struct house *house, const struct id *fleet_id, const char *file,
                               const char *json, const struct id *place_of)
{
    struct secret_key key;
    struct error error = ERROR_INIT;
    struct overrides overrides;
    struct fleet_problems problems = {0};
    struct buffer names = BUFFER_INIT, values = BUFFER_INIT;
    char place[STORE_OVERRIDES_PLACE_BYTES];
    struct definition *definition = house_parse(file);
    ck_assert_int_eq(overrides_json_read(json, strlen(json), definition,
                                         &(struct overrides_rules){.is_trigger = false}, &overrides,
                                         &problems),
                     0);
    overrides_form_write(&overrides, false, &names);
    overrides_form_write(&overrides, true, &values);
    secret_key_read(house->state_fd, STATE_DIR_SECRET, &key, &error);
    if (!key.present)
        secret_key_create(house->state_fd, STATE_DIR_SECRET, &key, &error);
    house_check(&error);
    struct run_input input = house_plain_input();
    store_overrides_place(place_of ? place_of : &input.request_id, place);
    size_t sealed_bytes = values.bytes + SECRET_SEAL_BYTES;
    uint8_t *sealed = memory_alloc(sealed_bytes);
    secret_seal(&key, place, values.data, values.bytes, sealed);
    const struct run_overrides stored = {names.data, names.bytes, sealed, sealed_bytes};
    input.trigger = TRIGGER_API;
    input.body_place = BODY_ABSENT;
    input.overrides = &stored;
    input.overrides_version = 1;
    struct id run = house_accept_input(house, fleet_id, &input);
    free(sealed);
    buffer_free(&names);
    buffer_free(&values);
    overrides_wipe(&overrides);
    definition_free(definition);
    return run;
}

static struct seen run_it(struct house *house, const char *file, const char *json)
{
    struct id fleet = house_apply(house, file);
    struct id run = accept_sealed(house, &fleet, file, json, NULL);
    house_start(house);
    return house_wait_until_ended(house, &run);
}

static const char FLEET[] =
    "name: greet\n"
    "vessels:\n"
    "  only:\n"
    "    source:\n"
    "      type: CODE\n"
    "      language: BASH\n"
    "      file:\n"
    "        name: a.sh\n"
    "        content: 'echo \"$STAGE|$EMPTY|$KEPT|$NEW|${SHIPYARD_WEBHOOK_BODY_FILE-none}|$*\"; "
    "test $WEBHOOKD_ATTEMPT = 2'\n"
    "      arguments: [ one ]\n"
    "      environment: { STAGE: test, EMPTY: full, KEPT: '##{kept', CREDENTIAL: '#{NO.SUCH}' }\n"
    "    guardrails: { retry_count: 1, retry_wait: 0s }\n";

TEST(variables_and_arguments_are_replaced_literally_in_each_attempt)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct seen seen =
        run_it(&house, FLEET,
               SET("{\"name\":\"only\",\"argument_overrides\":[\"a b\",\"#{NO.SUCH}\"],"
                   "\"environment_variable_overrides\":{\"STAGE\":\"#{NO.SUCH} ##{\","
                   "\"EMPTY\":\"\",\"NEW\":\"new\",\"KEPT\":null,\"CREDENTIAL\":\"\"}}"));
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    ck_assert_int_eq(seen.vessels[0].attempts, 2);
    house_expect_output(&house, &seen, 0, "#{NO.SUCH} ##{||#{kept|new|none|a b #{NO.SUCH}\n");
    house_close(&house);
}

static const char CHAIN[] =
    "name: chain\n"
    "vessels:\n"
    "  a: { source: { type: CODE, language: BASH, file: { name: a, content: 'exit 3' } } }\n"
    "  b: { source: { type: CODE, language: BASH, file: { name: b, content: 'echo b' } } }\n"
    "  c: { source: { type: CODE, language: BASH, file: { name: c, content: 'echo c' } } }\n"
    "  d: { source: { type: CODE, language: BASH, file: { name: d, content: 'echo d' } } }\n"
    "connections: { a: { b: SUCCESS }, b: { c: ERRORED, d: SUCCESS } }\n";

static void expect_skipped(const struct seen *seen, int vessel, enum vessel_status status)
{
    ck_assert_int_eq(seen->vessels[vessel].status, status);
    ck_assert_int_eq(seen->vessels[vessel].attempts, 0);
    ck_assert(seen->vessels[vessel].has_exit_code);
    ck_assert_int_eq(seen->vessels[vessel].exit_code, status == VESSEL_SUCCESS ? 0 : 1);
    ck_assert_str_eq(seen->vessels[vessel].reason, OVERRIDES_SKIPPED_REASON);
}

TEST(a_run_starts_in_the_middle_if_its_first_vessels_are_skipped)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct seen seen = run_it(&house, CHAIN, SET(SKIP("a", "SUCCESS") "," SKIP("b", "ERROR")));
    expect_skipped(&seen, 0, VESSEL_SUCCESS);
    expect_skipped(&seen, 1, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[2].status, VESSEL_SUCCESS);
    house_expect_output(&house, &seen, 2, "c\n");
    ck_assert_int_eq(seen.vessels[3].status, VESSEL_INCOMPLETE);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    house_close(&house);
}

TEST(a_vessel_in_the_middle_is_skipped_only_when_it_is_its_turn)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct seen seen = run_it(&house, CHAIN, SET(SKIP("b", "SUCCESSFUL")));
    ck_assert_int_eq(seen.vessels[0].exit_code, 3);
    ck_assert_int_eq(seen.vessels[1].status, VESSEL_INCOMPLETE);
    ck_assert_int_eq(seen.status, RUN_ERRORED);
    house_close(&house);
}

TEST(a_run_whose_vessels_are_all_skipped_ends_without_a_process)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct seen seen = run_it(
        &house, CHAIN, SET(SKIP("a", "SUCCESS") "," SKIP("b", "SUCCESS") "," SKIP("d", "SUCCESS")));
    expect_skipped(&seen, 3, VESSEL_SUCCESS);
    ck_assert_int_eq(seen.vessels[2].status, VESSEL_INCOMPLETE);
    ck_assert_int_eq(seen.status, RUN_SUCCESS);
    house_close(&house);
}

static void expect_refused(struct house *house, const struct id *run, const char *reason)
{
    house_start(house);
    struct seen seen = house_wait_until_ended(house, run);
    ck_assert_int_eq(seen.vessels[0].status, VESSEL_ERRORED);
    ck_assert_int_eq(seen.vessels[0].attempts, 1);
    ck_assert(!seen.vessels[0].has_exit_code);
    ck_assert_msg(strstr(seen.vessels[0].reason, reason), "%s", seen.vessels[0].reason);
}

#define STAGE SET(VESSEL("only", "\"STAGE\":\"prod\",\"CREDENTIAL\":\"\""))

TEST(without_the_key_the_vessel_errs_and_is_not_retried)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply(&house, FLEET);
    struct id run = accept_sealed(&house, &fleet, FLEET, STAGE, NULL);
    ck_assert_int_eq(unlinkat(house.state_fd, STATE_DIR_SECRET, 0), 0);
    expect_refused(&house, &run, "overrides cannot be opened: secret.key is missing");
    house_close(&house);
}

TEST(with_another_key_the_vessel_errs_and_is_not_retried)
{
    struct house house;
    struct secret_key key;
    struct error error = ERROR_INIT;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply(&house, FLEET);
    struct id run = accept_sealed(&house, &fleet, FLEET, STAGE, NULL);
    ck_assert_int_eq(unlinkat(house.state_fd, STATE_DIR_SECRET, 0), 0);
    secret_key_create(house.state_fd, STATE_DIR_SECRET, &key, &error);
    house_check(&error);
    expect_refused(&house, &run, "not the key that sealed them");
    house_close(&house);
}

TEST(overrides_that_were_moved_from_another_run_do_not_open)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply(&house, FLEET), other = id_ordered();
    struct id run = accept_sealed(&house, &fleet, FLEET, STAGE, &other);
    expect_refused(&house, &run, "they are damaged");
    house_close(&house);
}

TEST(a_vessel_without_values_needs_no_key)
{
    struct house house;
    house_open(&house, "user = \"nobody\"");
    struct id fleet = house_apply(&house, CHAIN);
    struct id run = accept_sealed(&house, &fleet, CHAIN,
                                  SET(SKIP("a", "SUCCESS") "," VESSEL("c", "\"X\":\"x\"")), NULL);
    ck_assert_int_eq(unlinkat(house.state_fd, STATE_DIR_SECRET, 0), 0);
    house_start(&house);
    struct seen seen = house_wait_until_ended(&house, &run);
    house_expect_output(&house, &seen, 1, "b\n");
    house_expect_output(&house, &seen, 3, "d\n");
    house_close(&house);
}
