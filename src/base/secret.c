/* Tokens, their hash and seal, API keys, the key file, and the few primitives of libsodium that
 * other folders need. Only this file and base64.c call libsodium. Token checks and hashes run on
 * the hook workers for every request, most of the rest on the threads that serve administrators. No
 * state except libsodium's own, so any thread may call it. */
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum {
    PREFIX_CHARS = 4,
    CHECKSUM_CHARS = 6,
    CHECKED_CHARS = SECRET_TOKEN_CHARS - CHECKSUM_CHARS,
    NAME_BYTES = 256,
    SEAL_VERSION = 1,
    SEAL_NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    SEAL_MAC_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

static const char token_prefix[] = "whk_", api_key_prefix[] = "wha_";
static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(((struct secret_hasher *)0)->state),
               "struct secret_hasher must hold libsodium's state");
_Static_assert(SECRET_SEAL_BYTES == 1 + SEAL_NONCE_BYTES + SEAL_MAC_BYTES,
               "a seal is version, nonce and MAC");
_Static_assert(SECRET_UNBOUND_TOKEN_BYTES ==
                   crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + SECRET_TOKEN_CHARS,
               "the form without a place is nonce, MAC, token");
_Static_assert(SECRET_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                   SECRET_KEY_BYTES == crypto_secretbox_KEYBYTES,
               "one key serves both forms");
_Static_assert(SECRET_SPREAD_KEY_BYTES == crypto_shorthash_KEYBYTES &&
                   sizeof(uint64_t) == crypto_shorthash_BYTES,
               "the spread is SipHash");
_Static_assert(SECRET_HASH_BYTES == crypto_hash_sha256_BYTES, "the hash is SHA-256");

int secret_init(struct error *error)
{
    if (sodium_init() < 0)
        return error_set(error, ERROR_INTERNAL, "cannot initialise libsodium");
    return 0;
}

/* CRC-32/ISO-HDLC, four bits at a time: 34 bytes per request do not justify the large table. */
static uint32_t crc32_of(const char *text, size_t bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= (uint8_t)text[i];
        crc = crc >> 4 ^ table[crc & 0x0f];
        crc = crc >> 4 ^ table[crc & 0x0f];
    }
    return ~crc;
}

static void put_checksum(const char *token, char checksum[CHECKSUM_CHARS])
{
    uint32_t rest = crc32_of(token, CHECKED_CHARS);
    for (int i = CHECKSUM_CHARS - 1; i >= 0; i--) {
        checksum[i] = base62[rest % 62];
        rest /= 62;
    }
}

static void mint(const char *prefix, char token[SECRET_TOKEN_CHARS + 1])
{
    memcpy(token, prefix, PREFIX_CHARS);
    for (int i = PREFIX_CHARS; i < CHECKED_CHARS; i++)
        token[i] = base62[randombytes_uniform(62)];
    put_checksum(token, token + CHECKED_CHARS);
    token[SECRET_TOKEN_CHARS] = '\0';
}

void secret_mint_token(char token[SECRET_TOKEN_CHARS + 1])
{
    mint(token_prefix, token);
}

void secret_mint_api_key(char key[SECRET_TOKEN_CHARS + 1])
{
    mint(api_key_prefix, key);
}

static bool is_base62(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_well_formed(const char *prefix, const char *text, size_t chars)
{
    if (chars != SECRET_TOKEN_CHARS || memcmp(text, prefix, PREFIX_CHARS) != 0)
        return false;
    for (int i = PREFIX_CHARS; i < CHECKED_CHARS; i++)
        if (!is_base62(text[i]))
            return false;
    char checksum[CHECKSUM_CHARS];
    put_checksum(text, checksum);
    return memcmp(text + CHECKED_CHARS, checksum, CHECKSUM_CHARS) == 0;
}

bool secret_token_is_well_formed(const char *text, size_t chars)
{
    return is_well_formed(token_prefix, text, chars);
}

const char *secret_token_problem(const char *text, size_t chars)
{
    if (chars == 0)
        return "the token is missing";
    if (chars >= PREFIX_CHARS && memcmp(text, api_key_prefix, PREFIX_CHARS) == 0)
        return "an API key is in the place of the token";
    if (chars < PREFIX_CHARS || memcmp(text, token_prefix, PREFIX_CHARS) != 0)
        return "the token does not begin with whk_";
    size_t good = PREFIX_CHARS;
    while (good < chars && is_base62(text[good]))
        good++;
    if (good < chars)
        return text[good] == '/' ? "a slash follows the token"
                                 : "the token contains a character that no token has";
    if (chars != SECRET_TOKEN_CHARS)
        return chars < SECRET_TOKEN_CHARS ? "the token is cut off" : "the token is too long";
    return "the token is mistyped: its checksum is wrong";
}

bool secret_api_key_is_well_formed(const char *text, size_t chars)
{
    return is_well_formed(api_key_prefix, text, chars);
}

void secret_hash(const void *data, size_t bytes, uint8_t hash[SECRET_HASH_BYTES])
{
    (void)crypto_hash_sha256(hash, data, bytes);
}

void secret_hasher_start(struct secret_hasher *hasher)
{
    (void)crypto_hash_sha256_init((crypto_hash_sha256_state *)(void *)hasher->state);
}

void secret_hasher_add(struct secret_hasher *hasher, const void *data, size_t bytes)
{
    (void)crypto_hash_sha256_update((crypto_hash_sha256_state *)(void *)hasher->state, data, bytes);
}

void secret_hasher_finish(struct secret_hasher *hasher, uint8_t hash[SECRET_HASH_BYTES])
{
    (void)crypto_hash_sha256_final((crypto_hash_sha256_state *)(void *)hasher->state, hash);
}

/* The MAC also covers this. Returns its size. */
static size_t put_associated(uint8_t associated[1 + SECRET_PLACE_MAX_CHARS], const char *place)
{
    size_t chars = strlen(place);
    assert(chars <= SECRET_PLACE_MAX_CHARS);
    associated[0] = SEAL_VERSION;
    memcpy(associated + 1, place, chars);
    return 1 + chars;
}

void secret_seal(const struct secret_key *key, const char *place, const void *value, size_t bytes,
                 uint8_t *sealed)
{
    uint8_t associated[1 + SECRET_PLACE_MAX_CHARS], *nonce = sealed + 1;
    size_t associated_bytes = put_associated(associated, place);
    sealed[0] = SEAL_VERSION;
    randombytes_buf(nonce, SEAL_NONCE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + SEAL_NONCE_BYTES, NULL, value, bytes,
                                                     associated, associated_bytes, NULL, nonce,
                                                     key->bytes);
}

int secret_open(const struct secret_key *key, const char *place, const uint8_t *sealed,
                size_t sealed_bytes, void *value)
{
    uint8_t associated[1 + SECRET_PLACE_MAX_CHARS];
    size_t associated_bytes = put_associated(associated, place);
    if (!key->present || sealed_bytes < SECRET_SEAL_BYTES || sealed[0] != SEAL_VERSION)
        return -1;
    const uint8_t *nonce = sealed + 1, *cipher = nonce + SEAL_NONCE_BYTES;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
        value, NULL, NULL, cipher, sealed_bytes - 1 - SEAL_NONCE_BYTES, associated,
        associated_bytes, nonce, key->bytes);
}

int secret_open_unbound(const struct secret_key *key,
                        const uint8_t sealed[SECRET_UNBOUND_TOKEN_BYTES],
                        char token[SECRET_TOKEN_CHARS])
{
    const uint8_t *nonce = sealed;
    if (!key->present)
        return -1;
    return crypto_secretbox_open_easy((uint8_t *)token, sealed + crypto_secretbox_NONCEBYTES,
                                      SECRET_UNBOUND_TOKEN_BYTES - crypto_secretbox_NONCEBYTES,
                                      nonce, key->bytes);
}

static int check_key_file(int fd, const char *name, struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set_errno(error, errno, "cannot examine the key file \"%s\"", name);
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INVALID, "the key file \"%s\" is not a regular file", name);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(
            error, ERROR_INVALID,
            "the key file \"%s\" is accessible to other users (mode %04o); chmod 600 it", name,
            (unsigned)(status.st_mode & 07777));
    if (status.st_size != SECRET_KEY_BYTES)
        return error_set(error, ERROR_INVALID, "the key file \"%s\" has %lld bytes instead of %d",
                         name, (long long)status.st_size, SECRET_KEY_BYTES);
    return 0;
}

int secret_key_read(int dir_fd, const char *name, struct secret_key *key, struct error *error)
{
    key->present = false;
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno == ELOOP)
        return error_set(error, ERROR_INVALID, "the key file \"%s\" is a symbolic link", name);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot open the key file \"%s\"", name);

    int result = -1;
    if (check_key_file(fd, name, error) != 0)
        goto out;
    ssize_t bytes = file_read_all(fd, key->bytes, SECRET_KEY_BYTES);
    if (bytes != SECRET_KEY_BYTES) {
        error_set_errno(error, bytes < 0 ? errno : ENODATA, "cannot read the key file \"%s\"",
                        name);
        secret_wipe(key->bytes, SECRET_KEY_BYTES);
        goto out;
    }
    key->present = true;
    result = 0;
out:
    close(fd);
    return result;
}

static int write_key_file(int dir_fd, const char *temporary, const struct secret_key *key,
                          struct error *error)
{
    if (unlinkat(dir_fd, temporary, 0) != 0 && errno != ENOENT)
        return error_set_errno(error, errno, "cannot remove the leftover key file \"%s\"",
                               temporary);
    int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create the key file \"%s\"", temporary);

    int result = -1;
    if (fchmod(fd, 0600) != 0) /* independent of the umask */
        error_set_errno(error, errno, "cannot set the mode of the key file \"%s\"", temporary);
    else if (file_write_all(fd, key->bytes, SECRET_KEY_BYTES) != 0)
        error_set_errno(error, errno, "cannot write the key file \"%s\"", temporary);
    else
        result = file_sync(fd, temporary, error);
    close(fd);
    return result;
}

/* The key is written and synced under a temporary name first, so a crash leaves either no key file
 * or a complete one. Like O_EXCL, link(2) never replaces an existing file. */
int secret_key_create(int dir_fd, const char *name, struct secret_key *key, struct error *error)
{
    char temporary[NAME_BYTES];
    int chars = snprintf(temporary, sizeof(temporary), "%s.tmp", name);
    if (chars < 0 || (size_t)chars >= sizeof(temporary))
        return error_set(error, ERROR_INVALID, "the key file's name is too long: \"%s\"", name);

    key->present = false;
    randombytes_buf(key->bytes, SECRET_KEY_BYTES);
    int result = -1;
    bool linked = false;
    if (write_key_file(dir_fd, temporary, key, error) != 0)
        goto out;
    linked = linkat(dir_fd, temporary, dir_fd, name, 0) == 0;
    if (!linked && errno == EEXIST)
        error_set(error, ERROR_CONFLICT, "the key file \"%s\" already exists", name);
    else if (!linked)
        error_set_errno(error, errno, "cannot create the key file \"%s\"", name);
    else if (unlinkat(dir_fd, temporary, 0) != 0)
        error_set_errno(error, errno, "cannot remove \"%s\"", temporary);
    else if (file_sync(dir_fd, ".", error) != 0)
        error_context(error, "the folder of the key file \"%s\"", name);
    else
        result = 0;
out:
    key->present = result == 0;
    if (result != 0) {
        (void)unlinkat(dir_fd, temporary, 0);
        if (linked)
            (void)unlinkat(dir_fd, name, 0);
        secret_wipe(key->bytes, SECRET_KEY_BYTES);
    }
    return result;
}

void secret_wipe(void *data, size_t bytes)
{
    sodium_memzero(data, bytes);
}

bool secret_equal(const void *a, const void *b, size_t bytes)
{
    return sodium_memcmp(a, b, bytes) == 0;
}

uint64_t secret_spread(const uint8_t key[SECRET_SPREAD_KEY_BYTES], const void *data, size_t bytes)
{
    uint64_t spread;
    (void)crypto_shorthash((unsigned char *)&spread, data, bytes, key);
    return spread;
}

void secret_random(void *data, size_t bytes)
{
    randombytes_buf(data, bytes);
}

char *secret_hash_format(const uint8_t hash[SECRET_HASH_BYTES],
                         char text[2 * SECRET_HASH_BYTES + 1])
{
    return sodium_bin2hex(text, 2 * SECRET_HASH_BYTES + 1, hash, SECRET_HASH_BYTES);
}
