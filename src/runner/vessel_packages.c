/* See vessel_packages.h. Called by runner/run when a vessel may start or is over, by runner/runner
 * at news from the installer, and by runner/launch. */
#include "runner/vessel_packages.h"

#include <assert.h>

#include "runner/settings.h"

struct installer_user vessel_packages_user(const struct isolation *isolation)
{
    const struct vessel_user *user = &isolation->user;
    return (struct installer_user){.is_strict = isolation->is_strict,
                                   .change = user->change,
                                   .name = user->name,
                                   .uid = user->uid,
                                   .gid = user->gid,
                                   .groups = user->groups,
                                   .group_count = user->group_count};
}

static void ask_for(struct run_vessel *vessel, const struct definition_vessel *own)
{
    const struct run *run = vessel->run;
    const struct isolation *isolation = runner_settings_isolation(
        run->runner->settings, run->work->org_name, run->work->project_name, run->work->fleet_name);
    const struct installer_request request = {
        .fleet_no = run->work->fleet_no,
        .version = run->work->version,
        .vessel_id = own->id,
        .blueprint_version = own->blueprint_version,
        .fleet_name = run->work->fleet_name,
        .code = own,
        .user = vessel_packages_user(isolation),
    };
    vessel->packages = installer_ask(run->runner->options.installer, &request);
}

/* Asks for the vessel's packages, unless that has been done. Returns false if it has none. Those of
 * a vessel that has a blueprint are the blueprint's (runner/blueprints). */
static bool ask(struct run_vessel *vessel)
{
    const struct definition_vessel *own = &vessel->run->definition->vessels[vessel->index];
    if (!vessel->packages && installer_is_needed(own))
        ask_for(vessel, own);
    return vessel->packages;
}

static bool is_working(const struct run_vessel *vessel)
{
    char reason[INSTALLER_REASON_BYTES];
    return installer_look(vessel->packages, reason) == INSTALLER_WORKING;
}

static void begin_to_wait(struct run_vessel *vessel)
{
    vessel->waits_for_packages = true;
    vessel->run->fleet_queue->waiting++;
    list_append(&vessel->run->runner->waiting, &vessel->waiting);
}

static void end_waiting(struct run_vessel *vessel)
{
    if (!vessel->waits_for_packages)
        return;
    assert(vessel->run->fleet_queue->waiting > 0);
    vessel->waits_for_packages = false;
    vessel->run->fleet_queue->waiting--;
    list_remove(&vessel->run->runner->waiting, &vessel->waiting);
    /* The fleet may claim again. */
    fair_queue_enter(&vessel->run->runner->fair_queue, vessel->run->fleet_queue);
    loop_wake(vessel->run->runner->loop);
}

void vessel_packages_prepare(struct run *run)
{
    for (size_t i = 0; i < run->definition->vessel_count; i++)
        if (!run->vessels[i].attempt && !vessel_status_has_ended(run->statuses[i]))
            (void)ask(&run->vessels[i]);
}

void vessel_packages_await(struct run_vessel *vessel)
{
    if (ask(vessel) && is_working(vessel))
        begin_to_wait(vessel);
    else
        runner_ready_add(vessel->run->runner, vessel);
}

void vessel_packages_news(struct runner *runner)
{
    LIST_EACH(struct run_vessel, vessel, &runner->waiting, waiting)
        if (!is_working(vessel)) {
            end_waiting(vessel);
            runner_ready_add(runner, vessel);
        }
}

void vessel_packages_drop(struct run_vessel *vessel)
{
    end_waiting(vessel);
    installer_drop(vessel->packages);
    vessel->packages = NULL;
}

/* ---- for an attempt ---- */

int vessel_packages_use(struct run_vessel *vessel, struct installer_use *use, struct error *error)
{
    char reason[INSTALLER_REASON_BYTES];
    *use = (struct installer_use){.lock_fd = -1};
    if (!ask(vessel)) /* after a restart nobody has */
        return 0;
    if (installer_look(vessel->packages, reason) == INSTALLER_FAILED)
        return error_set(error, ERROR_INVALID, "%s", reason);
    return installer_use(vessel->packages, use, error);
}

bool vessel_packages_have_failed(const struct run_vessel *vessel)
{
    char reason[INSTALLER_REASON_BYTES];
    return vessel->packages && installer_look(vessel->packages, reason) == INSTALLER_FAILED;
}

void vessel_packages_copy_log(const struct run_vessel *vessel, int to_fd)
{
    installer_copy_log(vessel->packages, to_fd);
}
