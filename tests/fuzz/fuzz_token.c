/* Tokens, API keys and ids. The input is read as each of them; its bytes also choose a well-formed
 * token. */
#include "fuzz/fuzz.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/id.h"
#include "base/memory.h"
#include "base/secret.h"

#define CHECKSUM_CHARS 6
#define CHECKED_CHARS  (SECRET_TOKEN_CHARS - CHECKSUM_CHARS)

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* CRC-32 bit by bit, as its definition says. */
static uint32_t crc32_of(const char *text, size_t bytes)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* Writes the token that the bytes choose. */
static void choose_token(const char *prefix, const uint8_t *data, size_t bytes,
                         char token[SECRET_TOKEN_CHARS + 1])
{
    size_t chars = strlen(prefix);
    memcpy(token, prefix, chars);
    for (size_t i = 0; chars < CHECKED_CHARS; i++)
        token[chars++] = base62[bytes > 0 ? data[i % bytes] % 62 : 0];
    uint32_t rest = crc32_of(token, CHECKED_CHARS);
    for (chars = SECRET_TOKEN_CHARS; chars > CHECKED_CHARS; rest /= 62)
        token[--chars] = base62[rest % 62];
    token[SECRET_TOKEN_CHARS] = '\0';
}

/* A checksum of 32 bits detects every change of one character. */
static void check_changed(const char *token, const uint8_t *data, size_t bytes)
{
    if (bytes < 2)
        return;
    char changed[SECRET_TOKEN_CHARS + 1];
    memcpy(changed, token, sizeof(changed));
    size_t place = data[0] % SECRET_TOKEN_CHARS;
    changed[place] = (char)data[1];
    bool is_same = changed[place] == token[place];
    FUZZ_CHECK(secret_token_is_well_formed(changed, SECRET_TOKEN_CHARS) == is_same);
}

/* A seal opens with its key, at its place, and undamaged, and not otherwise. */
static void check_seal(const char *token, const uint8_t *data, size_t bytes)
{
    struct secret_key key = {.present = true};
    memcpy(key.bytes, data, bytes < sizeof(key.bytes) ? bytes : sizeof(key.bytes));
    uint8_t sealed[SECRET_SEAL_BYTES + SECRET_TOKEN_CHARS];
    char opened[SECRET_TOKEN_CHARS];
    secret_seal(&key, "here", token, SECRET_TOKEN_CHARS, sealed);
    FUZZ_CHECK(secret_open(&key, "here", sealed, sizeof(sealed), opened) == 0);
    FUZZ_CHECK(memcmp(opened, token, sizeof(opened)) == 0);
    FUZZ_CHECK(secret_open(&key, "there", sealed, sizeof(sealed), opened) == -1);
    FUZZ_CHECK(secret_open(&key, "here", sealed, bytes % sizeof(sealed), opened) == -1);
    sealed[bytes % sizeof(sealed)] ^= (uint8_t)(1 << (bytes % 8));
    FUZZ_CHECK(secret_open(&key, "here", sealed, sizeof(sealed), opened) == -1);
}

/* Bytes that nobody sealed. */
static void check_foreign_seal(const uint8_t *data, size_t bytes)
{
    const struct secret_key key = {.present = true};
    uint8_t unbound[SECRET_UNBOUND_TOKEN_BYTES] = {0};
    char opened[SECRET_TOKEN_CHARS];
    memcpy(unbound, data, bytes < sizeof(unbound) ? bytes : sizeof(unbound));
    FUZZ_CHECK(secret_open_unbound(&key, unbound, opened) == -1);
    char *value = memory_alloc(bytes + 1);
    FUZZ_CHECK(secret_open(&key, "here", data, bytes, value) == -1);
    free(value);
}

static void check_id(const char *text)
{
    struct id id;
    char written[ID_TEXT_BYTES];
    if (id_parse(text, &id) != 0)
        return;
    FUZZ_CHECK(strlen(text) == ID_TEXT_BYTES - 1);
    id_format(&id, written);
    FUZZ_CHECK(strcasecmp(written, text) == 0 && id_looks_like(text) && id_is_prefix(written));
    for (const char *c = written; *c != '\0'; c++)
        FUZZ_CHECK(!isupper((unsigned char)*c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct error error = ERROR_INIT;
    FUZZ_CHECK(secret_init(&error) == 0);
    const char *text = (const char *)data;
    bool is_token = secret_token_is_well_formed(text, bytes);
    FUZZ_CHECK(!is_token || (bytes == SECRET_TOKEN_CHARS && memcmp(text, "whk_", 4) == 0));
    FUZZ_CHECK(!is_token || !secret_api_key_is_well_formed(text, bytes));
    FUZZ_CHECK(is_token || fuzz_is_message(secret_token_problem(text, bytes)));

    char token[SECRET_TOKEN_CHARS + 1], key[SECRET_TOKEN_CHARS + 1];
    choose_token("whk_", data, bytes, token);
    choose_token("wha_", data, bytes, key);
    FUZZ_CHECK(secret_token_is_well_formed(token, SECRET_TOKEN_CHARS));
    FUZZ_CHECK(secret_api_key_is_well_formed(key, SECRET_TOKEN_CHARS));
    FUZZ_CHECK(!secret_api_key_is_well_formed(token, SECRET_TOKEN_CHARS));
    check_changed(token, data, bytes);
    check_seal(token, data, bytes);
    check_foreign_seal(data, bytes);

    char *id = memory_string_n(bytes > 0 ? text : "", bytes);
    check_id(id);
    free(id);
    return 0;
}
