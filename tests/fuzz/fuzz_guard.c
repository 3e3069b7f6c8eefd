/* The request guard, and the headers as they are stored. The input is a request up to the end of
 * its headers: "POST /hooks/x HTTP/1.1", lines of "Name: value". */
#include "fuzz/fuzz.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "fuzz/fake_request.h"
#include "hooks/headers.h"
#include "model/own_secrets.h"
#include "http/guard.h"

/* ---- what no accepted request contains ---- */

static bool is_token(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("!#$%&'*+-.^_`|~", text[i]))
            return false;
    return bytes > 0 && strlen(text) == bytes;
}

static bool has_controls(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (iscntrl((unsigned char)text[i]) && text[i] != '\t')
            return true;
    return false;
}

/* Returns how many headers' names begin with this; none may be longer. */
static int count(const struct fake_request *request, const char *name)
{
    int found = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct fake_header *header = &request->headers[i];
        if (strncasecmp(header->name, name, strlen(name)) != 0)
            continue;
        FUZZ_CHECK(header->name_bytes == strlen(name));
        found++;
    }
    return found;
}

static void check_length(struct fake_request *request)
{
    struct http_exchange *exchange = &request->exchange;
    const char *text = http_header(exchange, "Content-Length");
    FUZZ_CHECK(!text == (exchange->content_length < 0));
    FUZZ_CHECK(!text || strspn(text, "0123456789") == strlen(text));
    FUZZ_CHECK(!text || strtoll(text, NULL, 10) == exchange->content_length);
}

static void check_framing(struct fake_request *request)
{
    int lengths = count(request, "Content-Length");
    int encodings = count(request, "Transfer-Encoding");
    FUZZ_CHECK(lengths + encodings <= 1);
    FUZZ_CHECK(http_is_chunked(&request->exchange) == (encodings == 1));
    check_length(request);
    if (encodings == 1) {
        const char *raw = MHD_lookup_connection_value(NULL, MHD_HEADER_KIND, "Transfer-Encoding");
        FUZZ_CHECK(strcasecmp(raw, "chunked") == 0);
        FUZZ_CHECK(strcmp(request->exchange.version, "HTTP/1.1") == 0);
    }
}

static void check_target(struct fake_request *request)
{
    struct http_exchange *exchange = &request->exchange;
    const char *path = http_path(exchange), *query = http_query(exchange);
    FUZZ_CHECK(path[0] == '/' && !strpbrk(path, "%? \t"));
    FUZZ_CHECK(!strpbrk(query, " \t"));
    FUZZ_CHECK(!has_controls(path, strlen(path)) && !has_controls(query, strlen(query)));
    FUZZ_CHECK(!memchr(request->target, '\0', request->target_bytes));
    FUZZ_CHECK(!strpbrk(http_host(exchange), " \t/?#@\"\\<>"));
    FUZZ_CHECK(exchange->authority == NULL || exchange->authority[0] != '\0');
}

static void check_accepted(struct fake_request *request)
{
    size_t bytes = 0;
    int hosts = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct fake_header *header = &request->headers[i];
        FUZZ_CHECK(is_token(header->name, header->name_bytes));
        FUZZ_CHECK(!has_controls(header->value, header->value_bytes));
        bytes += header->name_bytes + header->value_bytes;
        hosts += strcasecmp(header->name, "Host") == 0;
    }
    bool http_1_1 = strcmp(request->exchange.version, "HTTP/1.1") == 0;
    FUZZ_CHECK(bytes <= GUARD_MAX_HEADER_BYTES);
    FUZZ_CHECK(http_1_1 || strcmp(request->exchange.version, "HTTP/1.0") == 0);
    FUZZ_CHECK(hosts == 1 || (hosts == 0 && !http_1_1));
    FUZZ_CHECK(is_token(request->exchange.method, strlen(request->exchange.method)));
    check_framing(request);
    check_target(request);
}

/* ---- the headers in JSON ---- */

/* Returns the values of the header with this name in canonical form: "X-Github-Event". */
static const json_t *values_of(const json_t *object, const char *name)
{
    char *canonical = memory_string(name);
    for (char *c = canonical; *c != '\0'; c++)
        *c = (char)(c == canonical || c[-1] == '-' ? toupper((unsigned char)*c)
                                                   : tolower((unsigned char)*c));
    const json_t *values = json_object_get(object, canonical);
    free(canonical);
    return values;
}

/* Returns what may be stored of the header's value; NULL: nothing. The caller frees it. */
static char *allowed_value(const struct fake_header *header)
{
    const char *value = header->value;
    size_t bytes = header->value_bytes;
    exchange_trim(&value, &bytes);
    char *trimmed = memory_string_n(value, bytes), *rest = trimmed;
    if (own_secrets_in_header(header->name, trimmed)) {
        rest = own_secrets_rest(header->name, trimmed);
        free(trimmed);
    }
    char *allowed = rest ? utf8_from_any(rest) : NULL;
    free(rest);
    return allowed;
}

static bool has_secret(const struct fake_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (own_secrets_in_header(request->headers[i].name, request->headers[i].value))
            return true;
    return false;
}

static bool is_session(const char *pair)
{
    size_t chars = strlen(SECRET_SESSION_COOKIE);
    pair += strspn(pair, " \t");
    return strncmp(pair, SECRET_SESSION_COOKIE, chars) == 0 && strchr("=; \t", pair[chars]);
}

/* Neither a session nor an API key is where a browser or a client puts it. */
static void check_that_no_secret_is_stored(const char *name, const json_t *list)
{
    size_t i;
    json_t *value;
    json_array_foreach(list, i, value)
    {
        const char *text = json_string_value(value);
        if (strcmp(name, "Cookie") == 0) {
            for (; text; text = (text = strchr(text, ';')) ? text + 1 : NULL)
                FUZZ_CHECK(!is_session(text));
        } else if (strcmp(name, "Authorization") == 0) {
            for (; strlen(text) >= SECRET_TOKEN_CHARS; text++)
                FUZZ_CHECK(!secret_api_key_is_well_formed(text, SECRET_TOKEN_CHARS));
        }
    }
}

/* Each value stands in its name's list, in the order in which the values were sent. */
static size_t check_values(const struct fake_request *request, const json_t *object)
{
    char *allowed[FAKE_HEADERS_MAX];
    size_t values = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const char *name = request->headers[i].name;
        allowed[i] = strcasecmp(name, "Host") != 0 ? allowed_value(&request->headers[i]) : NULL;
        size_t place = 0;
        for (size_t k = 0; k < i; k++)
            place += allowed[k] && strcasecmp(request->headers[k].name, name) == 0;
        if (!allowed[i])
            continue;
        const json_t *value = json_array_get(values_of(object, name), place);
        FUZZ_CHECK(value && strcmp(json_string_value(value), allowed[i]) == 0);
        values++;
    }
    for (size_t i = 0; i < request->header_count; i++)
        free(allowed[i]);
    return values;
}

static size_t check_lists(json_t *object)
{
    size_t values = 0;
    const char *name;
    json_t *list;
    json_object_foreach(object, name, list)
    {
        check_that_no_secret_is_stored(name, list);
        values += json_array_size(list);
    }
    return values;
}

static void check_headers(struct fake_request *request)
{
    struct stored_headers stored;
    json_error_t why;
    json_t *withheld = NULL;
    headers_collect(&request->exchange, &stored, &withheld);
    FUZZ_CHECK(stored.json && strlen(stored.json) == stored.bytes);
    FUZZ_CHECK(utf8_is_valid(stored.host, strlen(stored.host)));
    FUZZ_CHECK(utf8_is_valid(stored.event.text, strlen(stored.event.text)));
    json_t *object = json_loadb(stored.json, stored.bytes, JSON_REJECT_DUPLICATES, &why);
    FUZZ_CHECK(json_is_object(object) && !json_object_get(object, "Host"));
    FUZZ_CHECK(check_values(request, object) == check_lists(object));
    FUZZ_CHECK(has_secret(request) == (json_array_size(withheld) > 0));
    json_decref(withheld);
    json_decref(object);
    free(stored.json);
    free(stored.host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fake_request request;
    fake_request_open(&request, &data, &bytes);
    struct guard_refusal refusal = guard_check(&request.exchange);
    FUZZ_CHECK(refusal.status == 0 || refusal.status == 400 || refusal.status == 431);
    FUZZ_CHECK((refusal.status == 0) == (refusal.message == NULL));
    if (refusal.status == 0) {
        check_accepted(&request);
        check_headers(&request);
    } else {
        FUZZ_CHECK(fuzz_is_message(refusal.message));
    }
    fake_request_close(&request);
    return 0;
}
