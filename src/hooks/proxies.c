/* The client's address behind trusted proxies. Created by hooks/settings; used by hooks/request on
 * the hook workers. Immutable once created. */
#include "hooks/proxies.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

#define CHAIN_MAX 64 /* X-Forwarded-For headers that are examined: the last ones */

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

struct proxies *proxies_new(const struct config_list *trusted)
{
    struct proxies *proxies = memory_alloc(sizeof(*proxies));
    proxies->ranges = memory_array(NULL, trusted->count + 1, sizeof(*proxies->ranges));
    for (size_t i = 0; i < trusted->count; i++) {
        char text[HTTP_PEER_BYTES];
        size_t bytes = strcspn(trusted->items[i], "/");
        if (bytes >= sizeof(text))
            continue;
        memcpy(text, trusted->items[i], bytes);
        text[bytes] = '\0';
        struct range *range = &proxies->ranges[proxies->count];
        int before = parse_address(text, range->address);
        if (before < 0)
            continue;
        const char *slash = trusted->items[i] + bytes;
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

static bool is_trusted(const struct proxies *proxies, const char *text)
{
    unsigned char address[16];
    if (parse_address(text, address) < 0)
        return false;
    for (size_t i = 0; i < proxies->count; i++)
        if (in_range(&proxies->ranges[i], address))
            return true;
    return false;
}

struct chain {
    const char *values[CHAIN_MAX];
    size_t count;
};

static int collect(void *context, const char *name, const char *value)
{
    struct chain *chain = context;
    if (strcasecmp(name, "X-Forwarded-For") == 0)
        chain->values[chain->count++ % CHAIN_MAX] = value; /* the last ones: the nearest proxies' */
    return 0;
}

/* Walks the entries of one header from the right. Returns true once the client is found. */
static bool walk(const struct proxies *proxies, const char *value, char text[HTTP_PEER_BYTES])
{
    const char *end = value + strlen(value);
    while (end > value) {
        const char *from = end;
        while (from > value && from[-1] != ',')
            from--;
        const char *first = from + strspn(from, " \t");
        const char *last = end;
        while (last > first && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        char entry[HTTP_PEER_BYTES];
        unsigned char address[16];
        if (last <= first || (size_t)(last - first) >= sizeof(entry))
            return true; /* malformed: the nearer address stays the client */
        memcpy(entry, first, (size_t)(last - first));
        entry[last - first] = '\0';
        if (parse_address(entry, address) < 0)
            return true;
        strcpy(text, entry);
        if (!is_trusted(proxies, entry))
            return true;
        end = from > value ? from - 1 : value;
    }
    return false;
}

char *proxies_client(const struct proxies *proxies, const struct http_exchange *exchange,
                     char text[HTTP_PEER_BYTES])
{
    http_peer(exchange, text);
    if (proxies->count == 0 || (text[0] != '\0' && !is_trusted(proxies, text)))
        return text;
    struct chain chain = {.count = 0};
    http_each_header(exchange, collect, &chain);
    size_t last = chain.count, first = last > CHAIN_MAX ? last - CHAIN_MAX : 0;
    while (last > first)
        if (walk(proxies, chain.values[--last % CHAIN_MAX], text))
            break;
    return text;
}
