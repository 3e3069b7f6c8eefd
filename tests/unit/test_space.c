/* store/space: what counts as low. tests/fault/test_disk.c fills a disk. */
#include "store/space.h"

#include <string.h>
#include <sys/statvfs.h>

#include "support/suite.h"

TEST(a_file_system_without_a_number_of_inodes_never_lacks_them)
{
    struct error error = ERROR_INIT;
    struct statvfs status;
    ck_assert_int_eq(statvfs("/proc", &status), 0);
    ck_assert_uint_eq(status.f_files, 0); /* as of btrfs */
    struct space *space = space_start("/proc", 0, &error);
    ck_assert_msg(space, "%s", error.message);
    struct store_space state;
    space_get(space, &state);
    ck_assert_int_eq(state.free_inodes, STORE_NO_INODE_LIMIT);
    ck_assert_int_eq(state.min_free_inodes, 0);
    ck_assert(!space_is_low(space, 0, &error));
    space_stop(space);
}

TEST(too_few_bytes_are_low_and_the_reason_names_min_free)
{
    struct error error = ERROR_INIT;
    struct space *space = space_start("/tmp", 0, &error);
    ck_assert_msg(space, "%s", error.message);
    ck_assert(!space_is_low(space, 0, &error));
    space_set_min_free(space, INT64_MAX);
    ck_assert(space_is_low(space, 0, &error));
    ck_assert_msg(strstr(error.message, "min_free"), "%s", error.message);
    space_stop(space);
}
