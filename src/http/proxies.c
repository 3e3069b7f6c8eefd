/* The client's address behind trusted proxies. Created by hooks/settings, and used by hooks/request
 * on the hook workers. Immutable once created. */
#include "http/proxies.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

#define X_FORWARDED_FOR "X-Forwarded-For"
#define FORWARDED       "Forwarded"
#define CHAIN_MAX       64 /* addresses that are examined: the last ones */

struct range {
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};

struct proxies {
    struct range *ranges;
    size_t count;
};

/* Converts IPv4 or IPv6 text to 16 bytes. Returns the number of bits that precede the address
 * proper (96 for IPv4), or -1. */
static int parse_address(const char *text, unsigned char address[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET6, text, address) == 1)
        return 0;
    if (inet_pton(AF_INET, text, address + 12) != 1)
        return -1;
    memcpy(address, mapped, sizeof(mapped));
    return 96;
}

struct proxies *proxies_new(char *const *trusted, size_t count)
{
    struct proxies *proxies = memory_alloc(sizeof(*proxies));
    proxies->ranges = memory_array(NULL, count + 1, sizeof(*proxies->ranges));
    for (size_t i = 0; i < count; i++) {
        char text[HTTP_PEER_BYTES];
        size_t bytes = strcspn(trusted[i], "/");
        if (bytes >= sizeof(text))
            continue;
        memcpy(text, trusted[i], bytes);
        text[bytes] = '\0';
        struct range *range = &proxies->ranges[proxies->count];
        int before = parse_address(text, range->address);
        if (before < 0)
            continue;
        const char *slash = trusted[i] + bytes;
        range->bits = *slash ? (unsigned)before + (unsigned)strtoul(slash + 1, NULL, 10) : 128;
        proxies->count++;
    }
    return proxies;
}

void proxies_free(struct proxies *proxies)
{
    if (!proxies)
        return;
    free(proxies->ranges);
    free(proxies);
}

static bool in_range(const struct range *range, const unsigned char address[16])
{
    unsigned whole = range->bits / 8;
    unsigned rest = range->bits % 8;
    if (memcmp(range->address, address, whole) != 0)
        return false;
    return rest == 0 || ((range->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static bool is_trusted(const struct proxies *proxies, const unsigned char address[16])
{
    for (size_t i = 0; i < proxies->count; i++)
        if (in_range(&proxies->ranges[i], address))
            return true;
    return false;
}

/* Writes the address in its shortest form; one of IPv4 that is mapped to IPv6 as IPv4. */
static void write_address(const unsigned char address[16], char text[HTTP_PEER_BYTES])
{
    struct in6_addr v6;
    memcpy(&v6, address, sizeof(v6));
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        inet_ntop(AF_INET, address + 12, text, HTTP_PEER_BYTES);
    else
        inet_ntop(AF_INET6, &v6, text, HTTP_PEER_BYTES);
}

/* ---- the proxies' headers ---- */

struct slice {
    const char *start, *end;
};

/* The addresses that proxies have added, in order: the last CHAIN_MAX ones. */
struct chain {
    const char *header; /* the one to be read */
    struct slice entries[CHAIN_MAX];
    size_t count;
};

static struct slice trim(const char *start, const char *end)
{
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (struct slice){start, end};
}

/* Returns the end of the text up to one of the separators outside of quotes. Sets *is_open if a
 * quote is not closed. */
static const char *end_of(const char *text, const char *separators, bool *is_open)
{
    bool quoted = false;
    for (; *text != '\0'; text++) {
        if (quoted && text[0] == '\\' && text[1] != '\0')
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (!quoted && strchr(separators, *text))
            break;
    }
    *is_open = quoted;
    return text;
}

/* Returns the value of "for" in an element of Forwarded (RFC 7239 section 4), without its quotes;
 * empty if there is none. */
static struct slice forwarded_for(struct slice element)
{
    for (const char *at = element.start; at < element.end;) {
        bool is_open;
        const char *end = end_of(at, ";,", &is_open);
        struct slice pair = trim(at, end);
        if (pair.end - pair.start > 4 && strncasecmp(pair.start, "for=", 4) == 0) {
            pair.start += 4;
            if (pair.end - pair.start >= 2 && *pair.start == '"' && pair.end[-1] == '"')
                return (struct slice){pair.start + 1, pair.end - 1};
            return pair;
        }
        at = *end == ';' ? end + 1 : element.end;
    }
    return (struct slice){element.start, element.start};
}

/* Adds the entries of one header. Empty elements of a list count for nothing (RFC 9110 section
 * 5.6.1). */
static int collect(void *context, const char *name, const char *value)
{
    struct chain *chain = context;
    if (strcasecmp(name, chain->header) != 0)
        return 0;
    bool is_forwarded = strcmp(chain->header, FORWARDED) == 0, is_open = false;
    for (const char *at = value;; at++) {
        const char *end = is_forwarded ? end_of(at, ",", &is_open) : at + strcspn(at, ",");
        struct slice entry = trim(at, end);
        if (is_open) /* a sender's quote swallows what the proxies added: not an address */
            chain->entries[chain->count++ % CHAIN_MAX] = (struct slice){at, at};
        else if (entry.start < entry.end)
            chain->entries[chain->count++ % CHAIN_MAX] =
                is_forwarded ? forwarded_for(entry) : entry;
        at = end;
        if (*at == '\0')
            return 0;
    }
}

/* Reads ADDRESS, IPV4:PORT, [IPV6] or [IPV6]:PORT. Returns false for anything else, such as
 * "unknown". */
static bool parse_entry(struct slice entry, unsigned char address[16])
{
    char text[HTTP_PEER_BYTES];
    size_t bytes = (size_t)(entry.end - entry.start);
    if (bytes >= sizeof(text))
        return false;
    memcpy(text, entry.start, bytes);
    text[bytes] = '\0';
    char *start = text, *rest = NULL, *colon = strchr(text, ':');
    if (text[0] == '[') {
        start = text + 1;
        rest = strchr(start, ']');
        if (!rest)
            return false;
        *rest++ = '\0';
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
        rest = NULL;
        if (colon[1 + strspn(colon + 1, "0123456789")] != '\0')
            return false;
    }
    if (rest && rest[0] != '\0' && (rest[0] != ':' || rest[1 + strspn(rest + 1, "0123456789")]))
        return false;
    return parse_address(start, address) >= 0 && (text[0] != '[' || strchr(start, ':'));
}

char *proxies_client(const struct proxies *proxies, struct http_exchange *exchange,
                     char text[HTTP_PEER_BYTES])
{
    unsigned char address[16];
    http_peer(exchange, text);
    if (proxies->count == 0)
        return text;
    if (text[0] != '\0' && (parse_address(text, address) < 0 || !is_trusted(proxies, address)))
        return text;
    struct chain chain = {.header = X_FORWARDED_FOR};
    http_each_header(exchange, collect, &chain);
    if (chain.count == 0) {
        chain.header = FORWARDED;
        http_each_header(exchange, collect, &chain);
    }
    /* From the nearest proxy on, up to the first address that is not a trusted proxy's. Text that
     * is not an address ends the walk: the nearer address stays the client. */
    size_t first = chain.count > CHAIN_MAX ? chain.count - CHAIN_MAX : 0;
    for (size_t i = chain.count; i > first; i--) {
        if (!parse_entry(chain.entries[(i - 1) % CHAIN_MAX], address))
            break;
        write_address(address, text);
        if (!is_trusted(proxies, address))
            break;
    }
    return text;
}
