/* Loads webhookd.conf; checks it before a start and compares it after a reload. parse.c does the
 * parsing. Called by webhookd/main.c and webhookd/configuration.c, on the main thread. */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
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

/* Neither folder may be in the other: the state is for webhookd alone, and installed packages are
 * for vessels, too. */
static int check_packages_dir(const struct config *config, struct error *error)
{
    char *state_dir = path_resolve(config->state_dir);
    char *dir = path_resolve(config->packages.dir);
    bool is_bad =
        path_overlap(state_dir, dir) || path_overlap(config->state_dir, config->packages.dir);
    free(dir);
    free(state_dir);
    return !is_bad ? 0
                   : error_set(error, ERROR_INVALID,
                               "packages.dir: \"%s\" must not be in state_dir (\"%s\"), and "
                               "state_dir not in it; choose another folder",
                               config->packages.dir, config->state_dir);
}

static int check_netrc(const char *path, struct error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set(error, ERROR_INVALID,
                         "packages.netrc: cannot read \"%s\" (%s); create the file, or remove the "
                         "key",
                         path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INVALID, "packages.netrc: \"%s\" is not a file", path);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(error, ERROR_INVALID,
                         "packages.netrc: others than its owner may access \"%s\"; change its mode "
                         "to 0600",
                         path);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return error_set(error, ERROR_INVALID,
                         "packages.netrc: \"%s\" must belong to root or to the user of webhookd",
                         path);
    return 0;
}

static int check_packages(const struct config *config, struct error *error)
{
    if (config->packages.system == CONFIG_SYSTEM_LAYER)
        return error_set(error, ERROR_INVALID,
                         "packages.system: \"layer\" is not available yet; use \"host\"");
    if (config->packages.build)
        return error_set(error, ERROR_INVALID,
                         "packages.build: building packages is not available yet; use false");
    if (!config->packages.enabled)
        return 0;
    if (check_packages_dir(config, error) != 0)
        return -1;
    return config->packages.netrc[0] == '\0' ? 0 : check_netrc(config->packages.netrc, error);
}

int config_check_start(const struct config *config, struct error *error)
{
    if (config->hooks.tls_certificate[0] != '\0' || config->hooks.tls_key[0] != '\0')
        return error_set(error, ERROR_INVALID,
                         "hooks.tls_certificate, hooks.tls_key: this version does not support TLS "
                         "yet; leave them empty and put a proxy in front of webhookd");
    return check_packages(config, error);
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
