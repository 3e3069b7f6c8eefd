/* The headers that a caller of the API gives to a fleet run. */
#include "admin/given_headers.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

#define KEY "wha_0000000000000000000000000000004B6Bmb"

static void assert_stored(const char *type, const char *object, const char *expected,
                          const char *withheld, const char *event)
{
    struct given_headers given;
    struct error error = ERROR_INIT;
    ck_assert_msg(given_headers_parse(type, object, &given, &error) == 0, "%s: %s", object,
                  error.message);
    ck_assert_str_eq(given.json, expected);
    ck_assert_str_eq(given.withheld_json, withheld);
    ck_assert_str_eq(given.event.text, event);
    given_headers_free(&given);
}

TEST(headers_are_stored_like_those_of_a_webhook)
{
    assert_stored(NULL, NULL, "{}", "[]", "");
    assert_stored("text/plain", NULL, "{\"Content-Type\":[\"text/plain\"]}", "[]", "");
    assert_stored(NULL, "{}", "{}", "[]", "");
    assert_stored("a/b", "{\"x-github-event\":\"push\",\"X-A\":[\"1\",\"\",\"2\"],\"X-B\":[]}",
                  "{\"X-Github-Event\":[\"push\"],\"X-A\":[\"1\",\"\",\"2\"],"
                  "\"Content-Type\":[\"a/b\"]}",
                  "[]", "push");
    assert_stored(NULL, "{\"X-A\":\"1\",\"x-a\":\"2\"}", "{\"X-A\":[\"1\",\"2\"]}", "[]", "");
    assert_stored(NULL, "{\"X-A\":\"\\u00e9\\t\\u20ac\"}", "{\"X-A\":[\"é\\t€\"]}", "[]", "");
    assert_stored("a/b", "{\"content-type\":\"c/d\"}", "{\"Content-Type\":[\"c/d\"]}", "[]", "");
}

TEST(own_secrets_are_left_out)
{
    assert_stored(NULL,
                  "{\"authorization\":\"Bearer " KEY "\",\"cookie\":\"a=1; webhookd_session=x\","
                  "\"X-A\":\"1\"}",
                  "{\"Cookie\":[\"a=1\"],\"X-A\":[\"1\"]}", "[\"Authorization\",\"Cookie\"]", "");
}

TEST(what_no_request_could_have_is_refused_with_its_reason)
{
    static const struct {
        const char *object, *message;
    } cases[] = {
        {"", "is not JSON"},
        {"{", "is not JSON"},
        {"{\"X-A\":\"1\",\"X-A\":\"2\"}", "is not JSON: duplicate object key"},
        {"{\"X-A\":\"\\u0000\"}", "is not JSON"},
        {"{\"X-A\":\"\xe9\"}", "is not JSON"},
        {"[]", "must be an object"},
        {"{\"X-A\":1}", "the value of X-A in X-Webhookd-Headers must be a string or a list"},
        {"{\"X-A\":null}", "must be a string or a list"},
        {"{\"X-A\":[[\"1\"]]}", "must be a string or a list"},
        {"{\"X-A\":{}}", "must be a string or a list"},
        {"{\"\":\"1\"}", "a name in X-Webhookd-Headers is empty"},
        {"{\"X A\":\"1\"}", "a character that is not allowed"},
        {"{\"X-A:\":\"1\"}", "a character that is not allowed"},
        {"{\"X-é\":\"1\"}", "a character that is not allowed"},
        {"{\"X\\r\\nY\":\"1\"}", "a character that is not allowed"},
        {"{\"X-A\":\"1\\r\\nX-B: 2\"}", "the value of X-A contains a control character"},
        {"{\"X-A\":[\"1\",\"\\u007f\"]}", "the value of X-A contains a control character"},
        {"{\"X-A\":\" 1\"}", "the value of X-A begins or ends with a blank"},
        {"{\"X-A\":\"1\\t\"}", "the value of X-A begins or ends with a blank"},
        {"{\"host\":\"h\"}", "must not contain Host"},
        {"{\"CONNECTION\":\"close\"}", "must not contain Connection"},
        {"{\"Content-Length\":\"1\"}", "must not contain Content-Length"},
        {"{\"Keep-Alive\":\"1\"}", "must not contain Keep-Alive"},
        {"{\"Proxy-Connection\":\"1\"}", "must not contain Proxy-Connection"},
        {"{\"te\":\"1\"}", "must not contain TE"},
        {"{\"Trailer\":\"1\"}", "must not contain Trailer"},
        {"{\"Transfer-Encoding\":[]}", "must not contain Transfer-Encoding"},
        {"{\"Upgrade\":\"1\"}", "must not contain Upgrade"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct given_headers given;
        struct error error = ERROR_INIT;
        ck_assert_msg(given_headers_parse(NULL, cases[i].object, &given, &error) == -1, "%s",
                      cases[i].object);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
        ck_assert_msg(strstr(error.message, cases[i].message), "%s: %s", cases[i].object,
                      error.message);
        ck_assert_ptr_null(given.json);
    }
}
