/* The query of a request target: its parameters, and what is stored of it. The input is the
 * query. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"
#include "model/own_secrets.h"
#include "http/query.h"

/* Encodes every byte. The caller frees the result. */
static char *encode(const char *text)
{
    char *encoded = memory_alloc(3 * strlen(text) + 1);
    for (size_t i = 0; text[i] != '\0'; i++)
        sprintf(encoded + 3 * i, "%%%02x", (unsigned char)text[i]);
    return encoded;
}

static void check_value(const struct query_parameter *parameter)
{
    char *text = memory_alloc(parameter->value_bytes + 1);
    if (query_decode(parameter, text, parameter->value_bytes + 1) == 0) {
        size_t bytes = strlen(text);
        FUZZ_CHECK(bytes <= parameter->value_bytes);
        /* It fits exactly, and not into one byte less. */
        char *tight = memory_alloc(bytes + 1);
        FUZZ_CHECK(query_decode(parameter, tight, bytes + 1) == 0 && strcmp(tight, text) == 0);
        FUZZ_CHECK(bytes == 0 || query_decode(parameter, tight, bytes) == -1);
        /* decode(encode(x)) == x */
        char *encoded = encode(text);
        const struct query_parameter again = {"", encoded, 0, strlen(encoded)};
        FUZZ_CHECK(query_decode(&again, tight, bytes + 1) == 0 && strcmp(tight, text) == 0);
        free(encoded);
        free(tight);
    }
    free(text);
}

static bool has_api_key(const char *text)
{
    for (; strlen(text) >= SECRET_TOKEN_CHARS; text++)
        if (secret_api_key_is_well_formed(text, SECRET_TOKEN_CHARS))
            return true;
    return false;
}

/* What is stored of the query contains no API key, and otherwise it is what was sent. */
static void check_stored(const char *query)
{
    char *stored = memory_string(query);
    bool had_key = has_api_key(query);
    json_t *withheld = NULL;
    own_secrets_hide_in_query(stored, &withheld);
    FUZZ_CHECK((json_array_size(withheld) > 0) == had_key);
    json_decref(withheld);
    FUZZ_CHECK(!has_api_key(stored) && (had_key || strcmp(stored, query) == 0));
    free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *query = memory_string_n(bytes > 0 ? (const char *)data : "", bytes);
    const char *end = query + strlen(query);
    const char *at = query;
    struct query_parameter parameter;
    for (const char *before = at; query_next(&at, &parameter); before = at) {
        /* Each parameter lies behind the one before, is not empty, and ends at "&". */
        FUZZ_CHECK(at > before && at <= end && (*at == '&' || at == end));
        FUZZ_CHECK(parameter.name >= before);
        FUZZ_CHECK(parameter.value >= parameter.name + parameter.name_bytes);
        FUZZ_CHECK(parameter.value + parameter.value_bytes == at);
        FUZZ_CHECK(!memchr(parameter.name, '=', parameter.name_bytes));
        char *name = memory_string_n(parameter.name, parameter.name_bytes);
        FUZZ_CHECK(query_is_named(&parameter, name));
        free(name);
        check_value(&parameter);
    }
    FUZZ_CHECK(at == end);
    check_stored(query);
    free(query);
    return 0;
}
