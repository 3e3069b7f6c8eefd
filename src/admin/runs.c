/* Handlers of fleet runs: filtered lists, a single run with its vessel runs, and the stop of a run.
 * On admin workers' threads. */
#include "admin/runs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "admin/fleets.h"
#include "admin/render.h"
#include "admin/routes.h"
#include "admin/run_overrides.h"
#include "base/memory.h"
#include "http/log.h"
#include "store/blueprints.h"

#define LIST_DEFAULT_LIMIT 50
#define LIST_MAX_LIMIT     1000
/* A page ends early when it has this many vessel runs: 1,000 runs of 1,000 vessels would be a
 * gigabyte of JSON. */
#define LIST_MAX_VESSELS 20000
#define AGAIN_MAX        20 /* older repeats of a run are not listed */

/* ---- vessel runs ---- */

struct vessel_list {
    struct store *store;
    json_t *vessels;
    struct definition *definition; /* NULL: not known, or not wanted */
};

/* The guardrails of a vessel that has a blueprint are completed by those of the version that was
 * executed. If these cannot be read, the vessel's own must do. */
static void add_retries(const struct vessel_list *list, const struct vessel_row *row,
                        json_t *vessel)
{
    struct definition_vessel *own = &list->definition->vessels[row->index];
    struct error unread = ERROR_INIT;
    own->blueprint_version = row->blueprint_version;
    if (row->blueprint_version > 0)
        (void)store_complete_vessel(list->store, own, &unread);
    render_retries(vessel, row, &own->guardrails);
}

static int append_vessel(void *context, const struct vessel_row *row)
{
    const struct vessel_list *list = context;
    const struct definition *definition = list->definition;
    json_t *vessel = render_vessel(row);
    if (definition && row->index >= 0 && (size_t)row->index < definition->vessel_count)
        add_retries(list, row, vessel);
    render_append(list->vessels, vessel);
    return 0;
}

/* Puts the run's vessel runs into its object. */
static int add_vessels(struct store *store, const struct id *run_id, json_t *run,
                       struct definition *definition, struct error *error)
{
    struct vessel_list list = {store, json_object_get(run, "vessels"), definition};
    return store_list_vessels(store, run_id, append_vessel, &list, error);
}

/* ---- a single run ---- */

struct one_run {
    json_t *object;
    struct id fleet_id;
    int version;
    bool may_have_overrides;
    struct definition *definition; /* NULL if it is damaged */
};

static int keep_run(void *context, const struct run_row *row)
{
    struct one_run *run = context;
    run->object = render_run(row, json_array());
    run->fleet_id = row->fleet_id;
    run->version = row->fleet_version;
    run->may_have_overrides = row->body_place == BODY_ABSENT;
    return 0;
}

static int keep_definition(void *context, const struct version_row *row)
{
    struct one_run *run = context;
    struct error error = ERROR_INIT;
    const char *json = row->definition_json;
    run->definition = definition_json_read(json, strlen(json), &error);
    return 0;
}

static int add_origin(void *context, const struct run_origin *origin)
{
    render_origin(context, origin);
    return 0;
}

static int append_id(void *context, const struct id *id)
{
    render_append(context, render_id(id));
    return 0;
}

static int add_again(struct store *store, const struct id *run_id, json_t *run, struct error *error)
{
    json_t *ids = json_array();
    render_set(run, "again_as", ids);
    return store_list_again(store, run_id, AGAIN_MAX, append_id, ids, error);
}

static int add_overrides(struct store *store, const struct id *run_id, const struct one_run *run,
                         struct error *error)
{
    json_t *list =
        run->may_have_overrides ? run_overrides_render(store, run_id, error) : json_array();
    if (list)
        render_set(run->object, "overrides", list);
    return list ? 0 : -1;
}

static int fill_run(struct store *store, const struct id *run_id, struct one_run *run,
                    struct error *error)
{
    if (store_get_run(store, run_id, keep_run, run, error) != 0 ||
        store_get_version(store, &run->fleet_id, run->version, keep_definition, run, error) != 0 ||
        store_get_origin(store, run_id, add_origin, run->object, error) != 0 ||
        add_again(store, run_id, run->object, error) != 0 ||
        add_overrides(store, run_id, run, error) != 0)
        return -1;
    return add_vessels(store, run_id, run->object, run->definition, error);
}

/* A query may contain the sender's password, and a list of runs text of another sender beside it:
 * compressed, they would reveal each other (http_may_pack). */
static void note_query(struct admin_request *request, const json_t *run)
{
    if (json_is_string(json_object_get(run, "query_string")))
        request->answer.is_private = true;
}

static void note_queries(struct admin_request *request, const json_t *runs)
{
    for (size_t i = 0; i < json_array_size(runs); i++)
        note_query(request, json_array_get(runs, i));
}

/* The run is read first: if it has ended, its vessel runs are complete too. */
json_t *runs_object(struct store *store, const struct id *run_id, struct error *error)
{
    struct one_run run = {.object = NULL};
    int result = fill_run(store, run_id, &run, error);
    definition_free(run.definition);
    if (result == 0)
        return run.object;
    json_decref(run.object);
    return NULL;
}

int runs_get(struct admin_request *request, struct error *error)
{
    struct id run_id;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "run_id", "fleet run", &run_id, error) != 0)
        return -1;
    json_t *run = runs_object(store, &run_id, error);
    note_query(request, run);
    request_answer_data(request, 0, run);
    return run ? 0 : -1;
}

struct stop_run {
    struct change change;
    struct id id;
};

static int set_subject(void *context, const struct run_row *row)
{
    change_set_subject(context, &row->id, row->fleet_name);
    change_set_fleet(context, &row->fleet_id, 0);
    return 0;
}

static int apply_stop_run(struct change *change, struct store *store, struct error *error)
{
    const struct stop_run *stop = CONTAINER_OF(change, struct stop_run, change);
    if (store_get_run(store, &stop->id, set_subject, change, error) != 0)
        return -1;
    return store_stop_run(store, &stop->id, change->now_ms, error);
}

static const struct change_kind stop_run_kind = {.action = "run.stop", .apply = apply_stop_run};

/* The request to stop is committed, so the run is stopped even if webhookd ends now. The answer
 * does not wait for that. */
int runs_stop(struct admin_request *request, struct error *error)
{
    struct stop_run stop = {.change.kind = &stop_run_kind};
    struct runner *runner = request->admin->options.runner;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "run_id", "fleet run", &stop.id, error) != 0 ||
        change_commit(request, &stop.change, error) != 0)
        return -1;
    if (runner)
        runner_stop_runs(runner);
    http_log_info(request->exchange, "fleet run stop requested", log_id("run", &stop.id));
    json_t *run = runs_object(store, &stop.id, error);
    request_answer_data(request, 202, run);
    return run ? 0 : -1;
}

/* ---- filters ---- */

struct list_filter {
    struct run_filter filter;
    struct id request_id, before, after;
    char prefix[ID_TEXT_BYTES];
};

static int filter_by_words(struct admin_request *request, struct list_filter *list,
                           struct error *error)
{
    char text[32];
    int there = request_query(request, "status", text, sizeof(text), error);
    if (there > 0 && run_status_parse(text, &list->filter.status) != 0)
        there =
            request_invalid(request, "status", error,
                            "status must be scheduled, running, success, errored or terminated");
    if (there < 0)
        return -1;
    list->filter.has_status = there > 0;
    there = request_query(request, "trigger", text, sizeof(text), error);
    if (there > 0 && run_trigger_parse(text, &list->filter.trigger) != 0)
        there = request_invalid(request, "trigger", error,
                                "trigger must be webhook, on_demand, api or schedule");
    if (there < 0)
        return -1;
    list->filter.has_trigger = there > 0;
    return 0;
}

/* Reads a parameter that is an id. *wanted becomes `id`, or remains NULL if the parameter is
 * absent. */
static int read_id(struct admin_request *request, const char *name, const char *what, struct id *id,
                   const struct id **wanted, struct error *error)
{
    char text[ID_TEXT_BYTES];
    int there = request_query(request, name, text, sizeof(text), error);
    if (there <= 0)
        return there;
    if (id_parse(text, id) != 0)
        return request_invalid(request, name, error, "%s must be %s", name, what);
    *wanted = id;
    return 0;
}

static int filter_by_ids(struct admin_request *request, struct list_filter *list,
                         struct error *error)
{
    static const char run[] = "a fleet run's id";
    struct run_filter *filter = &list->filter;
    if (read_id(request, "before", run, &list->before, &filter->before, error) != 0 ||
        read_id(request, "after", run, &list->after, &filter->after, error) != 0 ||
        read_id(request, "request_id", "an id", &list->request_id, &filter->request_id, error) != 0)
        return -1;
    if (filter->before && filter->after)
        return request_invalid(request, "after", error,
                               "before and after cannot be combined: give one of them");
    return 0;
}

static int filter_by_prefix(struct admin_request *request, struct list_filter *list,
                            struct error *error)
{
    int there = request_query(request, "id", list->prefix, sizeof(list->prefix), error);
    if (there <= 0)
        return there;
    for (char *c = list->prefix; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    if (!id_is_prefix(list->prefix))
        return request_invalid(request, "id", error,
                               "\"%s\" is neither the beginning of a run ID nor a request ID",
                               list->prefix);
    if (list->prefix[0] != '\0')
        list->filter.id_prefix = list->prefix;
    return 0;
}

static int read_filter(struct admin_request *request, struct list_filter *list, struct error *error)
{
    int64_t limit = LIST_DEFAULT_LIMIT;
    memset(list, 0, sizeof(*list));
    if (request_query_number(request, "limit", 1, LIST_MAX_LIMIT, &limit, error) != 0 ||
        filter_by_words(request, list, error) != 0 || filter_by_ids(request, list, error) != 0 ||
        filter_by_prefix(request, list, error) != 0)
        return -1;
    list->filter.limit = (int)limit;
    return request_query_time(request, "since", &list->filter.since_ms, error);
}

/* ---- lists ---- */

/* In the order of store_list_runs. */
struct run_page {
    json_t *runs;
    struct id *ids; /* room for limit + 1: the extra run shows that there are more */
    int count;
};

static int append_run(void *context, const struct run_row *row)
{
    struct run_page *page = context;
    page->ids[page->count++] = row->id;
    render_append(page->runs, render_run(row, json_array()));
    return 0;
}

static int fill_page(struct store *store, struct run_page *page, int limit, struct error *error)
{
    size_t vessels = 0;
    int kept = 0;
    while (kept < page->count && kept < limit && vessels < LIST_MAX_VESSELS) {
        json_t *run = json_array_get(page->runs, (size_t)kept);
        if (add_vessels(store, &page->ids[kept], run, NULL, error) != 0)
            return -1;
        vessels += json_array_size(json_object_get(run, "vessels"));
        kept++;
    }
    for (int extra = page->count; extra > kept; extra--)
        json_array_remove(page->runs, (size_t)extra - 1);
    return kept;
}

static void reverse(json_t *list)
{
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        json_t *oldest = json_incref(json_array_get(list, count - 1));
        json_array_remove(list, count - 1);
        if (json_array_insert_new(list, i, oldest) != 0)
            abort();
    }
}

static int list_runs(struct admin_request *request, struct store *store, struct list_filter *list,
                     struct error *error)
{
    int limit = list->filter.limit++;
    struct run_page page = {json_array(), memory_array(NULL, (size_t)limit + 1, sizeof(struct id)),
                            0};
    json_t *data = render_one("fleetruns", page.runs);
    request_answer_data(request, 0, data);
    int kept = -1;
    if (store_list_runs(store, &list->filter, append_run, &page, error) == 0)
        kept = fill_page(store, &page, limit, error);
    const struct id *last = kept > 0 && kept < page.count ? &page.ids[kept - 1] : NULL;
    bool is_after = list->filter.after;
    if (is_after)
        reverse(page.runs);
    note_queries(request, page.runs);
    render_set(data, "next_before", last && !is_after ? render_id(last) : json_null());
    render_set(data, "next_after", last && is_after ? render_id(last) : json_null());
    free(page.ids);
    return kept < 0 ? -1 : 0;
}

int runs_list(struct admin_request *request, struct error *error)
{
    struct list_filter list;
    struct store *store = request_store(request, error);
    if (!store || read_filter(request, &list, error) != 0)
        return -1;
    return list_runs(request, store, &list, error);
}

int runs_list_of_fleet(struct admin_request *request, struct error *error)
{
    struct list_filter list;
    struct id fleet_id;
    struct store *store = request_store(request, error);
    if (!store || request_path_id(request, "fleet_id", "fleet", &fleet_id, error) != 0 ||
        read_filter(request, &list, error) != 0)
        return -1;
    json_t *fleet = fleets_object(store, &fleet_id, error);
    if (!fleet)
        return -1;
    json_decref(fleet);
    list.filter.fleet_id = &fleet_id;
    return list_runs(request, store, &list, error);
}
