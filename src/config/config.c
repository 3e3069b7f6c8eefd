/* Loads webhookd.conf; checks it before a start and compares it after a reload. parse.c does the
 * parsing. Called by webhookd/main.c and webhookd/configuration.c, on the main thread. */
#include "config/config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/snapshot.h"
#include "config/value.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define CREATE_IT      " (create it, an empty file is valid; or name another file with -c)"

struct config *config_load(const char *path, struct config_report *report)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    struct config *config = NULL;
    if (file_read(AT_FDCWD, path, FILE_BYTES_MAX, &text, &error) != 0)
        config_report_add(report, "%s%s", error.message,
                          error.kind == ERROR_NOT_FOUND ? CREATE_IT : "");
    else
        config = config_parse(text.data, text.bytes, path, report);
    buffer_free(&text);
    return config;
}

/* ---- the check before a start ---- */

int config_check_start(const struct config *config, struct error *error)
{
    if (config->hooks.tls_certificate[0] != '\0' || config->hooks.tls_key[0] != '\0')
        return error_set(error, ERROR_INVALID,
                         "hooks.tls_certificate, hooks.tls_key: this version does not support TLS "
                         "yet; leave them empty and put a proxy in front of webhookd");
    return 0;
}

/* ---- the report after a reload ---- */

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
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (key->info.reloadable || config_value_equal(key, running, fresh))
            continue;
        char *path = config_key_path(key->info.section, key->info.name);
        config_report_add(report, "%s", path);
        free(path);
    }
    if (!fleets_equal(running, fresh))
        config_report_add(report, "fleet");
}
