#include "base/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/suite.h"

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static char folder_path[] = "/tmp/test_secret.XXXXXX";
static int folder_fd;

static void open_folder(void)
{
    struct error error = ERROR_INIT;
    ck_assert_int_eq(secret_init(&error), 0);
    ck_assert_ptr_nonnull(mkdtemp(folder_path));
    folder_fd = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder_fd, 0);
}

static void remove_folder(void)
{
    struct error error = ERROR_INIT;
    close(folder_fd);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, folder_path, &error), 0);
}

static void write_file(const char *name, const void *data, size_t bytes, mode_t mode)
{
    int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    ck_assert_int_eq(file_write_all(fd, data, bytes), 0);
    close(fd);
}

static void init(void)
{
    struct error error = ERROR_INIT;
    ck_assert_int_eq(secret_init(&error), 0);
    ck_assert_int_eq(secret_init(&error), 0);
}

/* Computes the CRC by its definition, one bit at a time, unlike the implementation with its
 * table. */
static uint32_t crc32_by_bits(const char *text, size_t bytes)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= (uint8_t)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return crc ^ 0xffffffff;
}

static void make_token(const char *body, char token[SECRET_TOKEN_CHARS + 1])
{
    snprintf(token, SECRET_TOKEN_CHARS + 1, "whk_%s", body);
    uint32_t rest = crc32_by_bits(token, 34);
    for (int i = 39; i >= 34; i--) {
        token[i] = digits[rest % 62];
        rest /= 62;
    }
    token[SECRET_TOKEN_CHARS] = '\0';
}

TEST(a_minted_token_has_the_documented_form)
{
    init();
    ck_assert_uint_eq(crc32_by_bits("123456789", 9), 0xcbf43926);
    for (int i = 0; i < 500; i++) {
        char token[SECRET_TOKEN_CHARS + 1], expected[SECRET_TOKEN_CHARS + 1], body[31];
        secret_mint_token(token);
        ck_assert_uint_eq(strlen(token), SECRET_TOKEN_CHARS);
        ck_assert_uint_eq(strspn(token + 4, digits), 36);
        memcpy(body, token + 4, 30);
        body[30] = '\0';
        make_token(body, expected);
        ck_assert_str_eq(token, expected);
        ck_assert(secret_token_is_well_formed(token, SECRET_TOKEN_CHARS));
    }
}

TEST(a_checksum_is_padded_with_zeros)
{
    /* A CRC-32 is below 2^32 and six digits reach 62^6, so the first digit is 0 to 4. */
    init();
    bool seen_zero = false;
    for (int i = 0; i < 3000; i++) {
        char token[SECRET_TOKEN_CHARS + 1];
        secret_mint_token(token);
        ck_assert_int_ge(token[34], '0');
        ck_assert_int_le(token[34], '4');
        seen_zero = seen_zero || token[34] == '0';
    }
    ck_assert(seen_zero);
}

TEST(an_api_key_is_not_a_token_and_a_token_is_not_an_api_key)
{
    char key[SECRET_TOKEN_CHARS + 1], token[SECRET_TOKEN_CHARS + 1];
    secret_mint_api_key(key);
    secret_mint_token(token);
    ck_assert_int_eq(strncmp(key, "wha_", 4), 0);
    ck_assert(secret_api_key_is_well_formed(key, SECRET_TOKEN_CHARS));
    ck_assert(!secret_api_key_is_well_formed(key, SECRET_TOKEN_CHARS - 1));
    ck_assert(!secret_api_key_is_well_formed(token, SECRET_TOKEN_CHARS));
    ck_assert(!secret_token_is_well_formed(key, SECRET_TOKEN_CHARS));
    key[10] = key[10] == 'a' ? 'b' : 'a';
    ck_assert(!secret_api_key_is_well_formed(key, SECRET_TOKEN_CHARS));
}

TEST(minted_tokens_use_every_digit_at_every_place)
{
    init();
    bool seen[30][128] = {{false}};
    for (int i = 0; i < 5000; i++) {
        char token[SECRET_TOKEN_CHARS + 1];
        secret_mint_token(token);
        for (int k = 0; k < 30; k++)
            seen[k][(unsigned char)token[4 + k]] = true;
    }
    for (int k = 0; k < 30; k++)
        for (int d = 0; d < 62; d++)
            ck_assert(seen[k][(unsigned char)digits[d]]);
}

TEST(a_token_with_one_changed_character_is_refused)
{
    init();
    char token[SECRET_TOKEN_CHARS + 1];
    secret_mint_token(token);
    for (int place = 0; place < SECRET_TOKEN_CHARS; place++) {
        char right = token[place];
        for (int c = 0; c < 256; c++) {
            token[place] = (char)c;
            ck_assert(secret_token_is_well_formed(token, SECRET_TOKEN_CHARS) == ((char)c == right));
        }
        token[place] = right;
    }
    ck_assert(secret_token_is_well_formed(token, SECRET_TOKEN_CHARS));
}

TEST(a_token_of_another_length_or_alphabet_is_refused)
{
    init();
    char token[SECRET_TOKEN_CHARS + 2];
    secret_mint_token(token);
    token[SECRET_TOKEN_CHARS] = '0';
    ck_assert(!secret_token_is_well_formed(token, SECRET_TOKEN_CHARS + 1));
    ck_assert(!secret_token_is_well_formed(token, SECRET_TOKEN_CHARS - 1));
    ck_assert(!secret_token_is_well_formed("", 0));
    make_token("-ight-checksum-wrong-alphabet-", token); /* its checksum is correct */
    ck_assert(!secret_token_is_well_formed(token, SECRET_TOKEN_CHARS));
    make_token("RightChecksumAndRightAlphabet0", token);
    ck_assert(secret_token_is_well_formed(token, SECRET_TOKEN_CHARS));
}

TEST(a_malformed_token_is_explained_without_quoting_it)
{
    char token[SECRET_TOKEN_CHARS + 2];
    secret_mint_token(token);
    token[SECRET_TOKEN_CHARS] = 'x';
    token[SECRET_TOKEN_CHARS + 1] = '\0';
    const struct {
        const char *text;
        size_t chars;
        const char *problem;
    } cases[] = {
        {"", 0, "the token is missing"},
        {"wha_", 4, "an API key is in the place of the token"},
        {"wh", 2, "the token does not begin with whk_"},
        {"robots.txt", 10, "the token does not begin with whk_"},
        {token, 4, "the token is cut off"},
        {token, SECRET_TOKEN_CHARS - 1, "the token is cut off"},
        {token, SECRET_TOKEN_CHARS + 1, "the token is too long"},
        {"whk_abc/", 8, "a slash follows the token"},
        {"whk_abc.", 8, "the token contains a character that no token has"},
        {"whk_0000000000000000000000000000000000zz", 40,
         "the token is mistyped: its checksum is wrong"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        ck_assert_str_eq(secret_token_problem(cases[i].text, cases[i].chars), cases[i].problem);
}

TEST(the_hash_is_sha256_in_one_call_or_in_pieces)
{
    init();
    uint8_t hash[SECRET_HASH_BYTES], pieces[SECRET_HASH_BYTES];
    char text[2 * SECRET_HASH_BYTES + 1];
    secret_hash("abc", 3, hash);
    ck_assert_str_eq(secret_hash_format(hash, text),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    secret_hash("", 0, hash);
    ck_assert_str_eq(secret_hash_format(hash, text),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    char data[10000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7);
    secret_hash(data, sizeof(data), hash);
    struct secret_hasher hasher;
    secret_hasher_start(&hasher);
    for (size_t at = 0, step = 0; at < sizeof(data); at += step, step++)
        secret_hasher_add(&hasher, data + at, step < sizeof(data) - at ? step : sizeof(data) - at);
    secret_hasher_finish(&hasher, pieces);
    ck_assert(secret_equal(hash, pieces, sizeof(hash)));
    pieces[31] ^= 1;
    ck_assert(!secret_equal(hash, pieces, sizeof(hash)));
}

TEST(a_sealed_value_opens_only_with_its_key_and_at_its_place)
{
    init();
    struct secret_key key = {.present = true}, other = {.present = true};
    secret_random(key.bytes, sizeof(key.bytes));
    secret_random(other.bytes, sizeof(other.bytes));
    static const char value[] = "a value of any length", place[] = "webhook/1";
    char opened[sizeof(value)];
    uint8_t sealed[SECRET_SEAL_BYTES + sizeof(value)], again[sizeof(sealed)];
    secret_seal(&key, place, value, sizeof(value), sealed);
    secret_seal(&key, place, value, sizeof(value), again);
    ck_assert(memcmp(sealed, again, sizeof(sealed)) != 0);
    ck_assert_ptr_null(memmem(sealed, sizeof(sealed), value, 8));

    ck_assert_int_eq(secret_open(&key, place, sealed, sizeof(sealed), opened), 0);
    ck_assert_str_eq(opened, value);
    ck_assert_int_eq(secret_open(&key, "webhook/2", sealed, sizeof(sealed), opened), -1);
    ck_assert_int_eq(secret_open(&other, place, sealed, sizeof(sealed), opened), -1);
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 0x10;
        ck_assert_int_eq(secret_open(&key, place, sealed, sizeof(sealed), opened), -1);
        sealed[i] ^= 0x10;
        ck_assert_int_eq(secret_open(&key, place, sealed, i, opened), -1);
    }
    key.present = false;
    ck_assert_int_eq(secret_open(&key, place, sealed, sizeof(sealed), opened), -1);
}

/* A token that an earlier version sealed: with the key 00 01 … 1f and the nonce 20 21 … 37. */
TEST(a_token_without_a_place_still_opens)
{
    init();
    struct secret_key key = {.present = true};
    for (uint8_t i = 0; i < sizeof(key.bytes); i++)
        key.bytes[i] = i;
    uint8_t sealed[SECRET_UNBOUND_TOKEN_BYTES] = {
        0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d,
        0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x42, 0x17, 0xf0, 0x22,
        0x90, 0xdf, 0x10, 0xfe, 0x7d, 0xff, 0xd6, 0xb7, 0x67, 0x9f, 0xff, 0x87, 0x86, 0x31,
        0x26, 0xfa, 0x7d, 0x16, 0x68, 0xa5, 0x3d, 0x00, 0x63, 0x59, 0x34, 0x71, 0xf6, 0xb6,
        0xfa, 0xf6, 0xf8, 0xcd, 0xb6, 0x51, 0x6a, 0x3e, 0xf7, 0x3a, 0x7e, 0xdc, 0x8d, 0x4b,
        0xfd, 0xaf, 0xe4, 0x5f, 0xe3, 0x8d, 0x95, 0x9b, 0x21, 0x89,
    };
    char opened[SECRET_TOKEN_CHARS + 1] = "";
    ck_assert_int_eq(secret_open_unbound(&key, sealed, opened), 0);
    ck_assert_str_eq(opened, "whk_0123456789ABCDEFGHIJKLMNOPQRST3Nn2XF");
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 0x10;
        ck_assert_int_eq(secret_open_unbound(&key, sealed, opened), -1);
        sealed[i] ^= 0x10;
    }
    key.present = false;
    ck_assert_int_eq(secret_open_unbound(&key, sealed, opened), -1);
}

TEST(a_created_key_is_private_and_read_back)
{
    open_folder();
    umask(0777); /* the mode does not depend on the umask */
    struct error error = ERROR_INIT;
    struct secret_key made, read;
    ck_assert_int_eq(secret_key_create(folder_fd, "secret.key", &made, &error), 0);
    ck_assert(made.present);
    umask(022);
    struct stat status;
    ck_assert_int_eq(fstatat(folder_fd, "secret.key", &status, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert_uint_eq(status.st_mode, S_IFREG | 0600);
    ck_assert_int_eq(status.st_size, SECRET_KEY_BYTES);
    ck_assert_uint_eq(status.st_nlink, 1);
    ck_assert_int_eq(faccessat(folder_fd, "secret.key.tmp", F_OK, 0), -1);

    ck_assert_int_eq(secret_key_read(folder_fd, "secret.key", &read, &error), 0);
    ck_assert(read.present);
    ck_assert_mem_eq(read.bytes, made.bytes, SECRET_KEY_BYTES);
    remove_folder();
}

TEST(an_existing_key_is_never_replaced)
{
    open_folder();
    struct error error = ERROR_INIT;
    struct secret_key first, second, read;
    ck_assert_int_eq(secret_key_create(folder_fd, "secret.key", &first, &error), 0);
    ck_assert_int_eq(secret_key_create(folder_fd, "secret.key", &second, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFLICT);
    ck_assert(!second.present);
    error_clear(&error);
    ck_assert_int_eq(secret_key_read(folder_fd, "secret.key", &read, &error), 0);
    ck_assert_mem_eq(read.bytes, first.bytes, SECRET_KEY_BYTES);
    remove_folder();
}

TEST(a_key_left_half_created_by_a_crash_is_no_obstacle)
{
    open_folder();
    struct error error = ERROR_INIT;
    write_file("secret.key.tmp", "half", 4, 0600);
    struct secret_key key;
    ck_assert_int_eq(secret_key_create(folder_fd, "secret.key", &key, &error), 0);
    ck_assert_int_eq(secret_key_read(folder_fd, "secret.key", &key, &error), 0);
    ck_assert(key.present);
    remove_folder();
}

TEST(an_absent_key_is_not_an_error)
{
    open_folder();
    struct error error = ERROR_INIT;
    struct secret_key key = {.present = true};
    ck_assert_int_eq(secret_key_read(folder_fd, "secret.key", &key, &error), 0);
    ck_assert(!key.present);
    ck_assert(!error_is_set(&error));
    remove_folder();
}

static void assert_refused(const char *name)
{
    struct error error = ERROR_INIT;
    struct secret_key key = {.present = true};
    ck_assert_msg(secret_key_read(folder_fd, name, &key, &error) == -1, "accepted: %s", name);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, name));
    ck_assert(!key.present);
}

TEST(an_invalid_key_file_is_refused)
{
    open_folder();
    struct error error = ERROR_INIT;
    char bytes[33] = {0};
    static const struct {
        const char *name;
        mode_t mode;
        size_t bytes;
    } files[] = {{"group", 0640, 32}, {"others", 0604, 32}, {"run", 0610, 32},
                 {"short", 0600, 31}, {"long", 0600, 33},   {"empty", 0600, 0}};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        write_file(files[i].name, bytes, files[i].bytes, files[i].mode);
        assert_refused(files[i].name);
    }
    struct secret_key key;
    ck_assert_int_eq(secret_key_create(folder_fd, "good", &key, &error), 0);
    ck_assert_int_eq(symlinkat("good", folder_fd, "link"), 0);
    assert_refused("link");
    ck_assert_int_eq(mkdirat(folder_fd, "directory", 0700), 0);
    assert_refused("directory");
    ck_assert_int_eq(mkfifoat(folder_fd, "pipe", 0600), 0);
    assert_refused("pipe");
    remove_folder();
}

TEST(a_wiped_secret_is_gone)
{
    init();
    uint8_t data[64], zeros[64] = {0};
    secret_random(data, sizeof(data));
    ck_assert(!secret_equal(data, zeros, sizeof(data)));
    secret_wipe(data, sizeof(data));
    ck_assert_mem_eq(data, zeros, sizeof(data));
}
