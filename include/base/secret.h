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

/* The cookie of a session of the console (admin/caller.h). hooks/ keeps it out of stored runs. */
#define SECRET_SESSION_COOKIE "webhookd_session"

void secret_hash(const void *data, size_t bytes, uint8_t hash[SECRET_HASH_BYTES]); /* SHA-256 */

/* SHA-256 in pieces. */
struct secret_hasher {
    _Alignas(16) uint8_t state[128];
};
void secret_hasher_start(struct secret_hasher *hasher);
void secret_hasher_add(struct secret_hasher *hasher, const void *data, size_t bytes);
void secret_hasher_finish(struct secret_hasher *hasher, uint8_t hash[SECRET_HASH_BYTES]);

/* A sealed value is a version byte (1), a nonce, the ciphertext, and a MAC: XChaCha20-Poly1305 of
 * libsodium. The MAC also covers the version and the value's place, a text that names the row and
 * the column, so a sealed value that is moved to another place does not open there. */
#define SECRET_SEAL_BYTES      (1 + 24 + 16) /* that a seal adds to the value */
#define SECRET_PLACE_MAX_CHARS 255
/* Writes SECRET_SEAL_BYTES + bytes to sealed. The key must be present; this does not check it. */
void secret_seal(const struct secret_key *key, const char *place, const void *value, size_t bytes,
                 uint8_t *sealed);
/* Writes sealed_bytes - SECRET_SEAL_BYTES to value. Returns 0, or -1 if the key is absent, if the
 * value was sealed with another key or for another place, or if it is damaged. */
int secret_open(const struct secret_key *key, const char *place, const uint8_t *sealed,
                size_t sealed_bytes, void *value);
/* Up to store schema 5, a token was sealed without a version and a place: nonce, MAC, token
 * (XSalsa20-Poly1305, libsodium's secretbox). Returns as secret_open does. */
#define SECRET_UNBOUND_TOKEN_BYTES (24 + 16 + SECRET_TOKEN_CHARS)
int secret_open_unbound(const struct secret_key *key,
                        const uint8_t sealed[SECRET_UNBOUND_TOKEN_BYTES],
                        char token[SECRET_TOKEN_CHARS]);

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
