/* audit. Called by main.c; the program has one thread. */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "webhookctl/ctl.h"
#include "webhookctl/resolve.h"
#include "webhookctl/show.h"

#define DEFAULT_LIMIT 20
#define PAGE          500

static void add_entry(struct table *table, const json_t *entry)
{
    const char *source = show_text(entry, "source");
    show_time_cell(table, entry, "at");
    show_cell(table, entry, "who");
    table_add(table, source ? source : "socket");
    show_cell(table, entry, "action");
    show_cell(table, entry, "subject");
    show_cell(table, entry, "detail");
}

static const struct table_column columns[] = {{"TIME", TABLE_LEFT},    {"WHO", TABLE_LEFT},
                                              {"FROM", TABLE_LEFT},    {"ACTION", TABLE_LEFT},
                                              {"SUBJECT", TABLE_LEFT}, {"DETAIL", TABLE_LEFT}};
static const struct show_listing listing = {"entries", columns, ARRAY_COUNT(columns), add_entry};

/* ---- filters ---- */

/* Appends "&name=value" to a query. Does nothing if value is NULL. */
static void add_parameter(struct buffer *query, const char *name, const char *value)
{
    if (!value)
        return;
    char *escaped = curl_easy_escape(NULL, value, 0);
    if (!escaped)
        abort();
    buffer_append_format(query, "&%s=%s", name, escaped);
    curl_free(escaped);
}

/* An id may be that of a deleted fleet, which cannot be looked up. */
static int add_fleet(struct client *client, struct buffer *query, const char *text,
                     struct error *error)
{
    struct id id;
    if (id_parse(text, &id) == 0) {
        add_parameter(query, "fleet", text);
        return 0;
    }
    json_t *fleet = resolve_fleet(client, text, error);
    if (!fleet)
        return -1;
    add_parameter(query, "fleet", show_text(fleet, "id"));
    json_decref(fleet);
    return 0;
}

static int add_filters(struct ctl *ctl, struct buffer *query, struct error *error)
{
    const char *const *values = ctl->options->values;
    char since[CLOCK_TEXT_BYTES];
    int64_t since_ms = 0;
    if (options_since(ctl->options, OPTION_SINCE, clock_wall_ms(), &since_ms, error) != 0)
        return CTL_MISTAKE;
    if (values[OPTION_SINCE])
        add_parameter(query, "since", clock_format_ms(since_ms, since));
    add_parameter(query, "who", values[OPTION_WHO]);
    add_parameter(query, "action", values[OPTION_ACTION]);
    return values[OPTION_FLEET] ? add_fleet(ctl->client, query, values[OPTION_FLEET], error) : 0;
}

/* ---- the list ---- */

/* Returns the answer's data for up to `left` entries, from several pages if needed, or NULL and
 * *error. `filters` follows the other parameters of the query. */
static json_t *gather(struct client *client, const char *filters, int64_t left, struct error *error)
{
    json_t *all = json_array();
    int64_t before = 0;
    do {
        char *cursor = before > 0 ? memory_format("&before=%" PRId64, before) : memory_string("");
        json_t *page = client_get(client, error, "/audit?limit=%" PRId64 "%s%s",
                                  left < PAGE ? left : PAGE, cursor, filters);
        free(cursor);
        if (!page) {
            json_decref(all);
            return NULL;
        }
        json_t *entries = json_object_get(page, "entries");
        left -= (int64_t)json_array_size(entries);
        json_array_extend(all, entries);
        before = show_integer(page, "next_before");
        json_decref(page);
    } while (left > 0 && before > 0);
    return json_pack("{s:o, s:o}", "entries", all, "next_before",
                     before > 0 ? json_integer(before) : json_null());
}

int audit_list(struct ctl *ctl, struct error *error)
{
    int64_t limit = DEFAULT_LIMIT;
    struct buffer filters = BUFFER_INIT;
    if (options_number(ctl->options, OPTION_LIMIT, 1, INT32_MAX, &limit, error) != 0)
        return CTL_MISTAKE;
    int result = add_filters(ctl, &filters, error);
    if (result == 0)
        result = show_list(&listing, ctl->json,
                           gather(ctl->client, buffer_text(&filters), limit, error));
    buffer_free(&filters);
    return result;
}
