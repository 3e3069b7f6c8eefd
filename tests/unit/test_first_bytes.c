/* What the first bytes of a connection are told to be. */
#include "http/first_bytes.h"

#include <string.h>

#include "support/suite.h"

static const char *name_of(const char *text)
{
    return first_bytes_name(text, strlen(text));
}

TEST(requests_are_not_named)
{
    static const char *const requests[] = {"",
                                           "P",
                                           "PR",
                                           "PRI",
                                           "PROXY",
                                           "SSH",
                                           "GET ",
                                           "\r\nGET",
                                           "POST /hooks",
                                           "get / HTTP/1.1",
                                           "PRI * HTTP/2",
                                           "PROPFIND /"};
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        ck_assert_msg(!name_of(requests[i]), "\"%s\"", requests[i]);
}

TEST(other_protocols_are_named)
{
    ck_assert_ptr_nonnull(strstr(name_of("\x16\x03\x01"), "https on a plain port"));
    ck_assert_ptr_nonnull(strstr(name_of("\x16\x03\x03\x02\x01"), "a TLS hello"));
    ck_assert_ptr_nonnull(strstr(name_of("PRI * HTTP/2.0\r\n"), "HTTP/2"));
    ck_assert_ptr_nonnull(strstr(name_of("PROXY TCP6 ::1"), "PROXY protocol line"));
    ck_assert_ptr_nonnull(
        strstr(first_bytes_name("\r\n\r\n\0\r\nQUIT\n\x21", 13), "PROXY protocol header"));
    ck_assert_ptr_nonnull(strstr(name_of("SSH-2.0-x"), "SSH"));
}

TEST(bytes_that_begin_no_method_are_binary_data)
{
    ck_assert_ptr_nonnull(strstr(first_bytes_name("\0", 1), "binary"));
    ck_assert_ptr_nonnull(strstr(name_of("\x80\x2e\x01"), "binary"));
    ck_assert_ptr_nonnull(strstr(name_of("\x16"), "binary"));
}
