/* The value of the header Idempotency-Key. */
#include "model/idempotency_key.h"

#include <string.h>

#include "base/memory.h"
#include "support/suite.h"

static void expect(const char *value, const char *expected)
{
    char key[IDEMPOTENCY_KEY_MAX_CHARS + 1];
    struct error error = ERROR_INIT;
    int result = idempotency_key_read(value, key, &error);
    ck_assert_msg((result == 0) == (expected != NULL), "%s", value);
    if (expected)
        ck_assert_str_eq(key, expected);
    else
        ck_assert_msg(strstr(error.message, "1 to 255 visible"), "%s", error.message);
}

TEST(a_key_may_have_quotes_around_it_or_not)
{
    expect("a", "a");
    expect("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324");
    expect("\"8e03978e\"", "8e03978e");
    expect("AZaz09!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "AZaz09!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
    expect("a\"b", "a\"b"); /* bare */
    expect("\"a\\\"b\\\\c\"", "a\"b\\c");
}

TEST(malformed_keys_are_refused)
{
    static const char *const values[] = {
        "",         "\"",      "\"\"", "\"a",     "\"a\"b", "\"a\" ", "\"a\";x=1", "\"a\", \"b\"",
        "a b",      " a",      "a\tb", "\"a b\"", "\x7f",   "a\x01",  "\xc3\xa9",  "\"\xc3\xa9\"",
        "\"a\\b\"", "\"a\\\"", "\"\\", "\"a\\",
    };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        expect(values[i], NULL);
}

TEST(a_key_has_at_most_255_characters)
{
    char value[IDEMPOTENCY_KEY_MAX_CHARS + 10] = "", expected[IDEMPOTENCY_KEY_MAX_CHARS + 1] = "";
    memset(value, 'x', IDEMPOTENCY_KEY_MAX_CHARS);
    memset(expected, 'x', IDEMPOTENCY_KEY_MAX_CHARS);
    expect(value, expected);
    value[IDEMPOTENCY_KEY_MAX_CHARS] = 'x';
    expect(value, NULL);
    value[0] = '"';
    value[IDEMPOTENCY_KEY_MAX_CHARS + 1] = '"'; /* 255 between the quotes */
    expect(value, expected);
    value[IDEMPOTENCY_KEY_MAX_CHARS + 1] = 'x';
    value[IDEMPOTENCY_KEY_MAX_CHARS + 2] = '"';
    expect(value, NULL);
}
