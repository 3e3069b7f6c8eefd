/* The compression of an answer's body: the same bytes come out again, or it stays as it is. */
#include "http/gzip.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/secret.h"
#include "support/suite.h"

/* ---- a zlib that fails, or is still at work (the linker's --wrap) ---- */

static bool is_out_of_memory;
static int nested;       /* how many more bodies are packed while one is */
static int nested_count; /* how many of those were */

int __real_deflateInit2_(z_streamp stream, int level, int method, int window_bits, int memory_level,
                         int strategy, const char *version, int size);
int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window_bits, int memory_level,
                         int strategy, const char *version, int size);

static char text[4096];

static void pack_nested(void)
{
    size_t bytes;
    void *packed = gzip_pack(text, sizeof(text), &bytes);
    nested_count += packed != NULL;
    free(packed);
}

int __wrap_deflateInit2_(z_streamp stream, int level, int method, int window_bits, int memory_level,
                         int strategy, const char *version, int size)
{
    if (is_out_of_memory)
        return Z_MEM_ERROR;
    if (nested > 0) {
        nested--;
        pack_nested();
    }
    return __real_deflateInit2_(stream, level, method, window_bits, memory_level, strategy, version,
                                size);
}

/* ---- */

/* Packs the bytes and expects them to come out again. */
static void check_bytes(const void *bytes, size_t count)
{
    size_t packed_bytes = 0;
    uLongf unpacked_bytes = count + 1;
    Bytef *packed = gzip_pack(bytes, count, &packed_bytes), *unpacked = malloc(unpacked_bytes);
    ck_assert_ptr_nonnull(packed);
    ck_assert_ptr_nonnull(unpacked);
    ck_assert_uint_lt(packed_bytes, count);
    z_stream stream = {.next_in = packed,
                       .avail_in = (uInt)packed_bytes,
                       .next_out = unpacked,
                       .avail_out = (uInt)unpacked_bytes};
    ck_assert_int_eq(inflateInit2(&stream, MAX_WBITS + 16), Z_OK); /* gzip's format only */
    ck_assert_int_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(stream.avail_in, 0);
    ck_assert_uint_eq(stream.total_out, count);
    ck_assert_int_eq(memcmp(unpacked, bytes, count), 0);
    inflateEnd(&stream);
    free(unpacked);
    free(packed);
}

TEST(the_same_bytes_come_out_again)
{
    check_bytes(text, sizeof(text));
    static const size_t counts[] = {1025, 8192, 70000, 1000000, GZIP_MOST_BYTES};
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        char *list = memory_alloc(counts[i] + 100);
        for (size_t used = 0; used < counts[i];)
            used += (size_t)sprintf(list + used, "{\"id\":%zu,\"status\":\"success\"},", used);
        check_bytes(list, counts[i]);
        free(list);
    }
}

TEST(what_does_not_get_shorter_stays_as_it_is)
{
    unsigned char noise[5000];
    size_t bytes;
    secret_random(noise, sizeof(noise));
    ck_assert_ptr_null(gzip_pack(noise, sizeof(noise), &bytes));
    ck_assert_ptr_null(gzip_pack("", 0, &bytes));
    ck_assert_ptr_null(gzip_pack("a", 1, &bytes));
    ck_assert_ptr_null(gzip_pack("short", 5, &bytes));
}

TEST(a_body_over_the_bound_stays_as_it_is)
{
    size_t bytes;
    char *zeros = memory_alloc(GZIP_MOST_BYTES + 1);
    ck_assert_ptr_null(gzip_pack(zeros, GZIP_MOST_BYTES + 1, &bytes));
    free(zeros);
}

TEST(without_memory_a_body_stays_as_it_is)
{
    size_t bytes;
    is_out_of_memory = true;
    ck_assert_ptr_null(gzip_pack(text, sizeof(text), &bytes));
    is_out_of_memory = false;
    check_bytes(text, sizeof(text));
}

/* The next body is packed again: each one has been counted off. */
TEST(beyond_the_bound_on_bodies_at_once_one_stays_as_it_is)
{
    for (int i = 0; i < 2; i++) {
        nested = GZIP_MOST_AT_ONCE + 2;
        nested_count = 0;
        pack_nested();
        ck_assert_int_eq(nested_count, GZIP_MOST_AT_ONCE);
        nested = 0;
    }
}
