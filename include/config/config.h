/* webhookd.conf as one immutable snapshot. The table in config/keys.c has one row for each key:
 * section, name, type, default, range, and whether a reload can change it.
 *
 * A snapshot is reference-counted, and any thread may hold one. A reload parses a fresh snapshot,
 * and the holders replace theirs. */
#ifndef WEBHOOKD_CONFIG_CONFIG_H
#define WEBHOOKD_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/resources.h"

#define CONFIG_DEFAULT_PATH "/etc/webhookd/webhookd.conf"
#define CONFIG_EXIT_STATUS  78 /* invalid configuration (EX_CONFIG of sysexits.h) */

struct config_list {
    char **items;
    size_t count;
};

enum config_sandbox { CONFIG_SANDBOX_STRICT, CONFIG_SANDBOX_OFF };
const char *config_sandbox_name(enum config_sandbox sandbox); /* as in the file */
/* Where system packages come from. config_check_start refuses "layer", which is not available. */
enum config_system { CONFIG_SYSTEM_HOST, CONFIG_SYSTEM_LAYER };

/* The bounds that config/bounds lowers if they need more than there is. */
enum config_bound_name {
    CONFIG_BOUND_CONNECTIONS, /* hooks.max_connections */
    CONFIG_BOUND_IN_FLIGHT,   /* hooks.max_in_flight, in bytes */
    CONFIG_BOUND_ADMIN,       /* connections of each admin listener */
    CONFIG_BOUND_VESSELS,     /* runner.max_vessels */
    CONFIG_BOUNDS
};

struct config_bound {
    const char *name; /* the key, "hooks.max_connections", or "admin.connections", which has none */
    int64_t configured, effective;
    char reason[RESOURCE_REASON_BYTES]; /* why the effective bound is lower; "" if it is not */
    const char *advice;                 /* what to change */
};

/* Sizes are in bytes, durations in milliseconds; neither is ever negative. Strings are never NULL;
 * "" means not set. */
struct config {
    char *state_dir;
    char *store; /* store/location.h */
    enum log_level log_level;
    enum log_format log_format;
    int64_t min_free_bytes;
    struct {
        char *listen;     /* "ADDRESS:PORT", "[IPV6]:PORT", "unix:/PATH"; port 0 = any free one */
        char *public_url; /* without a trailing slash */
        int64_t max_body_bytes;
        int64_t max_connections;
        int64_t max_in_flight_bytes;
        int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms, answer_timeout_ms;
        struct config_list trusted_proxies; /* addresses and CIDR ranges, checked */
        bool api;                           /* whether the public listener serves the API trigger */
        char *tls_certificate, *tls_key;
    } hooks;
    struct {
        char *listen;
        char *socket; /* path */
        char *socket_group;
        int64_t max_connections;  /* of each listener; no key of the file */
        char *public_url;         /* "" = none; without a trailing slash */
        struct config_list hosts; /* host names, checked */
    } admin;
    struct {
        bool enabled;
        int64_t max_vessels; /* 0 = 4 × cores until config_bounds_apply */
        int64_t nice;
        int64_t max_output_bytes;
        int64_t stop_grace_ms;
        char *bash, *python, *node, *path;
        enum config_sandbox sandbox;
        char *user;
        struct config_list readable, writable;
        bool network;
        int64_t max_memory_bytes, max_processes, max_open_files;
        int64_t max_disk_bytes;
    } runner;
    struct {
        int64_t runs_ms; /* 0 = keep for ever */
    } retention;
    struct {
        bool enabled;
        char *dir;
        bool network, build;
        enum config_system system;
        char *pip_index;                   /* URL without a trailing slash, or "" */
        struct config_list pip_find_links; /* absolute paths */
        char *npm;
        char *npm_registry; /* URL without a trailing slash */
        char *ca_file, *proxy, *netrc;
        int64_t max_installs, timeout_ms, max_memory_bytes, max_size_bytes, keep_ms;
    } packages;
    /* the `fleet "org/project/name" { … }` sections, with the keys supported so far */
    struct config_fleet {
        char *name;
        bool has_sandbox;
        enum config_sandbox sandbox;
        char *user;  /* "" = runner.user */
        char *place; /* "webhookd.conf:12", the line of its first key, or of its end */
    } * fleets;
    size_t fleet_count;
    struct config_bound bounds[CONFIG_BOUNDS]; /* as config_bounds_apply has left them */
};

/* Errors or notes, one line each: "webhookd.conf:12: hooks.max_body: …". */
struct config_report {
    char **lines;
    size_t count;
};

/* Reads and checks the file. Returns a snapshot with a reference count of 1, or NULL and at least
 * one line in the report if the file has errors. Reports all errors up to the first syntax
 * error. */
struct config *config_load(const char *path, struct config_report *report);
/* The same for text in memory; messages show `name` instead of the path. */
struct config *config_parse(const char *text, size_t bytes, const char *name,
                            struct config_report *report);

struct config *config_hold(struct config *config); /* any thread */
void config_release(struct config *config);        /* any thread; NULL is fine */

/* Checks for settings that the parser accepts but that prevent a start: TLS keys; the folder of
 * packages and their netrc, which it looks for on the disk. Returns 0, or -1 and ERROR_INVALID; the
 * caller exits with 78. */
int config_check_start(const struct config *config, struct error *error);
/* Adds a line for each key that differs and needs a restart ("hooks.listen"), and "fleet" if the
 * fleet sections differ. */
void config_report_restart(const struct config *running, const struct config *fresh,
                           struct config_report *report);

/* Copies the running values of all settings that need a restart into the fresh snapshot, which must
 * have no other holder yet. */
void config_keep_until_restart(struct config *fresh, const struct config *running);

void config_report_add(struct config_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void config_report_free(struct config_report *report);

#endif
