/* The request guard. Called by exchange.c with the headers of every request, on the handler's
 * thread. */
#include "http/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "http/field.h"

#define CONTENT_LENGTH    "Content-Length"
#define TRANSFER_ENCODING "Transfer-Encoding"
#define MAX_LINE_BYTES    (64 * 1024) /* more than a connection's memory */

/* A header's value without the blanks around it. */
struct value {
    const char *text;
    size_t bytes;
};

struct findings {
    struct guard_refusal refusal; /* the first one */
    size_t bytes;
    int lengths, encodings, hosts;
    struct value length, encoding, host, expect;
    bool encoding_has_blanks; /* behind the value */
};

static void refuse(struct findings *findings, unsigned status, const char *message)
{
    if (findings->refusal.status == 0)
        findings->refusal = (struct guard_refusal){status, message};
}

static bool is_word(const struct value *value, const char *word)
{
    return value->bytes == strlen(word) && strncasecmp(value->text, word, value->bytes) == 0;
}

/* Reads 1*DIGIT. Returns -1 if the text is anything else or has more than 18 digits. */
static int64_t parse_length(const struct value *value)
{
    int64_t length = 0;
    if (value->bytes == 0 || value->bytes > 18)
        return -1;
    for (size_t i = 0; i < value->bytes; i++) {
        if (value->text[i] < '0' || value->text[i] > '9')
            return -1;
        length = length * 10 + (value->text[i] - '0');
    }
    return length;
}

/* Whether the text is uri-host [":" port] of RFC 3986 section 3.2.2, or empty. */
static bool is_host(const char *text, size_t bytes)
{
    static const bool allowed[256] = {
        ['!'] = true,         ['$'] = true,         ['%'] = true,         ['&'] = true,
        ['\''] = true,        ['('] = true,         [')'] = true,         ['*'] = true,
        ['+'] = true,         [','] = true,         ['-'] = true,         ['.'] = true,
        [';'] = true,         ['='] = true,         ['_'] = true,         ['~'] = true,
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
    };
    const char *end = text + bytes, *at = text;
    if (at < end && *at == '[') {
        char address[INET6_ADDRSTRLEN];
        struct in6_addr parsed;
        const char *close = memchr(at, ']', bytes);
        size_t inside = close ? (size_t)(close - at - 1) : sizeof(address);
        if (inside >= sizeof(address))
            return false;
        memcpy(address, at + 1, inside);
        address[inside] = '\0';
        if (inet_pton(AF_INET6, address, &parsed) != 1)
            return false;
        at = close + 1;
    } else {
        while (at < end && allowed[(unsigned char)*at])
            at++;
    }
    if (at < end && *at == ':')
        for (at++; at < end && *at >= '0' && *at <= '9';)
            at++;
    return at == end;
}

static void look_at_framing(struct findings *findings, const char *name, size_t name_bytes,
                            struct value value)
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
        findings->encoding_has_blanks = value.text[value.bytes] != '\0';
    } else if (name_bytes == 4 && strcasecmp(name, "Host") == 0) {
        findings->hosts++;
        findings->host = value;
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
    if (!http_is_token(name, name_bytes))
        refuse(findings, 400, "a header name is empty or contains a character that is not allowed");
    if (http_has_control_bytes(value, value_bytes))
        refuse(findings, 400, "a header value contains a control byte");
    exchange_trim(&value, &value_bytes);
    look_at_framing(findings, name, name_bytes, (struct value){value, value_bytes});
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
        if (!is_word(&findings->encoding, "chunked"))
            refuse(findings, 400, "the only supported Transfer-Encoding is chunked");
        /* libmicrohttpd would not decode the chunks. */
        if (findings->encoding_has_blanks)
            refuse(findings, 400, "blanks behind the value of Transfer-Encoding are not supported");
        if (!http_1_1)
            refuse(findings, 400, "Transfer-Encoding is not allowed in HTTP/1.0");
        exchange->chunked = true;
    }
    if (findings->lengths > 0) {
        exchange->content_length = parse_length(&findings->length);
        if (exchange->content_length < 0)
            refuse(findings, 400, "Content-Length must be a number of at most 18 digits");
    }
}

static bool has_blanks(const char *text)
{
    return http_has_control_bytes(text, strlen(text)) || strpbrk(text, " \t");
}

static void judge_target(struct findings *findings, struct http_exchange *exchange)
{
    exchange_split_target(exchange);
    const char *target = exchange->target, *authority = exchange->authority;
    if (target[0] != '/') {
        refuse(findings, 400, "the request target must be a path or an http URL");
        return;
    }
    if (authority && (authority[0] == '\0' || !is_host(authority, strlen(authority))))
        refuse(findings, 400, "the request target contains an invalid host");
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

static void judge_host(struct findings *findings, bool http_1_1)
{
    if (findings->hosts > 1)
        refuse(findings, 400, "more than one Host header");
    if (http_1_1 && findings->hosts == 0)
        refuse(findings, 400, "no Host header");
    if (findings->hosts > 0 && !is_host(findings->host.text, findings->host.bytes))
        refuse(findings, 400, "the Host header must be a host and optionally a port");
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
    if (!http_is_token(exchange->method, strlen(exchange->method)))
        refuse(&findings, 400, "the method contains a character that is not allowed");
    judge_target(&findings, exchange);
    judge_framing(&findings, exchange, http_1_1);
    judge_host(&findings, http_1_1);
    if (!http_1_1 && findings.lengths == 0 && strcmp(exchange->method, "GET") != 0 &&
        strcmp(exchange->method, "HEAD") != 0) /* RFC 1945 section 8.3: the body would be lost */
        refuse(&findings, 400, "a request in HTTP/1.0 needs a Content-Length");
    if (findings.expect.bytes > 0 && !is_word(&findings.expect, "100-continue"))
        refuse(&findings, 400, "the only supported Expect is 100-continue");
    return findings.refusal;
}
