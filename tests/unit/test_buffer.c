#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

TEST(the_buffer_holds_exactly_what_was_appended)
{
    struct buffer buffer = BUFFER_INIT;
    ck_assert_str_eq(buffer_text(&buffer), "");
    ck_assert_int_eq(buffer_append(&buffer, NULL, 0), 0);
    ck_assert_int_eq(buffer_append_text(&buffer, "one "), 0);
    ck_assert_int_eq(buffer_append_char(&buffer, '2'), 0);
    ck_assert_int_eq(buffer_append_format(&buffer, " %s %d", "three", 4), 0);
    ck_assert_str_eq(buffer_text(&buffer), "one 2 three 4");
    ck_assert_uint_eq(buffer.bytes, 13);
    buffer_free(&buffer);
    ck_assert_ptr_null(buffer.data);
}

TEST(bytes_of_any_value_survive_growing)
{
    struct buffer buffer = BUFFER_INIT;
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(buffer_append_char(&buffer, (char)i), 0);
    ck_assert_uint_eq(buffer.bytes, 100000);
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(buffer.data[i], (char)i);
    buffer_free(&buffer);
}

TEST(the_limit_is_reached_exactly_and_not_passed)
{
    struct buffer buffer = BUFFER_INIT;
    buffer.limit = 100;
    char data[101];
    memset(data, 'x', sizeof(data));
    ck_assert_int_eq(buffer_append(&buffer, data, 60), 0);
    ck_assert_int_eq(buffer_append(&buffer, data, 40), 0);
    ck_assert(!buffer.failed);
    ck_assert_uint_eq(strlen(buffer_text(&buffer)), 100);
    ck_assert_int_eq(buffer_append_char(&buffer, 'y'), -1);
    ck_assert(buffer.failed);
    ck_assert_uint_eq(buffer.bytes, 100);
    buffer_free(&buffer);
}

TEST(after_a_refused_append_nothing_is_appended_until_reset)
{
    struct buffer buffer = BUFFER_INIT;
    buffer.limit = 5;
    ck_assert_int_eq(buffer_append_text(&buffer, "ab"), 0);
    ck_assert_int_eq(buffer_append_format(&buffer, "%s", "cdefgh"), -1);
    ck_assert_int_eq(buffer_append_text(&buffer, "c"), -1);
    ck_assert_str_eq(buffer_text(&buffer), "ab");
    ck_assert(buffer.failed);
    buffer_reset(&buffer);
    ck_assert(!buffer.failed);
    ck_assert_int_eq(buffer_append_text(&buffer, "vwxyz"), 0);
    ck_assert_str_eq(buffer_text(&buffer), "vwxyz");
    buffer_free(&buffer);
}

TEST(taking_hands_over_the_allocation)
{
    struct buffer buffer = BUFFER_INIT;
    char *empty = buffer_take(&buffer);
    ck_assert_str_eq(empty, "");
    buffer_append_text(&buffer, "mine");
    char *taken = buffer_take(&buffer);
    ck_assert_str_eq(taken, "mine");
    ck_assert_uint_eq(buffer.bytes, 0);
    ck_assert_str_eq(buffer_text(&buffer), "");
    buffer_free(&buffer);
    free(taken);
    free(empty);
}

TEST(an_impossible_size_is_an_error_and_does_not_abort)
{
    struct buffer buffer = BUFFER_INIT;
    buffer_append_text(&buffer, "kept");
    ck_assert_int_eq(buffer_append(&buffer, "x", (size_t)-1), -1);
    ck_assert(buffer.failed);
    ck_assert_str_eq(buffer_text(&buffer), "kept");
    buffer_free(&buffer);
}
