/* webhookd's own secrets in a request: what may be stored of a header. */
#include "model/own_secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "support/suite.h"

static void check_rest(const char *value, const char *expected)
{
    ck_assert(own_secrets_in_header("Cookie", value));
    char *rest = own_secrets_rest("Cookie", value);
    if (expected)
        ck_assert_str_eq(rest, expected);
    else
        ck_assert_ptr_null(rest);
    free(rest);
}

TEST(the_other_cookies_stay)
{
    check_rest("webhookd_session=x", NULL);
    check_rest("a=1; webhookd_session=x; b=2", "a=1; b=2");
    check_rest("webhookd_session; ;; webhookd_session=", NULL);
    check_rest("b=\"2;webhookd_session=x", "b=\"2");
}

#define KEY "wha_0000000000000000000000000000004B6Bmb"

/* A stranger chooses the parameter's name. */
TEST(a_parameter_whose_name_is_not_UTF8_is_noted)
{
    char query[] = "b\xfc"
                   "cher=" KEY "&b=" KEY;
    json_t *withheld = NULL;
    own_secrets_hide_in_query(query, &withheld);
    ck_assert_str_eq(query, "b\xfc"
                            "cher=wha_…&b=wha_…");
    ck_assert_uint_eq(json_array_size(withheld), 2);
    ck_assert_str_eq(json_string_value(json_array_get(withheld, 0)), "?bücher");
    ck_assert_str_eq(json_string_value(json_array_get(withheld, 1)), "?b");
    json_decref(withheld);
}

/* A stranger chooses the separators: the stored text may be longer than the one that was sent. */
TEST(cookies_without_blanks_between_them_fit)
{
    struct buffer value = BUFFER_INIT, expected = BUFFER_INIT;
    buffer_append_text(&value, "webhookd_session=x");
    for (int i = 0; i < 15000; i++) {
        buffer_append_text(&value, ";a");
        buffer_append_text(&expected, i == 0 ? "a" : "; a");
    }
    check_rest(buffer_text(&value), buffer_text(&expected));
    buffer_free(&value);
    buffer_free(&expected);
}
