/* Handlers of packages: what the vessels of a fleet have, and which environments there are. On
 * admin workers' threads. */
#include "admin/packages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "admin/fleets.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "base/memory.h"
#include "http/log.h"
#include "model/words.h"
#include "packages/environments.h"
#include "packages/view.h"
#include "store/blueprints.h"

#define SHOWN_PACKAGES 50 /* of each environment, in the list of all */

static json_t *render_packages(const struct package_list *list, size_t most)
{
    json_t *packages = json_array();
    for (size_t i = 0; i < list->count && i < most; i++) {
        json_t *package = json_object();
        render_set(package, "name", render_text(list->items[i].name));
        render_set(package, "version", render_optional(list->items[i].version));
        render_append(packages, package);
    }
    return packages;
}

/* Vessels of a blueprint get the packages that it has now. One that is missing has none. */
static int complete(struct store *store, struct definition *definition, struct error *error)
{
    for (size_t i = 0; i < definition->vessel_count; i++) {
        struct error why = ERROR_INIT;
        struct definition_vessel *vessel = &definition->vessels[i];
        if (vessel->kind == VESSEL_BLUEPRINT && store_complete_vessel(store, vessel, &why) != 0 &&
            why.kind != ERROR_NOT_FOUND)
            return error_set(error, why.kind, "%s", why.message);
    }
    return 0;
}

static struct definition *read_definition(struct store *store, const struct package_fleet *fleet,
                                          struct error *error)
{
    struct definition *definition =
        definition_json_read(fleet->definition_json, fleet->definition_bytes, error);
    if (!definition || complete(store, definition, error) == 0)
        return definition;
    definition_free(definition);
    return NULL;
}

/* ---- a fleet's vessels ---- */

/* One call, for work on a fleet while its row is there. */
struct fleet_call {
    struct admin_request *request;
    const struct runner_users *users; /* whom vessels run as */
    bool is_refresh;
    json_t *data; /* out */
    struct error *error;
    int result; /* out */
};

static json_t *render_refresh(const struct view *view)
{
    if (view->refresh == VIEW_NOT_LOCKED)
        return json_null();
    json_t *refresh = json_object();
    bool has_failed = view->refresh == VIEW_FAILED;
    render_set(refresh, "state", render_text(view_state_name(view->refresh)));
    render_set(refresh, "reason", render_optional(has_failed ? view->refresh_reason : NULL));
    render_set(refresh, "log", render_optional(view->refresh_log));
    return refresh;
}

static json_t *render_vessel_packages(const struct definition_vessel *vessel,
                                      const struct view *view)
{
    json_t *object = json_object();
    render_set(object, "vessel_id", render_id(&vessel->id));
    render_set(object, "name", render_text(vessel->name));
    render_set(object, "language", render_text(WORDS_LANGUAGE[vessel->language]));
    render_set(object, "packages", render_packages(&vessel->packages, SIZE_MAX));
    render_set(object, "system_packages", render_packages(&vessel->system_packages, SIZE_MAX));
    render_set(object, "state", render_text(view_state_name(view->state)));
    render_set(object, "reason", render_optional(view->state == VIEW_FAILED ? view->reason : NULL));
    render_set(object, "key", render_optional(view->key));
    render_set(object, "log", render_optional(view->log));
    render_set(object, "locked_at", render_time(view->locked_ms));
    render_set(object, "locked", render_packages(&view->locked, SIZE_MAX));
    render_set(object, "refresh", render_refresh(view));
    return object;
}

static int append_vessel(const struct fleet_call *call, const struct package_fleet *fleet,
                         const struct definition_vessel *vessel, json_t *vessels)
{
    struct view view = {.state = VIEW_NOT_LOCKED};
    const struct admin_request *request = call->request;
    const struct installer_user user = runner_users_find(call->users, fleet);
    const struct view_place place = {fleet, vessel, &user};
    int result =
        view_vessel(request->admin->options.installer, request->store, &place, &view, call->error);
    if (result == 0)
        render_append(vessels, render_vessel_packages(vessel, &view));
    view_free(&view);
    return result;
}

static int show_fleet(struct fleet_call *call, const struct package_fleet *fleet,
                      const struct definition *definition)
{
    json_t *vessels = json_array();
    call->data = json_object();
    render_set(call->data, "fleet_id", render_id(&fleet->id));
    render_set(call->data, "version", json_integer(fleet->version));
    render_set(call->data, "vessels", vessels);
    for (size_t i = 0; i < definition->vessel_count; i++)
        if (installer_is_needed(&definition->vessels[i]) &&
            append_vessel(call, fleet, &definition->vessels[i], vessels) != 0)
            return -1;
    return 0;
}

static int keep_shown(void *context, const struct package_fleet *fleet)
{
    struct fleet_call *call = context;
    struct definition *definition = read_definition(call->request->store, fleet, call->error);
    call->result = definition ? show_fleet(call, fleet, definition) : -1;
    definition_free(definition);
    return 1;
}

/* Does something with a fleet's current version. */
static int do_with_fleet(struct fleet_call *call, const struct id *fleet_id,
                         int (*each)(void *, const struct package_fleet *))
{
    struct runner_users *users = runner_users_new(call->request->config, call->error);
    if (!users)
        return -1;
    call->users = users;
    int result = store_list_package_fleets(call->request->store, fleet_id, each, call, call->error);
    runner_users_free(users);
    return result != 0 || call->result != 0 ? -1 : 0;
}

/* Answers with what the vessels of the fleet have. */
static int answer_fleet(struct admin_request *request, const struct id *fleet_id, unsigned status,
                        struct error *error)
{
    struct fleet_call call = {.request = request, .error = error};
    int result = do_with_fleet(&call, fleet_id, keep_shown);
    request_answer_data(request, status, call.data);
    return result;
}

int packages_show(struct admin_request *request, struct error *error)
{
    struct id fleet_id;
    if (!request_store(request, error) ||
        request_path_id(request, "fleet_id", "fleet", &fleet_id, error) != 0)
        return -1;
    return answer_fleet(request, &fleet_id, 200, error);
}

/* ---- beginning ---- */

static void begin_vessel(const struct fleet_call *call, const struct package_fleet *fleet,
                         const struct definition_vessel *vessel)
{
    struct installer *installer = call->request->admin->options.installer;
    const struct installer_request request = {
        .fleet_no = fleet->no,
        .version = fleet->version,
        .vessel_id = vessel->id,
        .blueprint_version = vessel->blueprint_version,
        .fleet_name = fleet->name,
        .code = vessel,
        .user = runner_users_find(call->users, fleet),
    };
    if (!call->is_refresh)
        installer_prepare(installer, &request);
    else if (vessel->packages.count > 0)
        installer_refresh(installer, &request);
}

static int begin_fleet(void *context, const struct package_fleet *fleet)
{
    struct fleet_call *call = context;
    struct definition *definition = read_definition(call->request->store, fleet, call->error);
    call->result = definition ? 0 : -1;
    for (size_t i = 0; definition && i < definition->vessel_count; i++)
        if (installer_is_needed(&definition->vessels[i]))
            begin_vessel(call, fleet, &definition->vessels[i]);
    definition_free(definition);
    return 1;
}

static int begin(struct admin_request *request, const struct id *fleet_id, bool is_refresh,
                 struct error *error)
{
    struct fleet_call call = {.request = request, .is_refresh = is_refresh, .error = error};
    return do_with_fleet(&call, fleet_id, begin_fleet);
}

static bool may_need_packages(const struct definition_vessel *vessel)
{
    return vessel->kind == VESSEL_BLUEPRINT || installer_is_needed(vessel);
}

void packages_begin(struct admin_request *request, const struct id *fleet_id,
                    const struct definition *definition)
{
    struct error error = ERROR_INIT;
    bool is_needed = false;
    for (size_t i = 0; i < definition->vessel_count; i++)
        is_needed = is_needed || may_need_packages(&definition->vessels[i]);
    if (is_needed && request->admin->options.runner && begin(request, fleet_id, false, &error) != 0)
        http_log_warning(request->exchange, "packages are not installed before a run needs them",
                         log_id("fleet", fleet_id), log_why(&error));
}

/* ---- refreshing ---- */

struct packages_change {
    struct change change;
    struct id fleet_id;  /* packages.refresh */
    const char *subject; /* packages.clean */
};

static int apply_refresh(struct change *change, struct store *store, struct error *error)
{
    const struct packages_change *refresh = CONTAINER_OF(change, struct packages_change, change);
    return fleets_set_subject(change, store, &refresh->fleet_id, error);
}

static const struct change_kind refresh_kind = {.action = "packages.refresh",
                                                .apply = apply_refresh};

static int count_lockable(void *context, const struct package_fleet *fleet)
{
    struct fleet_call *call = context;
    struct definition *definition = read_definition(call->request->store, fleet, call->error);
    for (size_t i = 0; definition && i < definition->vessel_count; i++)
        call->result += definition->vessels[i].packages.count > 0 ? 1 : 0;
    definition_free(definition);
    return 1;
}

static int check_refresh(struct admin_request *request, const struct id *fleet_id,
                         struct error *error)
{
    struct fleet_call call = {.request = request, .error = error};
    if (store_list_package_fleets(request->store, fleet_id, count_lockable, &call, error) != 0 ||
        error_is_set(error))
        return -1;
    if (call.result == 0)
        return error_set(error, ERROR_CONFLICT,
                         "no vessel of the fleet asks for packages of Python or Node");
    if (!request->admin->options.runner)
        return error_set(error, ERROR_UNAVAILABLE,
                         "the runner is off, so no packages are installed");
    return 0;
}

int packages_refresh(struct admin_request *request, struct error *error)
{
    struct packages_change refresh = {.change.kind = &refresh_kind};
    if (!request_store(request, error) ||
        request_path_id(request, "fleet_id", "fleet", &refresh.fleet_id, error) != 0 ||
        check_refresh(request, &refresh.fleet_id, error) != 0 ||
        change_commit(request, &refresh.change, error) != 0 ||
        begin(request, &refresh.fleet_id, true, error) != 0)
        return -1;
    http_log_info(request->exchange, "packages are locked again",
                  log_id("fleet", &refresh.fleet_id));
    return answer_fleet(request, &refresh.fleet_id, 202, error);
}

/* ---- who uses an environment ---- */

struct users {
    struct store *store;
    const struct runner_users *run_as;
    json_t *by_key; /* lists of fleets */
    struct error *error;
};

static json_t *render_environment_user(const struct package_fleet *fleet)
{
    json_t *user = json_object();
    render_set(user, "fleet_id", render_id(&fleet->id));
    render_set(user, "fleet_name", render_text(fleet->name));
    render_set(user, "project_id", render_id(&fleet->project_id));
    render_set(user, "project_name", render_text(fleet->project_name));
    render_set(user, "vessels", json_array());
    return user;
}

/* A fleet's vessels may use several environments. */
static void add_user(json_t *by_key, const char *key, const struct package_fleet *fleet,
                     const struct definition_vessel *vessel)
{
    char id[ID_TEXT_BYTES];
    json_t *users = json_object_get(by_key, key);
    if (!users)
        render_set(by_key, key, users = json_array());
    json_t *user = json_array_get(users, json_array_size(users) - 1);
    const char *last = json_string_value(json_object_get(user, "fleet_id"));
    if (!last || strcmp(last, id_format(&fleet->id, id)) != 0)
        render_append(users, user = render_environment_user(fleet));
    render_append(json_object_get(user, "vessels"), render_text(vessel->name));
}

static int add_users(void *context, const struct package_fleet *fleet)
{
    struct users *users = context;
    char key[INSTALLER_KEY_BYTES];
    const struct installer_user user = runner_users_find(users->run_as, fleet);
    struct definition *definition = read_definition(users->store, fleet, users->error);
    int found = definition ? 0 : -1;
    for (size_t i = 0; definition && i < definition->vessel_count && found >= 0; i++) {
        const struct definition_vessel *vessel = &definition->vessels[i];
        const struct view_place place = {fleet, vessel, &user};
        found = view_find_key(users->store, &place, key, users->error);
        if (found > 0)
            add_user(users->by_key, key, fleet, vessel);
    }
    definition_free(definition);
    return found < 0 ? 1 : 0;
}

/* Returns the fleets whose current versions use environments, by key; NULL on failure. */
static json_t *find_users(struct admin_request *request, struct error *error)
{
    struct store *store = request_store(request, error);
    struct runner_users *run_as = store ? runner_users_new(request->config, error) : NULL;
    if (!run_as)
        return NULL;
    struct users users = {store, run_as, json_object(), error};
    int result = store_list_package_fleets(store, NULL, add_users, &users, error);
    runner_users_free(run_as);
    if (result == 0 && !error_is_set(error))
        return users.by_key;
    json_decref(users.by_key);
    return NULL;
}

/* ---- environments ---- */

struct environments {
    json_t *list, *users;
    int64_t bytes;
};

static int append_environment(void *context, const struct environment *environment)
{
    struct environments *all = context;
    const struct package_list *locked = &environment->locked;
    json_t *object = json_object(), *users = json_object_get(all->users, environment->key);
    render_set(object, "key", render_text(environment->key));
    render_set(object, "language", render_optional(environment->language));
    render_set(object, "bytes", json_integer(environment->bytes));
    render_set(object, "last_used_at", render_time(environment->last_use_ms));
    render_set(object, "package_count", json_integer((json_int_t)locked->count));
    render_set(object, "packages", render_packages(locked, SHOWN_PACKAGES));
    render_set(object, "users", users ? json_incref(users) : json_array());
    render_append(all->list, object);
    all->bytes += environment->bytes;
    return 0;
}

int packages_list(struct admin_request *request, struct error *error)
{
    struct environments all = {.users = find_users(request, error)};
    if (!all.users)
        return -1;
    all.list = json_array();
    json_t *data = render_one("environments", all.list);
    request_answer_data(request, 200, data);
    int result =
        environments_list(request->admin->options.installer, append_environment, &all, error);
    json_decref(all.users);
    render_set(data, "bytes", json_integer(all.bytes));
    return result;
}

/* ---- removing ---- */

static int apply_clean(struct change *change, struct store *store, struct error *error)
{
    const struct packages_change *clean = CONTAINER_OF(change, struct packages_change, change);
    (void)store;
    (void)error;
    (void)snprintf(change->subject, sizeof(change->subject), "%s", clean->subject);
    return 0;
}

static const struct change_kind clean_kind = {.action = "packages.clean", .apply = apply_clean};

static int note_cleaning(struct admin_request *request, const char *subject, struct error *error)
{
    struct packages_change clean = {.change.kind = &clean_kind, .subject = subject};
    return change_commit(request, &clean.change, error);
}

static bool exists(struct installer *installer, const char *key, struct error *error)
{
    return environments_check(installer, key, error) == 0;
}

int packages_remove(struct admin_request *request, struct error *error)
{
    const char *key = route_value(&request->match, "key");
    struct installer *installer = request->admin->options.installer;
    int64_t bytes = 0;
    if (!exists(installer, key, error) || note_cleaning(request, key, error) != 0 ||
        environments_remove(installer, key, &bytes, error) != 0)
        return -1;
    request_answer_data(request, 200, render_one("bytes", json_integer(bytes)));
    return 0;
}

struct cleaning {
    struct installer *installer;
    json_t *users; /* whose environments stay; NULL = all may go */
    json_int_t removed, in_use;
    int64_t bytes;
    struct error *error;
};

static int clean_one(void *context, const struct environment *environment)
{
    struct cleaning *cleaning = context;
    struct error why = ERROR_INIT;
    int64_t bytes = 0;
    if (json_object_get(cleaning->users, environment->key))
        return 0;
    if (environments_remove(cleaning->installer, environment->key, &bytes, &why) == 0) {
        cleaning->removed++;
        cleaning->bytes += bytes;
    } else if (why.kind == ERROR_CONFLICT) {
        cleaning->in_use++;
    } else if (why.kind != ERROR_NOT_FOUND) {
        return error_set(cleaning->error, why.kind, "%s", why.message);
    }
    return 0;
}

int packages_clean(struct admin_request *request, struct error *error)
{
    bool all = false;
    struct cleaning cleaning = {.installer = request->admin->options.installer, .error = error};
    if (request_query_flag(request, "all", &all, error) != 0)
        return -1;
    if (!all && !(cleaning.users = find_users(request, error)))
        return -1;
    int result = note_cleaning(request, all ? "all" : "unused", error);
    if (result == 0)
        result = environments_list(cleaning.installer, clean_one, &cleaning, error);
    json_decref(cleaning.users);
    if (result != 0 || error_is_set(error))
        return -1;
    json_t *data = json_object();
    render_set(data, "removed", json_integer(cleaning.removed));
    render_set(data, "bytes", json_integer(cleaning.bytes));
    render_set(data, "in_use", json_integer(cleaning.in_use));
    request_answer_data(request, 200, data);
    return 0;
}
