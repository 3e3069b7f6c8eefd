/* Serves the console: one page, whose scripts call the API as any other client does. Its files need
 * no key, because they are the same for everyone. On admin workers' threads.
 *
 * The page loads nothing from other hosts and evaluates nothing: data from fleets, senders and
 * vessels can only ever be text. */
#include "admin/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/routes.h"
#include "base/memory.h"

#define PAGE "index.html"
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' " \
    "%.*s; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "                          \
    "require-trusted-types-for 'script'; trusted-types 'none'"

static const struct console_file *find(const char *name)
{
    for (size_t i = 0; i < console_file_count; i++)
        if (strcmp(console_files[i].name, name) == 0)
            return &console_files[i];
    return NULL;
}

/* Whether If-None-Match lists the tag; weak comparison is enough (RFC 9110 13.1.2). */
static bool is_known(struct http_exchange *exchange, const char *tag)
{
    const char *tags = http_header(exchange, "If-None-Match");
    return tags && (strcmp(tags, "*") == 0 || strstr(tags, tag));
}

/* Adds the headers that restrict the page. It may connect only to webhookd and to the host of the
 * webhooks' URLs, to which it sends test requests. */
static void add_guards(struct admin_request *request)
{
    static const char origin[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]";
    const char *url = request->config->hooks.public_url, *authority = strstr(url, "://");
    size_t chars = authority ? (size_t)(authority + 3 - url) + strspn(authority + 3, origin) : 0;
    char *policy = memory_format(POLICY, (int)chars, url);
    http_add_header(request->exchange, "Content-Security-Policy", policy);
    free(policy);
    http_add_header(request->exchange, "Referrer-Policy", "no-referrer");
    http_add_header(request->exchange, "Cross-Origin-Opener-Policy", "same-origin");
    http_add_header(request->exchange, "Cross-Origin-Resource-Policy", "same-origin");
}

static int answer(struct admin_request *request, const struct console_file *file)
{
    struct http_exchange *exchange = request->exchange;
    bool is_packed = http_accepts_gzip(exchange);
    char tag[80];
    snprintf(tag, sizeof(tag), "\"%s%s\"", file->hash, is_packed ? "-gzip" : "");
    http_add_header(exchange, "ETag", tag);
    http_add_header(exchange, "Cache-Control", "no-cache"); /* kept, but revalidated each time */
    http_add_header(exchange, "Vary", "Accept-Encoding");
    add_guards(request);
    request->answer.content_type = file->type;
    if (is_known(exchange, tag)) {
        request->answer.status = 304;
        return 0;
    }
    if (is_packed)
        http_add_header(exchange, "Content-Encoding", "gzip");
    buffer_append(&request->answer.bytes, is_packed ? file->packed : file->plain,
                  is_packed ? file->packed_bytes : file->plain_bytes);
    return 0;
}

/* The script determines from the path which page to show. */
int console_get_page(struct admin_request *request, struct error *error)
{
    const struct console_file *file = find(PAGE);
    if (!file)
        return error_set(error, ERROR_INTERNAL, "webhookd was built without its console");
    return answer(request, file);
}

/* Serves the same page for a path that does not exist. The page then says so. Caches do not keep
 * it, and it is never answered with 304 (RFC 9110 13.2.1). */
static int get_no_page(struct admin_request *request, struct error *error)
{
    const struct console_file *file = find(PAGE);
    if (!file)
        return error_set(error, ERROR_INTERNAL, "webhookd was built without its console");
    add_guards(request);
    request->answer.status = 404;
    request->answer.content_type = file->type;
    return buffer_append(&request->answer.bytes, file->plain, file->plain_bytes);
}

const struct admin_call console_no_page = {.handle = get_no_page, .access = ADMIN_ACCESS_OPEN};

int console_get_file(struct admin_request *request, struct error *error)
{
    const struct console_file *file = find(route_value(&request->match, "file"));
    if (!file)
        return error_set(error, ERROR_NOT_FOUND, "this path does not exist");
    return answer(request, file);
}
