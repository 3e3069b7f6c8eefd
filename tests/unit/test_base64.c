#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

TEST(bytes_survive_a_round_trip_and_the_examples_of_rfc4648_hold)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buffer text = BUFFER_INIT;
        char data[16];
        size_t bytes = strlen(cases[i][0]);
        ck_assert_int_eq(base64_append(&text, cases[i][0], bytes), 0);
        ck_assert_str_eq(buffer_text(&text), cases[i][1]);
        ck_assert_int_eq(base64_decode(cases[i][1], strlen(cases[i][1]), data), (long)bytes);
        ck_assert_int_eq(memcmp(data, cases[i][0], bytes), 0);
        buffer_free(&text);
    }
    char data[16];
    ck_assert_int_eq(base64_decode("Zg=", 3, data), -1);
    ck_assert_int_eq(base64_decode("Z!==", 4, data), -1);
}
