/* See own_secrets.h. Called for every request to a webhook, on the hook workers, and for runs that
 * the API starts. */
#include "model/own_secrets.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/secret.h"
#include "base/utf8.h"

static const char hidden[] = "wha_…";

/* Finds the first well-formed API key at or after `text`, or returns NULL. */
static const char *find_key(const char *text)
{
    for (const char *at = text; (at = strstr(at, "wha_")); at++)
        if (strnlen(at, SECRET_TOKEN_CHARS) == SECRET_TOKEN_CHARS &&
            secret_api_key_is_well_formed(at, SECRET_TOKEN_CHARS))
            return at;
    return NULL;
}

/* Returns the next pair of a Cookie's value (RFC 6265 4.2.1) and moves *at behind it; NULL at the
 * end. */
static const char *next_pair(const char **at, size_t *chars)
{
    *at += strspn(*at, "; \t");
    if (**at == '\0')
        return NULL;
    const char *pair = *at;
    *chars = strcspn(pair, ";");
    *at += *chars;
    return pair;
}

static bool is_session(const char *pair, size_t chars)
{
    static const char name[] = SECRET_SESSION_COOKIE;
    size_t name_chars = strlen(name);
    return chars >= name_chars && memcmp(pair, name, name_chars) == 0 &&
           strchr("= \t;", pair[name_chars]); /* also the NUL */
}

static bool has_session(const char *value)
{
    size_t chars;
    for (const char *at = value, *pair; (pair = next_pair(&at, &chars));)
        if (is_session(pair, chars))
            return true;
    return false;
}

bool own_secrets_in_header(const char *name, const char *value)
{
    if (strcasecmp(name, "Cookie") == 0)
        return has_session(value);
    if (strcasecmp(name, "Authorization") == 0 || strcasecmp(name, "Proxy-Authorization") == 0)
        return find_key(value);
    return false;
}

char *own_secrets_rest(const char *name, const char *value)
{
    size_t chars;
    if (strcasecmp(name, "Cookie") != 0)
        return NULL;
    /* Each pair has at least one character, and gets a separator of at most two. */
    char *rest = memory_alloc(3 * strlen(value) + 1), *to = rest;
    for (const char *at = value, *pair; (pair = next_pair(&at, &chars));) {
        if (is_session(pair, chars))
            continue;
        if (to > rest)
            to = stpcpy(to, "; ");
        to = mempcpy(to, pair, chars);
    }
    *to = '\0';
    if (to > rest)
        return rest;
    free(rest);
    return NULL;
}

void own_secrets_note(json_t **withheld, const char *name)
{
    if (!*withheld)
        *withheld = json_array();
    for (size_t i = 0; i < json_array_size(*withheld); i++)
        if (strcmp(json_string_value(json_array_get(*withheld, i)), name) == 0)
            return;
    if (json_array_append_new(*withheld, json_string(name)) != 0)
        abort();
}

/* Notes the parameter in which a key was just hidden. `hidden_end` is behind the hidden key: what
 * follows may contain another one. */
static void note_parameter(json_t **withheld, const char *query, const char *hidden_end)
{
    const char *start = hidden_end;
    while (start > query && start[-1] != '&')
        start--;
    size_t chars = strcspn(start, "="), most = (size_t)(hidden_end - start);
    char *name = memory_format("?%.*s", (int)(chars < most ? chars : most), start);
    char *utf8 = utf8_from_any(name);
    own_secrets_note(withheld, utf8);
    free(utf8);
    free(name);
}

void own_secrets_hide_in_query(char *query, json_t **withheld)
{
    _Static_assert(sizeof(hidden) - 1 < SECRET_TOKEN_CHARS, "the text only gets shorter");
    for (const char *key = query; (key = find_key(key));) {
        const char *rest = key + SECRET_TOKEN_CHARS;
        char *to = stpcpy(query + (key - query), hidden);
        memmove(to, rest, strlen(rest) + 1);
        note_parameter(withheld, query, to);
        key = to;
    }
}
