/* Checks of the text values of webhookd.conf. The table in keys.c names them; value.c and parse.c
 * call them. Any thread. */
#include "config/check.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/id.h"
#include "base/memory.h"
#include "store/location.h"

#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)
#define ACCOUNT_MAX     32  /* useradd(8) */
#define HOST_MAX        255 /* RFC 1035 section 2.3.4 */
#define FLEET_NAME_MAX  255 /* each, of organization, project and fleet */
#define UNIX_PREFIX     "unix:"
#define URL_CHARS       "-._~:/[]@!$&'()*+,;=%"
#define DIGITS          "0123456789"
#define LETTERS         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- paths ---- */

static bool is_component(const char *text, size_t bytes, const char *what)
{
    return bytes == strlen(what) && memcmp(text, what, bytes) == 0;
}

/* Whether one of the parts between the slashes equals `what`. */
static bool has_component(const char *path, const char *what)
{
    for (;;) {
        size_t bytes = strcspn(path, "/");
        if (is_component(path, bytes, what))
            return true;
        if (path[bytes] == '\0')
            return false;
        path += bytes + 1;
    }
}

static bool is_absolute(const char *path)
{
    return path[0] == '/' && strlen(path) < PATH_MAX && !has_component(path, "..");
}

const char *config_check_path(const char *value)
{
    return is_absolute(value) ? NULL : "is not an absolute path without \"..\"";
}

const char *config_check_path_or_empty(const char *value)
{
    return value[0] == '\0' || is_absolute(value)
               ? NULL
               : "is neither an absolute path without \"..\" nor empty";
}

const char *config_check_folder(const char *value)
{
    /* webhookd sets its mode and its contents, so it must not be the root. */
    bool is_root = value[strspn(value, "/.")] == '\0';
    return is_absolute(value) && !is_root
               ? NULL
               : "is invalid: write an absolute path without \"..\", other than /";
}

const char *config_check_store(const char *value)
{
    return store_location_problem(value);
}

const char *config_check_search_path(const char *value)
{
    static const char problem[] = "is not a list of absolute paths separated by \":\"";
    for (;;) {
        size_t bytes = strcspn(value, ":");
        if (value[0] != '/' || bytes >= PATH_MAX)
            return problem;
        if (value[bytes] == '\0')
            return NULL;
        value += bytes + 1;
    }
}

const char *config_check_program(const char *value)
{
    bool is_name = value[0] != '\0' && !strchr(value, '/') && strlen(value) < NAME_MAX;
    return is_name || is_absolute(value)
               ? NULL
               : "is neither a program's name without \"/\" nor an absolute path";
}

/* ---- addresses ---- */

/* Copies the part of text up to `end`. Returns false if it is too long for an address. */
static bool address_copy(const char *text, const char *end, char address[INET6_ADDRSTRLEN])
{
    size_t bytes = (size_t)(end - text);
    if (bytes >= INET6_ADDRSTRLEN)
        return false;
    memcpy(address, text, bytes);
    address[bytes] = '\0';
    return true;
}

static bool is_address(const char *text, const char *end, int family)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    return address_copy(text, end, address) && inet_pton(family, address, &parsed) == 1;
}

/* Whether the text consists of one to five decimal digits and is at most `highest`. */
static bool is_number_up_to(const char *text, long highest)
{
    size_t digits = strspn(text, DIGITS);
    return digits > 0 && digits <= 5 && text[digits] == '\0' && strtol(text, NULL, 10) <= highest;
}

static bool is_socket_path(const char *path)
{
    return is_absolute(path) && strlen(path) <= SOCKET_PATH_MAX && path[strlen(path) - 1] != '/';
}

static bool is_listen(const char *value)
{
    if (strncmp(value, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return is_socket_path(value + strlen(UNIX_PREFIX));
    const char *colon = strrchr(value, ':');
    if (!colon || !is_number_up_to(colon + 1, 65535))
        return false;
    if (value[0] == '[')
        return colon[-1] == ']' && is_address(value + 1, colon - 1, AF_INET6);
    return is_address(value, colon, AF_INET);
}

#define LISTEN_PROBLEM                                                                             \
    "is not \"ADDRESS:PORT\", \"[IPV6]:PORT\" (port 0 to 65535) or \"unix:/PATH\" (at most 107 "   \
    "bytes)"

const char *config_check_listen(const char *value)
{
    return is_listen(value) ? NULL : LISTEN_PROBLEM;
}

const char *config_check_listen_or_empty(const char *value)
{
    return value[0] == '\0' || is_listen(value) ? NULL : LISTEN_PROBLEM ", or empty";
}

const char *config_check_socket_or_empty(const char *value)
{
    return value[0] == '\0' || is_socket_path(value)
               ? NULL
               : "is neither an absolute path of at most 107 bytes without \"..\" nor empty";
}

const char *config_check_network(const char *value)
{
    const char *slash = strchrnul(value, '/');
    bool is_v4 = is_address(value, slash, AF_INET);
    bool is_v6 = !is_v4 && is_address(value, slash, AF_INET6);
    if ((is_v4 || is_v6) && (*slash == '\0' || is_number_up_to(slash + 1, is_v4 ? 32 : 128)))
        return NULL;
    return "is not an address or a range: \"10.0.0.0/8\", \"192.0.2.1\", \"2001:db8::/32\"";
}

const char *config_check_url(const char *value)
{
    static const char problem[] =
        "is not an http:// or https:// URL with a host and without a user, query or fragment";
    const char *host = strncasecmp(value, "http://", 7) == 0    ? value + 7
                       : strncasecmp(value, "https://", 8) == 0 ? value + 8
                                                                : "";
    size_t host_bytes = strcspn(host, "/");
    if (host_bytes == 0 || host[0] == ':' || memchr(host, '@', host_bytes))
        return problem;
    return host[strspn(host, LETTERS DIGITS URL_CHARS)] == '\0' && strlen(value) < 2000 ? NULL
                                                                                        : problem;
}

const char *config_check_url_or_empty(const char *value)
{
    return value[0] == '\0' || !config_check_url(value)
               ? NULL
               : "is neither an http:// or https:// URL with a host and without a user, query or "
                 "fragment, nor empty";
}

const char *config_check_index_or_empty(const char *value)
{
    return value[0] == '\0' || !config_check_url(value)
               ? NULL
               : "is neither an http:// or https:// URL with a host and without a user, query or "
                 "fragment, nor empty; credentials belong in the file of packages.netrc";
}

/* ---- names ---- */

const char *config_check_host(const char *value)
{
    size_t bytes = strlen(value);
    return bytes > 0 && bytes <= HOST_MAX && value[0] != '.' &&
                   strspn(value, LETTERS DIGITS "-._") == bytes
               ? NULL
               : "is not a host name, without scheme, port and path: \"console.example.com\"";
}

static bool is_account(const char *value)
{
    size_t bytes = strlen(value);
    return bytes > 0 && bytes <= ACCOUNT_MAX && value[0] != '-' &&
           strspn(value, LETTERS DIGITS "_-.") == bytes;
}

const char *config_check_account(const char *value)
{
    return is_account(value)
               ? NULL
               : "is not an account name: 1 to 32 letters, digits, \"_\", \"-\", \".\"";
}

const char *config_check_account_or_empty(const char *value)
{
    return value[0] == '\0' ? NULL : config_check_account(value);
}

const char *config_check_fleet(const char *value)
{
    static const char problem[] = "is not \"organization/project/fleet\" (names, not ids)";
    for (int part = 0; part < 3; part++) {
        size_t bytes = strcspn(value, "/");
        char name[FLEET_NAME_MAX + 1];
        if (bytes == 0 || bytes > FLEET_NAME_MAX || (value[bytes] == '/') != (part < 2))
            return problem;
        memcpy(name, value, bytes);
        name[bytes] = '\0';
        if (id_looks_like(name))
            return problem;
        value += bytes + 1;
    }
    return NULL;
}
