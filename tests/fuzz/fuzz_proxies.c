/* The client's address behind trusted proxies. The first line of the input lists trusted addresses
 * and ranges, separated by spaces; each further line is the value of a header that a sender chose.
 *
 * Every test adds what its proxy would add: to X-Forwarded-For or Forwarded, at the end, the
 * address from which the request came to that proxy. */
#include "fuzz/fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/check.h"
#include "fuzz/fake_request.h"
#include "http/proxies.h"

#define PROXY      "127.0.0.1"   /* trusted */
#define SENDER     "203.0.113.7" /* not trusted */
#define LINES_MAX  80
#define RANGES_MAX 16

struct input {
    char *lines[LINES_MAX];
    size_t bytes[LINES_MAX];
    size_t count;
};

static void read_input(struct input *input, const uint8_t *data, size_t bytes)
{
    input->count = 0;
    while (bytes > 0 && input->count < LINES_MAX) {
        size_t place = input->count++;
        input->lines[place] = fuzz_take_line(&data, &bytes, &input->bytes[place]);
        /* The guard refuses a value with a NUL. */
        input->bytes[place] = strlen(input->lines[place]);
    }
}

static struct sockaddr_in peer_at(const char *address)
{
    struct sockaddr_in peer = {.sin_family = AF_INET};
    FUZZ_CHECK(inet_pton(AF_INET, address, &peer.sin_addr) == 1);
    return peer;
}

/* Whether the text is an address in its shortest form, and not an IPv4 address in IPv6's. */
static bool is_address(const char *text)
{
    struct in6_addr v6;
    struct in_addr v4;
    char again[HTTP_PEER_BYTES] = "";
    if (inet_pton(AF_INET, text, &v4) == 1)
        inet_ntop(AF_INET, &v4, again, sizeof(again));
    else if (inet_pton(AF_INET6, text, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6))
        inet_ntop(AF_INET6, &v6, again, sizeof(again));
    return strcmp(text, again) == 0;
}

/* Finds the client of a request from the peer, whose proxy appended `appended` to the last of the
 * headers, or nothing if that is NULL. */
static void find_client(const struct input *input, const struct proxies *proxies, const char *peer,
                        const char *name, const char *appended, char text[HTTP_PEER_BYTES])
{
    struct fake_request request;
    struct sockaddr_in address = peer_at(peer);
    fake_request_open_empty(&request);
    request.peer = (const struct sockaddr *)&address;
    size_t last = input->count < 2 ? 0 : input->count - 1;
    for (size_t i = 1; i < last; i++)
        fake_request_add(&request, name, input->lines[i], input->bytes[i]);
    char *value = memory_format("%s%s%s", last > 0 ? input->lines[last] : "",
                                last > 0 && appended ? ", " : "", appended ? appended : "");
    fake_request_add(&request, name, value, strlen(value));
    proxies_client(proxies, &request.exchange, text);
    FUZZ_CHECK(is_address(text));
    free(value);
    fake_request_close(&request);
}

/* The proxy is trusted; what the sender wrote before it counts for nothing. */
static void check_that_the_sender_is_found(const struct input *input)
{
    static char trusted[] = PROXY;
    char *items[] = {trusted};
    struct proxies *proxies = proxies_new(items, 1);
    char text[HTTP_PEER_BYTES];
    find_client(input, proxies, PROXY, "X-Forwarded-For", SENDER, text);
    FUZZ_CHECK(strcmp(text, SENDER) == 0);
    /* A quote that the sender opened may hide the sender, but not put another in its place. */
    find_client(input, proxies, PROXY, "Forwarded", "for=" SENDER, text);
    FUZZ_CHECK(strcmp(text, SENDER) == 0 || strcmp(text, PROXY) == 0);
    find_client(input, proxies, PROXY, "Forwarded", "for=\"" SENDER ":4711\";proto=https", text);
    FUZZ_CHECK(strcmp(text, SENDER) == 0 || strcmp(text, PROXY) == 0);
    find_client(input, proxies, SENDER, "X-Forwarded-For", NULL, text);
    FUZZ_CHECK(strcmp(text, SENDER) == 0);
    find_client(input, proxies, SENDER, "Forwarded", NULL, text);
    FUZZ_CHECK(strcmp(text, SENDER) == 0);
    proxies_free(proxies);
}

/* Any trusted ranges that the configuration accepts. */
static void check_any_ranges(const struct input *input)
{
    static char proxy[] = PROXY;
    char *items[RANGES_MAX] = {proxy};
    size_t count = 1;
    char *rest = input->count > 0 ? input->lines[0] : NULL;
    for (char *word; count < RANGES_MAX && (word = strsep(&rest, " "));)
        if (!config_check_network(word))
            items[count++] = word;
    struct proxies *proxies = proxies_new(items, count);
    char text[HTTP_PEER_BYTES];
    find_client(input, proxies, PROXY, "X-Forwarded-For", NULL, text);
    find_client(input, proxies, PROXY, "Forwarded", NULL, text);
    find_client(input, proxies, SENDER, "Forwarded", "for=\"[2001:db8::7]\"", text);
    proxies_free(proxies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input input;
    read_input(&input, data, bytes);
    check_that_the_sender_is_found(&input);
    check_any_ranges(&input);
    for (size_t i = 0; i < input.count; i++)
        free(input.lines[i]);
    return 0;
}
