/* The names on the allow-list of strict mode. Called by the daemon on any thread, and by
 * webhookd-vessel. */
#include "supervisor/allow_list.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

/* A name that ends with "*" stands for all names that begin with the rest. */
static const char *const top[] = {"usr", "opt", "bin", "sbin", "lib*"};

static const char *const etc[] = {
    "alternatives",
    "bash.bashrc",
    "bash_completion.d",
    "bindresvport.blacklist",
    "ca-certificates*",
    "debian_version",
    "fonts",
    "gai.conf",
    "gitconfig",
    "group",
    "host.conf",
    "hostname",
    "hosts",
    "inputrc",
    "java*",
    "ld.so.*",
    "locale.alias",
    "localtime",
    "magic*",
    "mailcap",
    "mime.types",
    "netconfig",
    "networks",
    "nodejs",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "perl",
    "pki",
    "profile",
    "profile.d",
    "protocols",
    "python*",
    "resolv.conf",
    "rpc",
    "ruby*",
    "services",
    "shells",
    "terminfo",
    "timezone",
};

const char *const allow_list_ssl[] = {"certs", "openssl.cnf", NULL};

static bool matches(const char *pattern, const char *name, size_t bytes)
{
    size_t length = strlen(pattern);
    if (pattern[length - 1] == '*')
        return bytes >= length - 1 && strncmp(pattern, name, length - 1) == 0;
    return bytes == length && memcmp(pattern, name, length) == 0;
}

static bool is_among(const char *const *patterns, size_t count, const char *name, size_t bytes)
{
    for (size_t i = 0; i < count; i++)
        if (matches(patterns[i], name, bytes))
            return true;
    return false;
}

bool allow_list_shows_top(const char *name)
{
    return is_among(top, ARRAY_COUNT(top), name, strlen(name));
}

bool allow_list_shows_etc(const char *name)
{
    return is_among(etc, ARRAY_COUNT(etc), name, strlen(name));
}

/* Moves *path past one component and the slashes before it. Returns the component; sets *bytes to
 * its length. */
static const char *next_component(const char **path, size_t *bytes)
{
    const char *at = *path + strspn(*path, "/");
    *bytes = strcspn(at, "/");
    *path = at + *bytes;
    return at;
}

bool allow_list_shows(const char *path)
{
    size_t bytes;
    const char *name = next_component(&path, &bytes);
    if (!matches("etc", name, bytes))
        return is_among(top, ARRAY_COUNT(top), name, bytes);
    name = next_component(&path, &bytes);
    if (!matches("ssl", name, bytes))
        return is_among(etc, ARRAY_COUNT(etc), name, bytes);
    name = next_component(&path, &bytes);
    return is_among(allow_list_ssl, ARRAY_COUNT(allow_list_ssl) - 1, name, bytes);
}
