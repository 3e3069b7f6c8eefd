/* See install.h. Called by packages/threads.
 *
 *     probe ─► lock, unless the store has one that fits ─► install, unless it is there
 *
 * Each is a run of a tool in a place of its own (packages/step, packages/tool). Fetching executes
 * no code of a package. */
#include "packages/install.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "packages/hand_over.h"
#include "packages/lock.h"
#include "packages/reason.h"
#include "packages/step.h"
#include "packages/tool.h"

/* ---- one tool ---- */

/* Tools write to the log of that name from now on. */
static void begin_log(struct install *install, const char *name)
{
    (void)snprintf(install->log, sizeof(install->log), "%s", name);
    install->log_begins(install->context, name);
}

/* Runs a script of the language's tool in the place, with its output in the log. */
static int run_tool(struct install *install, const struct cache_place *place, const char *script,
                    bool network, struct error *error)
{
    const struct tool *tool = tool_of(install->language);
    struct attempt_result result;
    int log_fd = cache_open_log(install->cache, install->log, error);
    if (log_fd < 0)
        return -1;
    struct step step = {
        .config = install->config,
        .supervisor_path = install->supervisor_path,
        .cache = install->cache,
        .place = place,
        .user = &install->user,
        .script = memory_string(script),
        .network = network && install->config->packages.network,
        .reads_netrc = tool->reads_netrc,
        .log_fd = log_fd,
        .is_unwanted = install->is_unwanted,
        .context = install->context,
    };
    step.arguments = tool->arguments(install->config, &step.argument_count);
    int outcome = step_run(&step, &result, error);
    if (outcome == 0 && (result.ending != ATTEMPT_EXITED || result.exit_code != 0))
        outcome = reason_set(install->cache, install->log, tool, &result, error);
    free(step.arguments);
    free(step.script);
    close(log_fd);
    return outcome;
}

/* ---- the interpreter ---- */

/* Reads the line that the probe has written. Free it. */
static char *read_interpreter(const struct cache_place *place, struct error *error)
{
    char *text = tool_read_file(place->fd, TOOL_INTERPRETER, error);
    if (text)
        text[strcspn(text, "\n")] = '\0';
    return text;
}

static char *probe(struct install *install, const struct cache_place *place, struct error *error)
{
    const struct tool *tool = tool_of(install->language);
    if (run_tool(install, place, tool->probe, false, error) != 0)
        return NULL;
    return read_interpreter(place, error);
}

/* ---- the lock ---- */

/* Has the tool resolve what is asked for. The versions of a lock for another interpreter are kept,
 * and its hashes are found again. */
static char *resolve(struct install *install, const struct cache_place *place, const char *old,
                     struct error *error)
{
    const struct tool *tool = tool_of(install->language);
    if (tool->write_request(place->fd, install->packages, old, error) != 0 ||
        run_tool(install, place, tool->lock, true, error) != 0)
        return NULL;
    return tool->read_lock(place->fd, error);
}

/* Fills in the lock of this version: the stored one if it fits, else a new one, which is committed.
 * That of a refresh is not committed yet: it replaces one with which vessels run. */
static int lock_packages(struct install *install, const struct cache_place *place,
                         const char *interpreter, struct package_lock *lock, struct error *error)
{
    char *request = lock_describe_request(install->language, install->packages);
    int found =
        install->is_refresh ? 0 : lock_find(install->store, &install->place, request, lock, error);
    if (found < 0 || (found > 0 && strcmp(lock->interpreter, interpreter) == 0)) {
        free(request);
        return found < 0 ? -1 : 0;
    }
    char *text = resolve(install, place, found > 0 ? lock->lock : NULL, error);
    store_free_package_lock(lock);
    *lock = (struct package_lock){.request = request,
                                  .interpreter = memory_string(interpreter),
                                  .lock = text,
                                  .locked_ms = clock_wall_ms()};
    if (!text || install->is_refresh)
        return text ? 0 : -1;
    return lock_keep(install->queue, &install->place, lock, error);
}

/* ---- the environment ---- */

static int fill(struct install *install, const struct package_lock *lock, struct cache_place *place,
                struct error *error)
{
    const struct tool *tool = tool_of(install->language);
    int64_t bytes = 0;
    if (tool->write_lock(place->fd, lock->lock, error) != 0 ||
        run_tool(install, place, tool->install, true, error) != 0)
        return -1;
    if (file_remove_tree(place->fd, STEP_FILES, error) != 0 ||
        file_remove_tree(place->fd, ".webhookd.webhook_body", error) != 0 ||
        hand_over_tree(place->fd, &bytes, error) != 0)
        return -1;
    return cache_publish(install->cache, place, bytes, error);
}

static int install_environment(struct install *install, const struct package_lock *lock,
                               struct error *error)
{
    struct cache_place place;
    int64_t start_ms = clock_monotonic_ms();
    begin_log(install, install->key);
    if (cache_place_open(install->cache, install->key, &install->user, &place, error) != 0)
        return -1;
    int result = fill(install, lock, &place, error);
    cache_place_close(&place);
    install->has_installed = result == 0;
    if (result == 0)
        log_info("packages installed", log_text("key", install->key),
                 log_text("fleet_name", install->fleet_name),
                 log_int("duration_ms", clock_monotonic_ms() - start_ms));
    return result;
}

static int provide(struct install *install, const struct package_lock *lock, struct error *error)
{
    lock_make_key(install->language, lock, install->is_shared ? NULL : &install->user,
                  install->key);
    if (cache_has(install->cache, install->key))
        return 0;
    install->claim(install->claims, install->key);
    int result =
        cache_has(install->cache, install->key) ? 0 : install_environment(install, lock, error);
    install->release(install->claims, install->key);
    return result;
}

/* ---- the whole ---- */

/* The place for the probe and the lock has a name of the same form as an environment's. */
static void name_scratch(char name[INSTALLER_KEY_BYTES])
{
    uint8_t hash[SECRET_HASH_BYTES];
    secret_random(hash, sizeof(hash));
    secret_hash_format(hash, name);
}

static void begin_lock_log(struct install *install)
{
    char id[ID_TEXT_BYTES], name[INSTALL_LOG_BYTES];
    (void)snprintf(name, sizeof(name), "%s-%s", install->is_refresh ? "refresh" : "lock",
                   id_format(&install->place.vessel_id, id));
    begin_log(install, name);
}

/* Opens the place for the probe, and probes. If the sandbox is off for the fleet, one is tried
 * nevertheless. */
static char *open_scratch(struct install *install, struct cache_place *place, struct error *error)
{
    char name[INSTALLER_KEY_BYTES];
    struct error first = ERROR_INIT;
    bool must_be_strict = install->is_shared = install->user.is_strict;
    name_scratch(name);
    install->user.is_strict = true;
    char *interpreter = NULL;
    if (cache_place_open(install->cache, name, &install->user, place, &first) == 0)
        interpreter = probe(install, place, &first);
    if (interpreter || must_be_strict) {
        if (!interpreter)
            error_set(error, first.kind, "%s", first.message);
        return interpreter;
    }
    log_warning("packages are installed without a sandbox",
                log_text("fleet_name", install->fleet_name), log_why(&first));
    cache_place_close(place);
    install->user.is_strict = false;
    if (cache_place_open(install->cache, name, &install->user, place, error) != 0)
        return NULL;
    return probe(install, place, error);
}

int install_run(struct install *install, struct error *error)
{
    struct cache_place place = {.fd = -1, .parent_fd = -1};
    struct package_lock lock = {.request = NULL};
    begin_lock_log(install);
    char *interpreter = open_scratch(install, &place, error);
    int result = interpreter ? lock_packages(install, &place, interpreter, &lock, error) : -1;
    cache_place_close(&place);
    if (result == 0)
        result = provide(install, &lock, error);
    if (result == 0 && install->is_refresh)
        result = lock_keep(install->queue, &install->place, &lock, error);
    store_free_package_lock(&lock);
    free(interpreter);
    return result;
}
