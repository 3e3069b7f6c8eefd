/* Secrets: the webhook token, its hash and its seal; API keys. Only this code, the handler that
 * receives a secret and the reply that shows it handle its characters (invariant 7). Any thread.
 *
 * A token is "whk_", 30 random base62 characters, and 6 base62 characters for the CRC-32 (ISO-HDLC,
 * as in zlib) of everything before them. The digits are 0-9A-Za-z, most significant first,
 * zero-padded. An API key is the same with "wha_". */
#ifndef WEBHOOKD_BASE_SECRET_H
#define WEBHOOKD_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SECRET_TOKEN_CHARS 40
#define SECRET_HASH_BYTES  32
#define SECRET_KEY_BYTES   32
/* Nonce, MAC and token (XSalsa20-Poly1305, libsodium's secretbox). */
#define SECRET_SEALED_BYTES (24 + 16 + SECRET_TOKEN_CHARS)

struct secret_key {
    bool present;
    uint8_t bytes[SECRET_KEY_BYTES];
};

/* Must be called before anything else here. Later calls do nothing. */
int secret_init(struct error *error);

void secret_mint_token(char token[SECRET_TOKEN_CHARS + 1]);
/* Returns true if text (of exactly `chars` characters) has a token's shape and checksum. Allocates
 * nothing, does not use the store, and compares nothing secret. */
bool secret_token_is_well_formed(const char *text, size_t chars);
/* Says what is wrong with a text that is not a well-formed token, without quoting it: "the token is
 * cut off", … */
const char *secret_token_problem(const char *text, size_t chars);

/* The same for an API key, which has the same length. */
void secret_mint_api_key(char key[SECRET_TOKEN_CHARS + 1]);
bool secret_api_key_is_well_formed(const char *text, size_t chars);

void secret_hash(const void *data, size_t bytes, uint8_t hash[SECRET_HASH_BYTES]); /* SHA-256 */

/* SHA-256 in pieces. */
struct secret_hasher {
    _Alignas(16) uint8_t state[128];
};
void secret_hasher_start(struct secret_hasher *hasher);
void secret_hasher_add(struct secret_hasher *hasher, const void *data, size_t bytes);
void secret_hasher_finish(struct secret_hasher *hasher, uint8_t hash[SECRET_HASH_BYTES]);

/* The key must be present; this does not check it. */
void secret_seal(const struct secret_key *key, const char token[SECRET_TOKEN_CHARS],
                 uint8_t sealed[SECRET_SEALED_BYTES]);
/* Returns 0, or -1 if the key is absent, or the token was sealed with another key or is damaged. */
int secret_open(const struct secret_key *key, const uint8_t sealed[SECRET_SEALED_BYTES],
                char token[SECRET_TOKEN_CHARS + 1]);

/* Reads the key file, which must be a regular file of exactly 32 bytes without permissions for
 * group and others. If the file does not exist, returns 0 and sets key->present to false. */
int secret_key_read(int dir_fd, const char *name, struct secret_key *key, struct error *error);
/* Creates the key file with mode 0600, and syncs it and its folder before it returns.
 * ERROR_CONFLICT if it exists. */
int secret_key_create(int dir_fd, const char *name, struct secret_key *key, struct error *error);

void secret_wipe(void *data, size_t bytes);
bool secret_equal(const void *a, const void *b, size_t bytes); /* constant time */
void secret_random(void *data, size_t bytes);
/* A keyed hash (SipHash) for tables whose keys a stranger may choose. Without the hash's key,
 * nobody can produce many table keys that share a slot. */
#define SECRET_SPREAD_KEY_BYTES 16
uint64_t secret_spread(const uint8_t key[SECRET_SPREAD_KEY_BYTES], const void *data, size_t bytes);

/* Formats the hash as 64 lower-case hexadecimal digits and a NUL. Returns text. */
char *secret_hash_format(const uint8_t hash[SECRET_HASH_BYTES],
                         char text[2 * SECRET_HASH_BYTES + 1]);

#endif
