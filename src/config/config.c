/* The life of a snapshot, and what webhookd's main says about one at start and after a reload. Parsing is in parse.c. */
#include "config/config.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/snapshot.h"
#include "config/value.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define LINE_BYTES     4000

/* ---- snapshots ---- */

_Static_assert(offsetof(struct config_snapshot, config) == 0, "the casts below");

struct config_snapshot *config_snapshot_new(void)
{
    struct config_snapshot *snapshot = memory_alloc(sizeof(*snapshot));
    atomic_init(&snapshot->holders, 1);
    for (size_t i = 0; i < config_key_count; i++)
        config_value_set_default(&config_keys[i], &snapshot->config);
    return snapshot;
}

struct config *config_hold(struct config *config)
{
    struct config_snapshot *snapshot = (struct config_snapshot *)config;
    atomic_fetch_add_explicit(&snapshot->holders, 1, memory_order_relaxed);
    return config;
}

static void free_fleets(struct config *config)
{
    for (size_t i = 0; i < config->fleet_count; i++) {
        free(config->fleets[i].name);
        for (size_t k = 0; k < CONFIG_FLEET_KEYS; k++)
            config_value_free(&config_fleet_keys[k], &config->fleets[i]);
    }
    free(config->fleets);
    config->fleets = NULL;
    config->fleet_count = 0;
}

void config_release(struct config *config)
{
    struct config_snapshot *snapshot = (struct config_snapshot *)config;
    if (!snapshot || atomic_fetch_sub_explicit(&snapshot->holders, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < config_key_count; i++)
        config_value_free(&config_keys[i], config);
    free_fleets(config);
    free(snapshot);
}

struct config *config_load(const char *path, struct config_report *report)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct config *config = NULL;
    if (file_read(AT_FDCWD, path, FILE_BYTES_MAX, &text, &error) != 0)
        config_report_add(report, "%s", error.message);
    else
        config = config_parse(text.data, text.bytes, path, report);
    buffer_free(&text);
    return config;
}

/* ---- reports ---- */

void config_report_add(struct config_report *report, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    report->lines = memory_array(report->lines, report->count + 1, sizeof(*report->lines));
    report->lines[report->count++] = memory_string(line);
}

void config_report_free(struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->lines[i]);
    free(report->lines);
    *report = (struct config_report){0};
}

/* ---- what is said at start ---- */

int config_check_start(const struct config *config, struct error *error)
{
    if (config->hooks.tls_certificate[0] != '\0' || config->hooks.tls_key[0] != '\0')
        return error_set(error, ERROR_INVALID,
                         "hooks.tls_certificate, hooks.tls_key: this version does not speak TLS "
                         "yet; leave them empty and put a proxy in front");
    return 0;
}

/* ---- what is said after a reload ---- */

static bool fleets_equal(const struct config *a, const struct config *b)
{
    if (a->fleet_count != b->fleet_count)
        return false;
    for (size_t i = 0; i < a->fleet_count; i++) {
        const struct config_fleet *left = &a->fleets[i], *right = &b->fleets[i];
        if (strcmp(left->name, right->name) != 0 || left->has_sandbox != right->has_sandbox ||
            left->sandbox != right->sandbox || strcmp(left->user, right->user) != 0)
            return false;
    }
    return true;
}

void config_report_restart(const struct config *running, const struct config *fresh,
                           struct config_report *report)
{
    static const char follows[] = "changed, takes effect after a restart";
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (key->info.reloadable || config_value_equal(key, running, fresh))
            continue;
        char *path = config_key_path(key->info.section, key->info.name);
        config_report_add(report, "%s: %s", path, follows);
        free(path);
    }
    if (!fleets_equal(running, fresh))
        config_report_add(report, "fleet sections: %s", follows);
}

void config_keep_until_restart(struct config *fresh, const struct config *running)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (!config_keys[i].info.reloadable)
            config_value_copy(&config_keys[i], fresh, running);
    free_fleets(fresh);
    fresh->fleets = memory_array(NULL, running->fleet_count, sizeof(*fresh->fleets));
    fresh->fleet_count = running->fleet_count;
    for (size_t i = 0; i < running->fleet_count; i++) {
        const struct config_fleet *from = &running->fleets[i];
        fresh->fleets[i] = (struct config_fleet){.name = memory_string(from->name),
                                                 .has_sandbox = from->has_sandbox,
                                                 .sandbox = from->sandbox,
                                                 .user = memory_string(from->user)};
    }
}
