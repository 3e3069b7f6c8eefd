/* The roles of API keys, and when a key is valid. */
#include "model/api_key.h"

#include "support/suite.h"

#define DAY_MS  INT64_C(86400000)
#define CREATED (1000 * DAY_MS)
#define EXPIRES (1090 * DAY_MS)

TEST(each_role_has_a_name_that_is_read_back)
{
    for (enum api_key_role role = ROLE_OWNER; role <= ROLE_TRIGGER; role++) {
        enum api_key_role parsed = ROLE_NONE;
        ck_assert_int_eq(api_key_role_parse(api_key_role_name(role), &parsed), 0);
        ck_assert_int_eq(parsed, role);
    }
    ck_assert_str_eq(api_key_role_name(ROLE_OWNER), "owner");
    ck_assert_str_eq(api_key_role_name(ROLE_TRIGGER), "trigger");
}

TEST(no_other_name_and_no_other_number_is_a_role)
{
    static const char *const bad[] = {"", "none", "unknown", "Owner", "owner ", "viewer"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum api_key_role role = ROLE_NONE;
        ck_assert_int_eq(api_key_role_parse(bad[i], &role), -1);
        ck_assert_int_eq(role, ROLE_NONE);
    }
    ck_assert_str_eq(api_key_role_name(ROLE_NONE), "unknown");
    ck_assert_str_eq(api_key_role_name((enum api_key_role)77), "unknown");
}

TEST(key_is_valid_until_the_millisecond_at_which_it_expires)
{
    const struct api_key_life life = {CREATED, EXPIRES};
    ck_assert_int_eq(api_key_age_at(&life, CREATED), API_KEY_VALID);
    ck_assert_int_eq(api_key_age_at(&life, EXPIRES - 1), API_KEY_VALID);
    ck_assert_int_eq(api_key_age_at(&life, EXPIRES), API_KEY_EXPIRED);
    ck_assert_int_eq(api_key_age_at(&life, EXPIRES + 1000 * DAY_MS), API_KEY_EXPIRED);
}

/* A clock that steps back does not give a key that expires an endless life. */
TEST(key_that_expires_is_refused_while_the_clock_is_far_before_its_creation)
{
    const struct api_key_life life = {CREATED, EXPIRES};
    ck_assert_int_eq(api_key_age_at(&life, CREATED - API_KEY_CLOCK_SLACK_MS), API_KEY_VALID);
    ck_assert_int_eq(api_key_age_at(&life, CREATED - API_KEY_CLOCK_SLACK_MS - 1),
                     API_KEY_UNCERTAIN);
    ck_assert_int_eq(api_key_age_at(&life, 0), API_KEY_UNCERTAIN);
}

TEST(key_without_an_expiry_is_valid_at_any_time)
{
    const struct api_key_life life = {CREATED, 0};
    ck_assert_int_eq(api_key_age_at(&life, 0), API_KEY_VALID);
    ck_assert_int_eq(api_key_age_at(&life, CREATED * 1000), API_KEY_VALID);
}
