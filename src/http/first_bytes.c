/* See first_bytes.h. Called by strangers.c. */
#include "http/first_bytes.h"

#include <string.h>

#include "base/memory.h"

static const struct {
    const char *bytes;
    size_t count;
    const char *name;
} beginnings[] = {
    /* RFC 8446 section 5.1: a handshake record of any version from SSL 3.0 to TLS 1.3 */
    {"\x16\x03", 2, "a TLS hello: the sender uses https on a plain port"},
    /* RFC 9113 section 3.4 */
    {"PRI * HTTP/2.0", 14, "the preface of HTTP/2: the sender must use HTTP/1.1"},
    /* https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt, sections 2.1 and 2.2 */
    {"PROXY ", 6, "a PROXY protocol line: webhookd reads X-Forwarded-For and Forwarded instead"},
    {"\r\n\r\n\0\r\nQUIT\n", 12,
     "a PROXY protocol header: webhookd reads X-Forwarded-For and Forwarded instead"},
    {"SSH-", 4, "the greeting of an SSH client"},
};

const char *first_bytes_name(const void *bytes, size_t count)
{
    for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++)
        if (count >= beginnings[i].count &&
            memcmp(bytes, beginnings[i].bytes, beginnings[i].count) == 0)
            return beginnings[i].name;
    /* A method is a token (RFC 9110 section 5.6.2); empty lines may precede it. */
    unsigned char first = count > 0 ? *(const unsigned char *)bytes : 'G';
    if ((first < ' ' && first != '\r' && first != '\n') || first > '~')
        return "binary data, not an HTTP request";
    return NULL;
}
