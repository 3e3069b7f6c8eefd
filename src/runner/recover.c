/* Recovery. Called by runner_start before the runner's thread exists and before anything is
 * claimed, so nothing here races with a claim.
 *
 * The order matters: first all running runs are loaded, then everything that belongs to none of
 * them is cleared away, and only then are the attempts examined. A record must not be removed
 * before the end that it reports is committed. */
#include "runner/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "supervisor/record.h"
#include "runner/blueprints.h"
#include "runner/trash.h"
#include "runner/run.h"
#include "runner/run_log.h"

#define PAGE_RUNS 64

/* What the last daemon left. Whatever the store does not account for is cleared away, unless this
 * program meets something that it does not understand. If it meets a run of a newer version, it
 * clears nothing. If it meets a running vessel that is not in this store, it clears no run's
 * folder. A program that understands them will clear the rest. */
struct remains {
    struct runner *runner;
    bool must_stay;
};

/* ---- loading ---- */

static int take_vessel(void *context, const struct vessel_row *row)
{
    struct run *run = context;
    if (row->index < 0 || (size_t)row->index >= run->definition->vessel_count)
        return 0;
    size_t index = (size_t)row->index;
    run->vessel_run_ids[index] = row->id;
    run->statuses[index] = row->status;
    run->vessels[index].attempts = row->attempts;
    run->vessels[index].started_ms = row->started_ms;
    return 0;
}

/* The run goes on with the versions of blueprints that it has recorded. */
static int take_blueprint(void *context, const struct vessel_row *row)
{
    struct definition *definition = context;
    if (row->index >= 0 && (size_t)row->index < definition->vessel_count &&
        row->blueprint_version > 0)
        definition->vessels[row->index].blueprint_version = row->blueprint_version;
    return 0;
}

static int recover_blueprints(struct runner *runner, const struct run_work *work,
                              struct definition *definition, struct error *error)
{
    for (size_t i = 0; i < definition->vessel_count; i++)
        if (definition->vessels[i].kind == VESSEL_BLUEPRINT)
            return store_list_vessels(runner->store, &work->ids.run_id, take_blueprint, definition,
                                      error) != 0
                       ? -1
                       : blueprints_resolve(runner->store, definition, error);
    return 0;
}

/* Counts the retries after errors: attempts with an exit code (an interruption has none) that
 * another attempt followed or is to follow. The wait for the latter continues where it was. */
static void take_ended_attempt(struct run_vessel *vessel, const struct attempt_row *row)
{
    const struct run *run = vessel->run;
    bool is_last = row->attempt == vessel->attempts;
    vessel->retry_at_ms = 0;
    if (!row->result.has_exit_code || (is_last && run->statuses[vessel->index] != VESSEL_RETRYING))
        return;
    vessel->retries++;
    if (is_last)
        vessel->retry_at_ms =
            row->result.ended_ms + run->definition->vessels[vessel->index].guardrails.retry_wait_ms;
}

static int take_attempt(void *context, const struct attempt_row *row)
{
    struct run *run = context;
    if (row->vessel_index < 0 || (size_t)row->vessel_index >= run->definition->vessel_count)
        return 0;
    struct run_vessel *vessel = &run->vessels[row->vessel_index];
    if (row->has_ended)
        take_ended_attempt(vessel, row);
    else if (!vessel->attempt)
        vessel->attempt = attempt_new(vessel, row->attempt, &row->boot_id, run_attempt_over);
    return 0;
}

static int load_run(struct runner *runner, int64_t number, struct remains *remains,
                    struct error *error)
{
    struct run_work *work = store_load_work(runner->store, number, error);
    if (!work)
        return -1;
    struct error damage = ERROR_INIT;
    struct definition *definition =
        definition_json_read(work->definition_json, strlen(work->definition_json), &damage);
    if (!definition) {
        run_log_error(work, "fleet run not recovered, its folders are kept", log_why(&damage));
        store_free_work(work);
        remains->must_stay = true;
        return 0;
    }
    if (recover_blueprints(runner, work, definition, error) != 0) {
        store_free_work(work);
        definition_free(definition);
        return -1;
    }
    struct run *run = run_new(runner, work, definition);
    if (store_list_vessels(runner->store, &work->ids.run_id, take_vessel, run, error) != 0)
        return -1;
    return store_list_attempts(runner->store, &work->ids.run_id, take_attempt, run, error);
}

static int load_runs(struct runner *runner, struct remains *remains, struct error *error)
{
    int64_t numbers[PAGE_RUNS], last = 0;
    for (;;) {
        int count = store_find_running(runner->store, last, PAGE_RUNS, numbers, error);
        if (count < 0)
            return -1;
        if (count == 0)
            return 0;
        for (int i = 0; i < count; i++)
            if (load_run(runner, numbers[i], remains, error) != 0)
                return -1;
        last = numbers[count - 1];
    }
}

/* ---- clearing ---- */

static bool is_open_run(struct remains *remains, const char *name)
{
    struct runner *runner = remains->runner;
    struct id id;
    if (id_parse(name, &id) != 0)
        return false;
    LIST_EACH(struct run, run, &runner->runs, active)
        if (id_equal(&run->work->ids.run_id, &id))
            return true;
    return false;
}

static bool is_open_attempt(struct remains *remains, const char *name)
{
    struct runner *runner = remains->runner;
    LIST_EACH(struct run, run, &runner->runs, active) {
        for (size_t i = 0; i < run->definition->vessel_count; i++) {
            const struct attempt *attempt = run->vessels[i].attempt;
            if (attempt && strcmp(attempt->name, name) == 0)
                return true;
        }
    }
    /* The attempt is not in this store, which may be an older copy, but it may be running: then its
     * log and record must not be removed. */
    int fd = record_open(runner->attempts_fd, name);
    bool is_held = fd >= 0 && record_lock_is_held(fd) == 1;
    if (fd >= 0)
        close(fd);
    if (is_held) {
        log_warning("running vessel is unknown to the store, left alone", log_text("record", name));
        remains->must_stay = true; /* its run's folder as well */
    }
    return is_held;
}

/* Clears away folders of runs and records of attempts that have ended or whose start was never
 * committed. One that cannot be cleared away does no harm. */
static int clear_folder(struct remains *remains, int folder_fd, const char *folder,
                        bool (*is_open)(struct remains *, const char *), struct error *error)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        error_set_errno(error, errno, "cannot list the folder \"%s\"", folder);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    struct dirent *entry;
    while ((entry = readdir(stream))) {
        const char *name = entry->d_name;
        struct error why = ERROR_INIT;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !is_open(remains, name) &&
            trash_discard(remains->runner->trash, folder_fd, name, &why) != 0)
            log_warning("leftover not moved to the trash", log_text("name", name), log_why(&why));
    }
    closedir(stream);
    return 0;
}

/* ---- going on ---- */

static int64_t recover_attempts(struct run *run)
{
    int64_t count = 0;
    for (size_t i = 0; i < run->definition->vessel_count; i++) {
        if (!run->vessels[i].attempt)
            continue;
        attempt_recover(run->vessels[i].attempt);
        count++;
    }
    return count;
}

int recover(struct runner *runner, struct error *error)
{
    struct remains remains = {runner, false};
    if (load_runs(runner, &remains, error) != 0) {
        error_context(error, "cannot recover the running fleet runs");
        return -1;
    }
    if (!remains.must_stay &&
        clear_folder(&remains, runner->attempts_fd, "attempts", is_open_attempt, error) != 0)
        return -1;
    if (!remains.must_stay &&
        clear_folder(&remains, runner->runs_fd, "runs", is_open_run, error) != 0)
        return -1;
    int64_t runs = 0, attempts = 0;
    LIST_EACH(struct run, run, &runner->runs, active) {
        attempts += recover_attempts(run);
        run_resume(run);
        runs++;
    }
    if (runs > 0)
        log_info("running fleet runs recovered", log_int("runs", runs),
                 log_int("attempts", attempts));
    return 0;
}
