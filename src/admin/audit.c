/* The handler of the audit log of all callers' changes. On admin workers' threads. */
#include "store/audit.h"

#include <string.h>

#include "admin/render.h"
#include "admin/routes.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "model/name.h"

#define DEFAULT_LIMIT 50
#define MAX_LIMIT     500
#define WHO_BYTES     (sizeof("user ") + NAME_MAX_BYTES)

/* ---- filters ---- */

/* Those of each struct change_kind. */
static const char *const actions[] = {"org.create",
                                      "org.delete",
                                      "project.create",
                                      "project.delete",
                                      "fleet.apply",
                                      "fleet.delete",
                                      "webhook.create",
                                      "webhook.replace",
                                      "webhook.remove",
                                      "webhook.show",
                                      "webhook.list",
                                      "run.start",
                                      "run.stop",
                                      "credential.set",
                                      "credential.remove",
                                      "blueprint.apply",
                                      "blueprint.delete",
                                      "key.create",
                                      "key.revoke",
                                      "access.refuse",
                                      "packages.refresh",
                                      "packages.clean",
                                      "backup"};

struct list_filter {
    struct audit_filter filter;
    char who[WHO_BYTES], action[32];
    struct id fleet_id;
};

static int refuse_action(struct admin_request *request, struct error *error)
{
    struct buffer names = BUFFER_INIT;
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++)
        buffer_append_format(&names, "%s%s", i > 0 ? ", " : "", actions[i]);
    request_invalid(request, "action", error, "action must be one of %s", buffer_text(&names));
    buffer_free(&names);
    return -1;
}

static int filter_by_action(struct admin_request *request, struct list_filter *list,
                            struct error *error)
{
    int there = request_query(request, "action", list->action, sizeof(list->action), error);
    if (there <= 0)
        return there;
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++)
        if (strcmp(list->action, actions[i]) == 0) {
            list->filter.action = actions[i];
            return 0;
        }
    return refuse_action(request, error);
}

/* A deleted fleet has entries, too, so any id is accepted. */
static int filter_by_fleet(struct admin_request *request, struct list_filter *list,
                           struct error *error)
{
    char text[ID_TEXT_BYTES];
    int there = request_query(request, "fleet", text, sizeof(text), error);
    if (there <= 0)
        return there;
    if (id_parse(text, &list->fleet_id) != 0)
        return request_invalid(request, "fleet", error, "fleet must be a fleet's id");
    list->filter.fleet_id = &list->fleet_id;
    return 0;
}

static int read_filter(struct admin_request *request, struct list_filter *list, struct error *error)
{
    struct audit_filter *filter = &list->filter;
    int64_t limit = DEFAULT_LIMIT;
    memset(list, 0, sizeof(*list));
    if (request_query_number(request, "limit", 1, MAX_LIMIT, &limit, error) != 0 ||
        request_query_number(request, "before", 1, INT64_MAX, &filter->before_number, error) != 0 ||
        request_query_time(request, "since", &filter->since_ms, error) != 0 ||
        filter_by_action(request, list, error) != 0 || filter_by_fleet(request, list, error) != 0)
        return -1;
    int there = request_query(request, "who", list->who, sizeof(list->who), error);
    if (there > 0)
        filter->who = list->who;
    filter->limit = (int)limit;
    return there < 0 ? -1 : 0;
}

/* ---- the list ---- */

struct audit_page {
    json_t *entries;
    size_t limit;
    int64_t last_number;
    bool is_more;
};

static json_t *render_entry(const struct audit_row *row)
{
    json_t *entry = json_object();
    render_set(entry, "number", json_integer(row->number));
    render_set(entry, "at", render_time(row->at_ms));
    render_set(entry, "who", render_text(row->who));
    render_set(entry, "source", render_optional(row->source));
    render_set(entry, "action", json_string(row->action));
    render_set(entry, "subject_id",
               row->has_subject_id ? render_id(&row->subject_id) : json_null());
    render_set(entry, "subject", render_optional(row->subject));
    render_set(entry, "fleet_id", row->has_fleet_id ? render_id(&row->fleet_id) : json_null());
    render_set(entry, "version", row->version > 0 ? json_integer(row->version) : json_null());
    render_set(entry, "detail", render_optional(row->detail));
    render_set(entry, "request_id", render_id(&row->request_id));
    return entry;
}

static int append_entry(void *context, const struct audit_row *row)
{
    struct audit_page *page = context;
    if (json_array_size(page->entries) == page->limit) {
        page->is_more = true;
        return 1;
    }
    render_append(page->entries, render_entry(row));
    page->last_number = row->number;
    return 0;
}

int audit_list(struct admin_request *request, struct error *error)
{
    struct list_filter list;
    struct store *store = request_store(request, error);
    if (!store || read_filter(request, &list, error) != 0)
        return -1;
    struct audit_page page = {.entries = json_array(), .limit = (size_t)list.filter.limit++};
    json_t *data = render_one("entries", page.entries);
    request_answer_data(request, 200, data);
    if (store_list_audit(store, &list.filter, append_entry, &page, error) != 0)
        return -1;
    render_set(data, "next_before", page.is_more ? json_integer(page.last_number) : json_null());
    return 0;
}
