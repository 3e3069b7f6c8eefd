#include "admin/tar.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static unsigned long checksum(const char block[TAR_BLOCK])
{
    unsigned long sum = 0;
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)block[i];
    return sum;
}

TEST(header_has_its_fields_at_the_offsets_of_posix)
{
    char block[TAR_BLOCK];
    tar_header(block, "spool/some-id", 1234567, 1795765889);
    ck_assert_str_eq(block, "spool/some-id");
    ck_assert_str_eq(block + 100, "0000600");
    ck_assert_uint_eq(strtoull(block + 124, NULL, 8), 1234567);
    ck_assert_uint_eq(strtoull(block + 136, NULL, 8), 1795765889);
    ck_assert_int_eq(block[156], '0');
    ck_assert_int_eq(memcmp(block + 257,
                            "ustar\0"
                            "00",
                            8),
                     0);
    ck_assert_uint_eq(strtoul(block + 148, NULL, 8), checksum(block));
    ck_assert_int_eq(block[154], '\0');
    ck_assert_int_eq(block[155], ' ');
}

TEST(sizes_from_eight_gibibytes_on_are_in_base_256)
{
    char block[TAR_BLOCK];
    tar_header(block, "a", (UINT64_C(1) << 33) - 1, 0);
    ck_assert_uint_eq(strtoull(block + 124, NULL, 8), (UINT64_C(1) << 33) - 1);
    tar_header(block, "a", UINT64_C(0x123456789ab), 0);
    static const unsigned char expected[12] = {0x80, 0,    0,    0,    0,    0,
                                               0x01, 0x23, 0x45, 0x67, 0x89, 0xab};
    ck_assert_mem_eq(block + 124, expected, 12);
}
