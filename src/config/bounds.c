/* See bounds.h. webhookd/configuration.c calls config_bounds_apply on the main thread, before other
 * threads know the configuration; the rest works on any thread.
 *
 * Each resource is shared out by one rule. What must be there comes first. If the rest is too small
 * for everybody, each party may have its share or, if that is more, what the others do not need.
 * Then one party cannot crowd out another, and nothing is left unused. */
#include "config/bounds.h"

#include <string.h>
#include <unistd.h>

#define ADMIN_CONNECTIONS 128 /* of each of the two listeners */
#define LISTENERS         2
#define SLOTS_PER_CORE    4

/* Descriptors. A vessel: its pidfd, its record. An admin connection: its socket, an epoll, two of
 * the store, the file that it sends. At least: those of the log, the store, locks, epoll and
 * listeners, sockets that linger (http/linger.c), one launch at a time. */
#define FILES_AT_LEAST   256
#define FILES_SLACK      64 /* connections that were shut down and are not closed yet */
#define FILES_PER_VESSEL 2
#define FILES_PER_ADMIN  5

/* Tasks. A vessel: its supervisor, pid 1 of its sandbox, its interpreter, one program that it runs.
 * An admin connection: its thread. */
#define TASKS_AT_LEAST   32 /* the threads that always run (docs/architecture.md) */
#define TASKS_PER_VESSEL 4

/* Memory. A connection: libmicrohttpd's pool of 24 KiB and what belongs to it. */
#define MEMORY_AT_LEAST       ((int64_t)64 << 20)
#define MEMORY_PER_CONNECTION ((int64_t)32 << 10)

static const char *const names[CONFIG_BOUNDS] = {
    [CONFIG_BOUND_CONNECTIONS] = "hooks.max_connections",
    [CONFIG_BOUND_IN_FLIGHT] = "hooks.max_in_flight",
    [CONFIG_BOUND_ADMIN] = "admin.connections",
    [CONFIG_BOUND_VESSELS] = "runner.max_vessels",
};

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Returns what one party gets of `rest`: what it needs, but if all together need more, at most its
 * share or what the others leave. */
static int64_t share_out(int64_t rest, int64_t share, int64_t needs, int64_t others_need)
{
    return lesser(needs, greater(share, rest - others_need));
}

/* Lowers the bound to this number, but never below 1. */
static void lower(struct config_bound *bound, int64_t number, const struct resource *resource)
{
    number = greater(number, 1);
    if (number >= bound->effective)
        return;
    bound->effective = number;
    bound->advice = resource->advice;
    memcpy(bound->reason, resource->reason, sizeof(bound->reason));
}

/* ---- descriptors ---- */

/* Each connection has one, and so has each large body. */
static int64_t files_of_hooks(int64_t connections, int64_t in_flight_bytes)
{
    return connections + lesser(connections, in_flight_bytes / CONFIG_LARGE_BODY_BYTES) +
           FILES_SLACK;
}

/* The reverse: how many connections these descriptors are enough for. */
static int64_t connections_for(int64_t files, int64_t in_flight_bytes)
{
    int64_t large = in_flight_bytes / CONFIG_LARGE_BODY_BYTES;
    files -= FILES_SLACK;
    return files >= 2 * large ? files - large : files / 2;
}

static int64_t files_of_admin(int64_t connections)
{
    return LISTENERS * FILES_PER_ADMIN * connections;
}

static void fit_files(struct config_bound bounds[CONFIG_BOUNDS], const struct resource *files)
{
    struct config_bound *hooks = &bounds[CONFIG_BOUND_CONNECTIONS];
    struct config_bound *admin = &bounds[CONFIG_BOUND_ADMIN];
    struct config_bound *vessels = &bounds[CONFIG_BOUND_VESSELS];
    int64_t in_flight = bounds[CONFIG_BOUND_IN_FLIGHT].effective;
    int64_t rest = files->amount - FILES_AT_LEAST;
    int64_t for_hooks = files_of_hooks(hooks->effective, in_flight);
    int64_t for_admin = files_of_admin(admin->effective);
    int64_t for_vessels = vessels->effective * FILES_PER_VESSEL;
    for_admin = share_out(rest, rest / 4, for_admin, for_hooks + for_vessels);
    for_vessels = share_out(rest, rest / 4, for_vessels, for_hooks + for_admin);
    lower(admin, for_admin / (LISTENERS * FILES_PER_ADMIN), files);
    lower(vessels, for_vessels / FILES_PER_VESSEL, files);
    lower(hooks, connections_for(rest - for_admin - for_vessels, in_flight), files);
}

/* ---- tasks ---- */

static void fit_tasks(struct config_bound bounds[CONFIG_BOUNDS], const struct resource *tasks)
{
    struct config_bound *admin = &bounds[CONFIG_BOUND_ADMIN];
    struct config_bound *vessels = &bounds[CONFIG_BOUND_VESSELS];
    int64_t rest = tasks->amount - TASKS_AT_LEAST;
    int64_t for_admin = LISTENERS * admin->effective;
    int64_t for_vessels = vessels->effective * TASKS_PER_VESSEL;
    for_vessels = share_out(rest, rest / 2, for_vessels, for_admin);
    lower(vessels, for_vessels / TASKS_PER_VESSEL, tasks);
    lower(admin, (rest - for_vessels) / LISTENERS, tasks);
}

/* ---- memory ---- */

static void fit_memory(struct config_bound bounds[CONFIG_BOUNDS], const struct resource *memory)
{
    struct config_bound *hooks = &bounds[CONFIG_BOUND_CONNECTIONS];
    struct config_bound *in_flight = &bounds[CONFIG_BOUND_IN_FLIGHT];
    int64_t rest = greater(memory->amount - MEMORY_AT_LEAST, memory->amount / 2);
    int64_t for_hooks = hooks->effective * MEMORY_PER_CONNECTION;
    int64_t for_bodies = share_out(rest, rest / 2, in_flight->effective, for_hooks);
    lower(in_flight, for_bodies, memory);
    lower(hooks, (rest - for_bodies) / MEMORY_PER_CONNECTION, memory);
}

/* ---- all ---- */

int64_t config_default_vessels(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return SLOTS_PER_CORE * (cores > 0 ? cores : 1);
}

static void begin_with(struct config *config, enum config_bound_name name, int64_t configured)
{
    config->bounds[name] = (struct config_bound){
        .name = names[name], .configured = configured, .effective = configured};
}

int config_bounds_apply(struct config *config, const struct resources *resources,
                        struct error *error)
{
    struct config_bound *bounds = config->bounds;
    if (resources->files.amount < 2 * (int64_t)FILES_AT_LEAST)
        return error_set(error, ERROR_CONFIG, "%s, but webhookd needs %d: %s",
                         resources->files.reason, 2 * FILES_AT_LEAST, resources->files.advice);
    begin_with(config, CONFIG_BOUND_CONNECTIONS, config->hooks.max_connections);
    begin_with(config, CONFIG_BOUND_IN_FLIGHT, config->hooks.max_in_flight_bytes);
    begin_with(config, CONFIG_BOUND_ADMIN, ADMIN_CONNECTIONS);
    begin_with(config, CONFIG_BOUND_VESSELS,
               config->runner.max_vessels > 0 ? config->runner.max_vessels
                                              : config_default_vessels());
    /* Memory first: it bounds the large bodies, each of which has a file. */
    fit_memory(bounds, &resources->memory);
    fit_tasks(bounds, &resources->tasks);
    fit_files(bounds, &resources->files);
    config->hooks.max_connections = bounds[CONFIG_BOUND_CONNECTIONS].effective;
    config->hooks.max_in_flight_bytes = bounds[CONFIG_BOUND_IN_FLIGHT].effective;
    config->admin.max_connections = bounds[CONFIG_BOUND_ADMIN].effective;
    config->runner.max_vessels = bounds[CONFIG_BOUND_VESSELS].effective;
    return 0;
}

int64_t config_bounds_files(const struct config *config)
{
    return FILES_AT_LEAST +
           files_of_hooks(config->hooks.max_connections, config->hooks.max_in_flight_bytes) +
           files_of_admin(config->admin.max_connections) +
           config->runner.max_vessels * FILES_PER_VESSEL;
}
