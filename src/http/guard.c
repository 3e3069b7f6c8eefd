/* The request guard. Called by exchange.c with the headers of every request, on the handler's
 * thread. */
#include "http/guard.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTENT_LENGTH    "Content-Length"
#define TRANSFER_ENCODING "Transfer-Encoding"
#define MAX_LINE_BYTES    (64 * 1024) /* more than a connection's memory */

struct findings {
    struct guard_refusal refusal; /* the first one */
    size_t bytes;
    int lengths, encodings, hosts;
    const char *length, *encoding, *expect;
};

static void refuse(struct findings *findings, unsigned status, const char *message)
{
    if (findings->refusal.status == 0)
        findings->refusal = (struct guard_refusal){status, message};
}

/* RFC 9110 section 5.6.2. */
static bool is_token(const char *text, size_t bytes)
{
    static const bool allowed[256] = {
        ['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true,
        ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true,
        ['-'] = true,         ['.'] = true,         ['^'] = true, ['_'] = true,
        ['`'] = true,         ['|'] = true,         ['~'] = true, ['0' ... '9'] = true,
        ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
    };
    if (bytes == 0)
        return false;
    for (size_t i = 0; i < bytes; i++)
        if (!allowed[(unsigned char)text[i]])
            return false;
    return true;
}

static bool has_control_bytes(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

/* Reads 1*DIGIT. Returns -1 if the text is anything else or has more than 18 digits. */
static int64_t parse_length(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return -1;
    return strtoll(text, NULL, 10);
}

static void look_at_framing(struct findings *findings, const char *name, size_t name_bytes,
                            const char *value)
{
    if (name_bytes >= strlen(CONTENT_LENGTH) &&
        strncasecmp(name, CONTENT_LENGTH, strlen(CONTENT_LENGTH)) == 0) {
        /* libmicrohttpd joins a header that is folded over two lines to a name such as
         * "Content-Length5". */
        if (name_bytes != strlen(CONTENT_LENGTH))
            refuse(findings, 400, "a header name begins with Content-Length but is longer");
        findings->lengths++;
        findings->length = value;
    } else if (name_bytes >= strlen(TRANSFER_ENCODING) &&
               strncasecmp(name, TRANSFER_ENCODING, strlen(TRANSFER_ENCODING)) == 0) {
        if (name_bytes != strlen(TRANSFER_ENCODING))
            refuse(findings, 400, "a header name begins with Transfer-Encoding but is longer");
        findings->encodings++;
        findings->encoding = value;
    } else if (name_bytes == 4 && strcasecmp(name, "Host") == 0) {
        findings->hosts++;
    } else if (name_bytes == 6 && strcasecmp(name, "Expect") == 0) {
        findings->expect = value;
    }
}

static enum MHD_Result look_at_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      size_t name_bytes, const char *value, size_t value_bytes)
{
    (void)kind;
    struct findings *findings = context;
    if (!value)
        value = "";
    findings->bytes += name_bytes + value_bytes + 4; /* ": " and CRLF */
    if (!is_token(name, name_bytes))
        refuse(findings, 400, "a header name is empty or contains a character that is not allowed");
    if (has_control_bytes(value, value_bytes))
        refuse(findings, 400, "a header value contains a control byte");
    look_at_framing(findings, name, name_bytes, value);
    return MHD_YES;
}

static void judge_framing(struct findings *findings, struct http_exchange *exchange, bool http_1_1)
{
    if (findings->lengths > 1)
        refuse(findings, 400, "more than one Content-Length header");
    if (findings->encodings > 1)
        refuse(findings, 400, "more than one Transfer-Encoding header");
    if (findings->lengths > 0 && findings->encodings > 0)
        refuse(findings, 400, "Content-Length must not be combined with Transfer-Encoding");
    if (findings->encodings > 0) {
        if (strcasecmp(findings->encoding, "chunked") != 0)
            refuse(findings, 400, "the only supported Transfer-Encoding is chunked");
        if (!http_1_1)
            refuse(findings, 400, "Transfer-Encoding is not allowed in HTTP/1.0");
        exchange->chunked = true;
    }
    if (findings->lengths > 0) {
        exchange->content_length = parse_length(findings->length);
        if (exchange->content_length < 0)
            refuse(findings, 400, "Content-Length must be a number of at most 18 digits");
    }
}

static bool has_blanks(const char *text)
{
    return has_control_bytes(text, strlen(text)) || strpbrk(text, " \t");
}

static void judge_target(struct findings *findings, const struct http_exchange *exchange)
{
    const char *target = exchange->target;
    if (target[0] != '/') {
        refuse(findings, 400, "the request target must be a path");
        return;
    }
    if (strchr(target, '%'))
        refuse(findings, 400, "the path must not contain \"%\"");
    if (has_blanks(target) || has_blanks(exchange->query))
        refuse(findings, 400, "the request target contains a space or a control byte");
    /* In libmicrohttpd's buffer a NUL and then the version follow the target; the NUL was the space
     * between them. If the version is further away, the sender's target contained a NUL. A distance
     * that no request line can have means that it is no longer the same buffer. */
    uintptr_t distance = (uintptr_t)exchange->version - exchange->target_end;
    if (distance > 1 && distance < MAX_LINE_BYTES)
        refuse(findings, 400, "the request target contains a NUL");
}

struct guard_refusal guard_check(struct http_exchange *exchange)
{
    struct findings findings = {0};
    bool http_1_1 = strcmp(exchange->version, "HTTP/1.1") == 0;
    MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, look_at_header, &findings);
    if (findings.bytes > GUARD_MAX_HEADER_BYTES)
        findings.refusal = (struct guard_refusal){431, "the headers are larger than 16 KiB"};
    if (!http_1_1 && strcmp(exchange->version, "HTTP/1.0") != 0)
        refuse(&findings, 400, "the version must be HTTP/1.0 or HTTP/1.1");
    if (!is_token(exchange->method, strlen(exchange->method)))
        refuse(&findings, 400, "the method contains a character that is not allowed");
    judge_target(&findings, exchange);
    judge_framing(&findings, exchange, http_1_1);
    if (http_1_1 ? findings.hosts != 1 : findings.hosts > 1)
        refuse(&findings, 400,
               http_1_1 && findings.hosts == 0 ? "no Host header" : "more than one Host header");
    if (findings.expect && strcasecmp(findings.expect, "100-continue") != 0)
        refuse(&findings, 400, "the only supported Expect is 100-continue");
    return findings.refusal;
}
