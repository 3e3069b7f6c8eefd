/* See host.h. Called by service.c. */
#include "admin/host.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A host without its port; borrows. */
struct host_name {
    const char *text;
    size_t bytes;
};

static struct host_name parse(const char *host)
{
    size_t bytes = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    if (bytes > 0 && host[bytes - 1] == '.')
        bytes--;
    return (struct host_name){host, bytes};
}

static bool is_equal(struct host_name a, struct host_name b)
{
    return a.bytes == b.bytes && a.bytes > 0 && strncasecmp(a.text, b.text, a.bytes) == 0;
}

/* An address cannot be pointed anywhere else. */
static bool is_address(struct host_name host)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    if (host.text[0] == '[') /* the request guard lets only addresses through in brackets */
        return true;
    if (host.bytes >= sizeof(text))
        return false;
    memcpy(text, host.text, host.bytes);
    text[host.bytes] = '\0';
    return inet_pton(AF_INET, text, &address) == 1;
}

static struct host_name host_of_url(const char *url)
{
    const char *authority = strstr(url, "://");
    return parse(authority ? authority + strlen("://") : "");
}

bool host_is_expected(const char *text, const char *machine, const struct config *config)
{
    struct host_name host = parse(text);
    if (text[0] == '\0' || is_address(host) || is_equal(host, parse("localhost")) ||
        is_equal(host, parse(machine)) || is_equal(host, host_of_url(config->admin.public_url)))
        return true;
    for (size_t i = 0; i < config->admin.hosts.count; i++)
        if (is_equal(host, parse(config->admin.hosts.items[i])))
            return true;
    return false;
}
