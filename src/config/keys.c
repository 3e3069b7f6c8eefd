/* The table with one row for each key of webhookd.conf: the only place that defines its properties.
 * parse.c, config.c and snapshot.c read it; the tests compare webhookd.conf.example and
 * webhookd.conf(5) with it. Constant; any thread. */
#include "config/keys.h"

#include <string.h>

#include "base/memory.h"
#include "config/check.h"

static const char *const levels[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
    NULL,
};
static const char *const formats[] = {
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
    NULL,
};
static const char *const sandboxes[] = {
    [CONFIG_SANDBOX_STRICT] = "strict",
    [CONFIG_SANDBOX_OFF] = "off",
    NULL,
};

static const char *const systems[] = {
    [CONFIG_SYSTEM_HOST] = "host",
    [CONFIG_SYSTEM_LAYER] = "layer",
    NULL,
};

_Static_assert(sizeof(enum log_level) == sizeof(unsigned) &&
                   sizeof(enum log_format) == sizeof(unsigned) &&
                   sizeof(enum config_sandbox) == sizeof(unsigned) &&
                   sizeof(enum config_system) == sizeof(unsigned),
               "value.c writes a choice as an unsigned");

/* When a change takes effect. */
#define RELOAD  true
#define RESTART false

#define QUANTITY(section, name, kind, field, default_text, low, high, change)                      \
    {                                                                                              \
        .info = {section, name, default_text, low " to " high, change}, .type = kind,              \
        .offset = offsetof(struct config, field), .lowest = low, .highest = high                   \
    }
#define CHOICE(section, name, field, default_text, names, range, change)                           \
    {                                                                                              \
        .info = {section, name, default_text, range, change}, .type = CONFIG_CHOICE,               \
        .offset = offsetof(struct config, field), .choices = names                                 \
    }
#define BOOL(section, name, field, default_text)                                                   \
    {                                                                                              \
        .info = {section, name, default_text, "true or false", RESTART}, .type = CONFIG_BOOL,      \
        .offset = offsetof(struct config, field)                                                   \
    }
#define TEXT(section, name, field, default_text, function, range, change)                          \
    {                                                                                              \
        .info = {section, name, default_text, range, change}, .type = CONFIG_TEXT,                 \
        .offset = offsetof(struct config, field), .check = function                                \
    }
#define LIST(section, name, field, function, range, change)                                        \
    {                                                                                              \
        .info = {section, name, "{}", range, change}, .type = CONFIG_LIST,                         \
        .offset = offsetof(struct config, field), .check = function                                \
    }

const struct config_key config_keys[] = {
    TEXT("", "state_dir", state_dir, "\"/var/lib/webhookd\"", config_check_folder,
         "an absolute path", RESTART),
    TEXT("", "store", store, "\"sqlite:webhookd.db\"", config_check_store, "\"sqlite:NAME\"",
         RESTART),
    CHOICE("", "log_level", log_level, "\"info\"", levels, "error, warning, info, debug", RELOAD),
    CHOICE("", "log_format", log_format, "\"text\"", formats, "text, json", RELOAD),
    QUANTITY("", "min_free", CONFIG_SIZE, min_free_bytes, "\"256MiB\"", "0", "1024GiB", RELOAD),

    TEXT("hooks", "listen", hooks.listen, "\"0.0.0.0:8080\"", config_check_listen,
         "\"ADDRESS:PORT\", \"[IPV6]:PORT\", \"unix:/PATH\"", RESTART),
    TEXT("hooks", "public_url", hooks.public_url, "\"http://localhost:8080\"", config_check_url,
         "an http:// or https:// URL", RELOAD),
    QUANTITY("hooks", "max_body", CONFIG_SIZE, hooks.max_body_bytes, "\"32MiB\"", "1KiB", "16GiB",
             RELOAD),
    QUANTITY("hooks", "max_connections", CONFIG_NUMBER, hooks.max_connections, "10000", "1",
             "1000000", RESTART),
    QUANTITY("hooks", "max_in_flight", CONFIG_SIZE, hooks.max_in_flight_bytes, "\"256MiB\"", "1KiB",
             "64GiB", RELOAD),
    QUANTITY("hooks", "header_timeout", CONFIG_DURATION, hooks.header_timeout_ms, "\"10s\"",
             "100ms", "1h", RELOAD),
    QUANTITY("hooks", "body_timeout", CONFIG_DURATION, hooks.body_timeout_ms, "\"60s\"", "100ms",
             "24h", RELOAD),
    QUANTITY("hooks", "idle_timeout", CONFIG_DURATION, hooks.idle_timeout_ms, "\"75s\"", "100ms",
             "24h", RELOAD),
    QUANTITY("hooks", "answer_timeout", CONFIG_DURATION, hooks.answer_timeout_ms, "\"8s\"", "10ms",
             "10m", RELOAD),
    LIST("hooks", "trusted_proxies", hooks.trusted_proxies, config_check_network,
         "addresses and CIDR ranges", RELOAD),
    BOOL("hooks", "api", hooks.api, "false"),
    TEXT("hooks", "tls_certificate", hooks.tls_certificate, "\"\"", config_check_path_or_empty,
         "an absolute path, or empty", RESTART),
    TEXT("hooks", "tls_key", hooks.tls_key, "\"\"", config_check_path_or_empty,
         "an absolute path, or empty", RESTART),

    TEXT("admin", "listen", admin.listen, "\"127.0.0.1:8081\"", config_check_listen_or_empty,
         "\"ADDRESS:PORT\", \"[IPV6]:PORT\", \"unix:/PATH\", or empty", RESTART),
    TEXT("admin", "socket", admin.socket, "\"/run/webhookd/admin.sock\"",
         config_check_socket_or_empty, "an absolute path, or empty", RESTART),
    TEXT("admin", "socket_group", admin.socket_group, "\"\"", config_check_account_or_empty,
         "a group, or empty", RESTART),
    TEXT("admin", "public_url", admin.public_url, "\"\"", config_check_url_or_empty,
         "an http:// or https:// URL, or empty", RELOAD),
    LIST("admin", "hosts", admin.hosts, config_check_host, "host names", RELOAD),

    BOOL("runner", "enabled", runner.enabled, "true"),
    QUANTITY("runner", "max_vessels", CONFIG_NUMBER, runner.max_vessels, "0", "0", "10000", RELOAD),
    QUANTITY("runner", "nice", CONFIG_NUMBER, runner.nice, "5", "0", "19", RELOAD),
    QUANTITY("runner", "max_output", CONFIG_SIZE, runner.max_output_bytes, "\"10MiB\"", "1KiB",
             "16GiB", RELOAD),
    QUANTITY("runner", "stop_grace", CONFIG_DURATION, runner.stop_grace_ms, "\"10s\"", "0", "1h",
             RELOAD),
    TEXT("runner", "bash", runner.bash, "\"bash\"", config_check_program,
         "a name in runner.path, or an absolute path", RELOAD),
    TEXT("runner", "python", runner.python, "\"python3\"", config_check_program,
         "a name in runner.path, or an absolute path", RELOAD),
    TEXT("runner", "node", runner.node, "\"node\"", config_check_program,
         "a name in runner.path, or an absolute path", RELOAD),
    TEXT("runner", "path", runner.path, "\"/usr/local/bin:/usr/bin:/bin\"",
         config_check_search_path, "absolute paths separated by \":\"", RELOAD),
    CHOICE("runner", "sandbox", runner.sandbox, "\"strict\"", sandboxes, "strict, off", RESTART),
    TEXT("runner", "user", runner.user, "\"nobody\"", config_check_account, "a user", RESTART),
    LIST("runner", "readable", runner.readable, config_check_path, "absolute paths", RESTART),
    LIST("runner", "writable", runner.writable, config_check_path, "absolute paths", RESTART),
    BOOL("runner", "network", runner.network, "true"),
    QUANTITY("runner", "max_memory", CONFIG_SIZE, runner.max_memory_bytes, "\"1GiB\"", "16MiB",
             "1024GiB", RELOAD),
    QUANTITY("runner", "max_processes", CONFIG_NUMBER, runner.max_processes, "512", "1", "1000000",
             RELOAD),
    QUANTITY("runner", "max_open_files", CONFIG_NUMBER, runner.max_open_files, "1024", "16",
             "1000000", RELOAD),
    QUANTITY("runner", "max_disk", CONFIG_SIZE, runner.max_disk_bytes, "\"10GiB\"", "1MiB",
             "1048576GiB", RELOAD),

    QUANTITY("retention", "runs", CONFIG_DURATION, retention.runs_ms, "\"90d\"", "0", "36500d",
             RELOAD),

    BOOL("packages", "enabled", packages.enabled, "true"),
    TEXT("packages", "dir", packages.dir, "\"/var/cache/webhookd\"", config_check_folder,
         "an absolute path", RESTART),
    BOOL("packages", "network", packages.network, "true"),
    BOOL("packages", "build", packages.build, "false"),
    CHOICE("packages", "system", packages.system, "\"host\"", systems, "host, layer", RESTART),
    TEXT("packages", "pip_index", packages.pip_index, "\"https://pypi.org/simple\"",
         config_check_index_or_empty, "an http:// or https:// URL, or empty", RELOAD),
    LIST("packages", "pip_find_links", packages.pip_find_links, config_check_path, "absolute paths",
         RELOAD),
    TEXT("packages", "npm", packages.npm, "\"npm\"", config_check_program,
         "a name in runner.path, or an absolute path", RELOAD),
    TEXT("packages", "npm_registry", packages.npm_registry, "\"https://registry.npmjs.org\"",
         config_check_url, "an http:// or https:// URL", RELOAD),
    TEXT("packages", "ca_file", packages.ca_file, "\"\"", config_check_path_or_empty,
         "an absolute path, or empty", RELOAD),
    TEXT("packages", "proxy", packages.proxy, "\"\"", config_check_url_or_empty,
         "an http:// or https:// URL, or empty", RELOAD),
    TEXT("packages", "netrc", packages.netrc, "\"\"", config_check_path_or_empty,
         "an absolute path, or empty", RELOAD),
    QUANTITY("packages", "max_installs", CONFIG_NUMBER, packages.max_installs, "2", "1", "64",
             RELOAD),
    QUANTITY("packages", "timeout", CONFIG_DURATION, packages.timeout_ms, "\"10m\"", "1s", "24h",
             RELOAD),
    QUANTITY("packages", "max_memory", CONFIG_SIZE, packages.max_memory_bytes, "\"2GiB\"", "16MiB",
             "1024GiB", RELOAD),
    QUANTITY("packages", "max_size", CONFIG_SIZE, packages.max_size_bytes, "\"5GiB\"", "1MiB",
             "1048576GiB", RELOAD),
    QUANTITY("packages", "keep", CONFIG_DURATION, packages.keep_ms, "\"30d\"", "1s", "36500d",
             RELOAD),
};
const size_t config_key_count = ARRAY_COUNT(config_keys);
_Static_assert(ARRAY_COUNT(config_keys) <= CONFIG_KEYS_MAX, "room for one entry per key");

const struct config_key config_fleet_keys[CONFIG_FLEET_KEYS] = {
    [CONFIG_FLEET_SANDBOX] = {.info = {"fleet", "sandbox", "\"strict\"", "strict, off", RESTART},
                              .type = CONFIG_CHOICE,
                              .offset = offsetof(struct config_fleet, sandbox),
                              .choices = sandboxes},
    [CONFIG_FLEET_USER] = {.info = {"fleet", "user", "\"\"", "a user", RESTART},
                           .type = CONFIG_TEXT,
                           .offset = offsetof(struct config_fleet, user),
                           .check = config_check_account},
};

const char *config_sandbox_name(enum config_sandbox sandbox)
{
    return sandboxes[sandbox];
}

const struct config_key *config_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].info.section, section) == 0 &&
            strcmp(config_keys[i].info.name, name) == 0)
            return &config_keys[i];
    return NULL;
}

char *config_key_path(const char *section, const char *name)
{
    return section[0] == '\0' ? memory_string(name) : memory_format("%s.%s", section, name);
}
