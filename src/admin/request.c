/* Gives handlers what they need of a request: a read-only connection, the ids in the path, the
 * query and a JSON body. On the thread of the request's connection. */
#include "admin/request.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/id.h"
#include "base/memory.h"
#include "http/proxies.h"
#include "http/query.h"
#include "model/name.h"

char *request_peer(struct admin_request *request, char text[HTTP_PEER_BYTES])
{
    const struct config_list *trusted = &request->config->hooks.trusted_proxies;
    if (!request->is_public)
        return http_peer(request->exchange, text);
    struct proxies *proxies = proxies_new(trusted->items, trusted->count);
    proxies_client(proxies, request->exchange, text);
    proxies_free(proxies);
    return text;
}

struct store *request_store(struct admin_request *request, struct error *error)
{
    if (!request->store)
        request->store = readers_take(request->admin->readers, error);
    return request->store;
}

int request_path_id(struct admin_request *request, const char *name, const char *what,
                    struct id *id, struct error *error)
{
    const char *text = route_value(&request->match, name);
    assert(text);
    if (id_parse(text, id) != 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "there is no such %s: the id in the path is invalid", what);
    return 0;
}

int request_invalid(struct admin_request *request, const char *field, struct error *error,
                    const char *format, ...)
{
    char text[sizeof(error->message)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    free(request->answer.field);
    request->answer.field = memory_string(field);
    return error_set(error, ERROR_INVALID, "%s", text);
}

static bool is_listed(const char *list, const char *name, size_t chars)
{
    for (const char *at = list; at && *at != '\0';) {
        size_t listed = strcspn(at, " ");
        if (listed == chars && memcmp(at, name, chars) == 0)
            return true;
        at += listed + (at[listed] == ' ' ? 1 : 0);
    }
    return false;
}

static bool comes_again(const char *rest, const struct query_parameter *parameter)
{
    struct query_parameter other;
    while (query_next(&rest, &other))
        if (other.name_bytes == parameter->name_bytes &&
            memcmp(other.name, parameter->name, parameter->name_bytes) == 0)
            return true;
    return false;
}

int request_check_query(struct admin_request *request, struct error *error)
{
    struct query_parameter parameter;
    for (const char *at = http_query(request->exchange); query_next(&at, &parameter);) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%.*s", (int)parameter.name_bytes, parameter.name);
        if (!is_listed(request->call->query, parameter.name, parameter.name_bytes))
            return request_invalid(request, name, error,
                                   "this API call takes no query parameter \"%s\"", name);
        if (comes_again(at, &parameter))
            return request_invalid(request, name, error, "%s is given twice", name);
    }
    return 0;
}

int request_query(struct admin_request *request, const char *name, char *text, size_t text_bytes,
                  struct error *error)
{
    int there = http_query_value(request->exchange, name, text, text_bytes);
    if (there < 0)
        return request_invalid(request, name, error, "%s is longer than any valid value", name);
    return there;
}

int request_path_version(struct admin_request *request, int *number, struct error *error)
{
    const char *text = route_value(&request->match, "n");
    int64_t value = 0;
    const char *end = decimal_read(text, 0, &value);
    /* The store reads 0 as the current version, but the path must name a version. */
    if (text[0] == '0' || !end || *end != '\0' || value > INT32_MAX)
        return error_set(error, ERROR_NOT_FOUND, "there is no such version: versions begin with 1");
    *number = (int)value;
    return 0;
}

int request_query_flag(struct admin_request *request, const char *name, bool *flag,
                       struct error *error)
{
    char text[8];
    *flag = false;
    int there = request_query(request, name, text, sizeof(text), error);
    if (there <= 0)
        return there;
    *flag = strcmp(text, "1") == 0;
    if (!*flag && strcmp(text, "0") != 0)
        return request_invalid(request, name, error, "%s must be 1 or 0", name);
    return 0;
}

int request_query_number(struct admin_request *request, const char *name, int64_t low, int64_t high,
                         int64_t *number, struct error *error)
{
    char text[24];
    int there = request_query(request, name, text, sizeof(text), error);
    if (there <= 0)
        return there;
    char *end = text;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low || value > high)
        return request_invalid(request, name, error, "%s must be a whole number from %lld to %lld",
                               name, (long long)low, (long long)high);
    *number = value;
    return 0;
}

int request_query_time(struct admin_request *request, const char *name, int64_t *wall_ms,
                       struct error *error)
{
    char text[64];
    int there = request_query(request, name, text, sizeof(text), error);
    if (there > 0 && clock_parse(text, wall_ms) != 0)
        return request_invalid(request, name, error,
                               "%s must be an RFC 3339 time, such as 2026-11-23T10:51:48Z", name);
    return there < 0 ? -1 : 0;
}

json_t *request_body_object(struct admin_request *request, const char *const *keys,
                            struct error *error)
{
    json_error_t why;
    json_t *object = json_loadb(request->body.data ? request->body.data : "", request->body.bytes,
                                JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(object)) {
        if (object)
            error_set(error, ERROR_INVALID, "the body must be a JSON object");
        else
            error_set(error, ERROR_INVALID, "the body is not a JSON object: line %d: %s", why.line,
                      why.text);
        json_decref(object);
        return NULL;
    }
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const char *const *known = keys;
        while (*known && strcmp(*known, key) != 0)
            known++;
        if (!*known) {
            request_invalid(request, key, error, "unknown key \"%s\" in the body", key);
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

const char *request_text_at(struct admin_request *request, const json_t *body, const char *key,
                            struct error *error)
{
    const json_t *value = json_object_get(body, key);
    if (value && !json_is_string(value))
        request_invalid(request, key, error, "%s must be a string", key);
    return json_string_value(value);
}

char *request_body_text(struct admin_request *request, const char *key, struct error *error)
{
    const char *const keys[] = {key, NULL};
    json_t *object = request_body_object(request, keys, error);
    if (!object)
        return NULL;
    const char *text = request_text_at(request, object, key, error);
    if (!text && !error_is_set(error))
        request_invalid(request, key, error, "%s is missing", key);
    char *copy = text ? memory_string(text) : NULL;
    json_decref(object);
    return copy;
}

int request_check_name(struct admin_request *request, const char *name, struct error *error)
{
    const char *problem = name_problem(name);
    return problem ? request_invalid(request, "name", error, "%s", problem) : 0;
}

char *request_body_name(struct admin_request *request, struct error *error)
{
    char *name = request_body_text(request, "name", error);
    if (!name || request_check_name(request, name, error) == 0)
        return name;
    free(name);
    return NULL;
}

void request_answer_data(struct admin_request *request, unsigned status, json_t *data)
{
    request->answer.status = status;
    request->answer.data = data;
}

int request_answer_file(struct admin_request *request, int fd, const char *content_type,
                        struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        error_set_errno(error, errno, "cannot examine the file");
        close(fd);
        return -1;
    }
    request->answer.fd = fd;
    request->answer.file_bytes = (uint64_t)status.st_size;
    request->answer.content_type = content_type;
    return 0;
}
