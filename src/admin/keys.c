/* API keys, and the audit log of what was done with them and by everybody else. On admin workers' threads. A key is in the answer that
 * makes it, and nowhere else (docs/architecture.md, invariant 7). */
#include <stdlib.h>

#include "admin/calls.h"
#include "admin/ops.h"
#include "admin/render.h"
#include "base/memory.h"
#include "base/secret.h"
#include "http/log.h"

/* ---- keys ---- */

static json_t *render_key(const struct key_row *row)
{
    json_t *key = json_object();
    render_set(key, "id", render_id(&row->id));
    render_set(key, "name", render_text(row->name));
    render_set(key, "created_at", render_time(row->created_ms));
    render_set(key, "last_used_at", render_time(row->last_used_ms));
    return key;
}

static int append_key(void *context, const struct key_row *row)
{
    render_append(context, render_key(row));
    return 0;
}

int call_list_keys(struct admin_request *request, struct error *error)
{
    struct store *store = request_store(request, error);
    if (!store)
        return -1;
    json_t *keys = json_array();
    request_answer_data(request, 200, render_one("keys", keys));
    return store_list_keys(store, append_key, keys, error);
}

int call_create_key(struct admin_request *request, struct error *error)
{
    struct ops_audit audit = request_audit(request);
    char *name = request_body_name(request, error);
    if (!name)
        return -1;
    char key[SECRET_TOKEN_CHARS + 1];
    uint8_t hash[SECRET_HASH_BYTES];
    struct key_row row = {.name = name, .created_ms = audit.now_ms};
    secret_mint_api_key(key);
    secret_hash(key, SECRET_TOKEN_CHARS, hash);
    int result = ops_create_key(request->admin->options.queue, &audit, name, hash, &row.id, error);
    if (result == 0) {
        json_t *object = render_key(&row);
        render_set(object, "key", json_string(key));
        request_answer_data(request, 201, object);
        http_log_info(request->exchange, "API key created", log_id("key", &row.id),
                      log_text("name", name));
    }
    secret_wipe(key, sizeof(key));
    free(name);
    return result;
}

int call_revoke_key(struct admin_request *request, struct error *error)
{
    struct ops_audit audit = request_audit(request);
    struct id id;
    if (request_path_id(request, "key_id", "API key", &id, error) != 0 ||
        ops_revoke_key(request->admin->options.queue, &audit, &id, error) != 0)
        return -1;
    atomic_fetch_add(&request->admin->revocations, 1);
    http_log_info(request->exchange, "API key revoked", log_id("key", &id));
    return 0;
}

/* ---- the audit log ---- */

#define AUDIT_DEFAULT_LIMIT 50
#define AUDIT_MAX_LIMIT     500

struct audit_page {
    json_t *entries;
    int64_t limit, last_number;
    bool is_more;
};

static int append_entry(void *context, const struct audit_row *row)
{
    struct audit_page *page = context;
    if ((int64_t)json_array_size(page->entries) == page->limit) {
        page->is_more = true;
        return 1;
    }
    json_t *entry = json_object();
    render_set(entry, "number", json_integer(row->number));
    render_set(entry, "at", render_time(row->at_ms));
    render_set(entry, "who", render_text(row->who));
    render_set(entry, "source", render_optional(row->source));
    render_set(entry, "action", json_string(row->action));
    render_set(entry, "subject_id",
               row->has_subject_id ? render_id(&row->subject_id) : json_null());
    render_set(entry, "subject", render_optional(row->subject));
    render_set(entry, "detail", render_optional(row->detail));
    render_set(entry, "request_id", render_id(&row->request_id));
    render_append(page->entries, entry);
    page->last_number = row->number;
    return 0;
}

int call_list_audit(struct admin_request *request, struct error *error)
{
    struct audit_page page = {.limit = AUDIT_DEFAULT_LIMIT};
    int64_t before = 0;
    struct store *store = request_store(request, error);
    if (!store ||
        request_query_number(request, "limit", 1, AUDIT_MAX_LIMIT, &page.limit, error) != 0 ||
        request_query_number(request, "before", 1, INT64_MAX, &before, error) != 0)
        return -1;
    json_t *data = json_object();
    page.entries = json_array();
    render_set(data, "entries", page.entries);
    request_answer_data(request, 200, data);
    if (store_list_audit(store, before, (int)page.limit + 1, append_entry, &page, error) != 0)
        return -1;
    render_set(data, "next_before", page.is_more ? json_integer(page.last_number) : json_null());
    return 0;
}
