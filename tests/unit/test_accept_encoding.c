/* Checks which clients get an answer in gzip's format, by their Accept-Encoding. */
#include "http/accept_encoding.h"

#include <stddef.h>

#include "base/memory.h"
#include "support/suite.h"

static bool prefers_gzip(const char *first, const char *second)
{
    struct accept_encoding accept = ACCEPT_ENCODING_INIT;
    accept_encoding_read(&accept, first);
    if (second)
        accept_encoding_read(&accept, second);
    return accept_encoding_prefers_gzip(&accept);
}

struct value {
    const char *text;
    bool is_packed;
};

static void check_all(const struct value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(prefers_gzip(values[i].text, NULL) == values[i].is_packed, "\"%s\"",
                      values[i].text);
}

TEST(a_client_that_names_gzip_gets_it)
{
    static const struct value values[] = {
        {"gzip", true},
        {"GZip", true},
        {"x-gzip", true},
        {"gzip, deflate, br, zstd", true},
        {"deflate,gzip", true},
        {"\tbr ,\tgzip\t", true},
        {", ,gzip,,", true},
        {"", false},
        {" ,, ", false},
        {"br", false},
        {"deflate, br", false},
        {"identity", false},
        {"gzipped", false},
        {"agzip", false},
        {"gzip2, not-gzip", false},
        {"\"gzip\"", false},
        {"br gzip", false},
    };
    check_all(values, ARRAY_COUNT(values));
}

TEST(a_weight_of_zero_refuses_gzip)
{
    static const struct value values[] = {
        {"gzip;q=0", false},      {"gzip;q=0.", false},
        {"gzip;q=0.0", false},    {"gzip;q=0.000", false},
        {"gzip;Q=0", false},      {"gzip ; q=0", false},
        {"gzip\t;\tq=0 ", false}, {"br, gzip;q=0, deflate", false},
        {"gzip;q=0, *", false},   {"*, gzip;q=0", false},
        {"gzip;q=0.001", true},   {"gzip;q=0.5, br;q=1", true},
        {"gzip;q=1", true},       {"gzip;q=1.", true},
        {"gzip;q=1.000", true},
    };
    check_all(values, ARRAY_COUNT(values));
}

TEST(a_star_stands_for_what_is_not_named)
{
    static const struct value values[] = {
        {"*", true},
        {"*;q=0.1", true},
        {"br, *", true},
        {"*;q=0", false},
        {"br, *;q=0", false},
        {"*;q=0, gzip", true},
        {"gzip;q=0.5, *;q=0", true},
        {"identity;q=0, *", true},
    };
    check_all(values, ARRAY_COUNT(values));
}

TEST(a_client_that_prefers_identity_gets_it)
{
    static const struct value values[] = {
        {"identity, gzip", true}, /* both alike: the shorter one */
        {"identity;q=1, gzip;q=0.5", false},
        {"gzip;q=0.5, *;q=0.6", false}, /* the star covers identity */
        {"identity;q=0.5, gzip", true},
        {"identity;q=0, gzip;q=0.1", true},
        {"identity;q=0", false}, /* accepts nothing that there is */
    };
    check_all(values, ARRAY_COUNT(values));
}

TEST(a_malformed_weight_counts_as_zero)
{
    static const struct value values[] = {
        {"gzip;", false},
        {"gzip;q", false},
        {"gzip;q=", false},
        {"gzip;q=x", false},
        {"gzip;q=2", false},
        {"gzip;q=1.001", false},
        {"gzip;q=0.1234", false},
        {"gzip;q=-1", false},
        {"gzip;q=.5", false},
        {"gzip;q=0,5", false},
        {"gzip;q = 1", false},
        {"gzip;q=1 x", false},
        {"gzip;level=9", false},
        {"gzip;q=1;level=9", false},
        {"gzip q=1", false},
        {"*;q=", false},
        {"identity;q=x, gzip;q=0.1", true},
    };
    check_all(values, ARRAY_COUNT(values));
}

TEST(several_headers_count_as_one_list)
{
    ck_assert(prefers_gzip("br", "gzip"));
    ck_assert(prefers_gzip("gzip", ""));
    ck_assert(!prefers_gzip("*", "gzip;q=0"));
    /* A coding that is named twice. */
    ck_assert(!prefers_gzip("gzip;q=0", "gzip"));
    ck_assert(!prefers_gzip("gzip", "gzip;q=0"));
    ck_assert(!prefers_gzip("gzip, x-gzip;q=0", NULL));
}
