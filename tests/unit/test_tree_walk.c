/* Measuring a tree of folders. */
#include "base/tree_walk.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/janitor.h"
#include "support/suite.h"

#define NOBODY     65534
#define FOR_EVER   INT64_MAX
#define FILE_BYTES (1 << 20)

static char folder[] = "/tmp/webhookd-walk-XXXXXX";
static int folder_fd;

/* The tree is "t" in a folder of the test's own, which is the current one. */
static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    janitor_watch(folder);
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(mkdir("t", 0755), 0);
    folder_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder_fd, 0);
}

static void finish(void)
{
    struct error error = ERROR_INIT;
    close(folder_fd);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, folder, &error), 0);
}

static void make_file(const char *path, size_t bytes)
{
    char *data = memory_alloc(bytes + 1);
    memset(data, 'w', bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(file_write_all(fd, data, bytes), 0);
    ck_assert_int_eq(fsync(fd), 0); /* from now on its blocks are allocated */
    close(fd);
    free(data);
}

static int64_t blocks_of(const char *path)
{
    struct stat status;
    ck_assert_int_eq(lstat(path, &status), 0);
    return (int64_t)status.st_blocks * 512;
}

static struct tree_size walk_in_pieces(int64_t piece)
{
    struct tree_walk walk;
    enum tree_walk_progress progress = tree_walk_begin(&walk, folder_fd, "t");
    while (progress == TREE_WALK_GOES_ON) {
        int64_t budget = piece;
        progress = tree_walk_go_on(&walk, &budget);
        ck_assert(budget == 0 || progress == TREE_WALK_DONE);
    }
    ck_assert_int_eq(progress, TREE_WALK_DONE);
    ck_assert_ptr_null(walk.innermost);
    return walk.size;
}

TEST(allocated_blocks_count_and_holes_do_not)
{
    begin();
    make_file("t/full", FILE_BYTES);
    make_file("t/sparse", 1);
    ck_assert_int_eq(truncate("t/sparse", (off_t)1 << 40), 0);
    struct tree_size size = walk_in_pieces(FOR_EVER);
    ck_assert_int_eq(size.names, 3);
    ck_assert_int_eq(size.bytes, blocks_of("t") + blocks_of("t/full") + blocks_of("t/sparse"));
    ck_assert_int_ge(size.bytes, FILE_BYTES);
    ck_assert_int_lt(size.bytes, 2 * FILE_BYTES);
    finish();
}

TEST(a_file_with_several_links_counts_once)
{
    begin();
    make_file("t/one", FILE_BYTES);
    ck_assert_int_eq(mkdir("t/sub", 0755), 0);
    ck_assert_int_eq(link("t/one", "t/two"), 0);
    ck_assert_int_eq(link("t/one", "t/sub/three"), 0);
    struct tree_size size = walk_in_pieces(FOR_EVER);
    ck_assert_int_eq(size.names, 5);
    int64_t expected = blocks_of("t") + blocks_of("t/sub") + blocks_of("t/one");
    ck_assert_int_ge(size.bytes, expected);
    ck_assert_int_le(size.bytes, expected + 3); /* each third is rounded up */
    finish();
}

TEST(a_walk_in_pieces_counts_the_same)
{
    begin();
    char path[64];
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "t/%d", i);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        for (int j = 0; j < 200; j++) {
            snprintf(path, sizeof(path), "t/%d/a file with a longer name, number %d", i, j);
            make_file(path, 0);
        }
    }
    struct tree_size whole = walk_in_pieces(FOR_EVER);
    ck_assert_int_eq(whole.names, 1 + 5 + 1000);
    for (int64_t piece = 1; piece < 1000; piece *= 7) {
        struct tree_size size = walk_in_pieces(piece);
        ck_assert_int_eq(size.names, whole.names);
        ck_assert_int_eq(size.bytes, whole.bytes);
    }
    finish();
}

/* For each entry that the walk takes, two are made. It ends nevertheless, or it has counted more
 * and more: both are what the disk watch needs. */
TEST(a_walk_that_files_are_made_for_ends_or_counts_them)
{
    begin();
    struct tree_walk walk;
    ck_assert_int_eq(tree_walk_begin(&walk, folder_fd, "t"), TREE_WALK_GOES_ON);
    enum tree_walk_progress progress = TREE_WALK_GOES_ON;
    char path[32];
    int made = 0;
    while (progress == TREE_WALK_GOES_ON && walk.size.names < 1000) {
        int64_t budget = 1;
        progress = tree_walk_go_on(&walk, &budget);
        for (int i = 0; i < 2; i++) {
            snprintf(path, sizeof(path), "t/%d", made++);
            make_file(path, 0);
        }
        ck_assert_int_lt(made, 10000);
    }
    ck_assert_int_le(walk.size.names, made + 1);
    tree_walk_end(&walk);
    finish();
}

TEST(links_are_not_followed)
{
    begin();
    ck_assert_int_eq(mkdir("big", 0755), 0);
    make_file("big/file", FILE_BYTES);
    ck_assert_int_eq(symlink("../big", "t/folder"), 0);
    ck_assert_int_eq(symlink("../big/file", "t/file"), 0);
    struct tree_size size = walk_in_pieces(FOR_EVER);
    ck_assert_int_eq(size.names, 3);
    ck_assert_int_lt(size.bytes, FILE_BYTES);
    struct tree_walk walk;
    ck_assert_int_eq(symlink("big", "link"), 0);
    ck_assert_int_eq(tree_walk_begin(&walk, folder_fd, "link"), TREE_WALK_DONE);
    ck_assert_int_eq(walk.size.names, 0);
    finish();
}

TEST(other_mounts_are_not_entered)
{
    if (geteuid() != 0) {
        test_skip("mounting needs root");
        return;
    }
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    begin();
    ck_assert_int_eq(mkdir("t/tmpfs", 0755), 0);
    ck_assert_int_eq(mkdir("t/bind", 0755), 0);
    ck_assert_int_eq(mkdir("other", 0755), 0);
    make_file("other/file", FILE_BYTES);
    ck_assert_int_eq(mount("none", "t/tmpfs", "tmpfs", 0, NULL), 0);
    ck_assert_int_eq(mount("other", "t/bind", NULL, MS_BIND, NULL), 0);
    make_file("t/tmpfs/file", FILE_BYTES);
    ck_assert_int_eq(walk_in_pieces(FOR_EVER).names, 1);
    ck_assert_int_eq(umount("t/tmpfs"), 0);
    ck_assert_int_eq(umount("t/bind"), 0);
    ck_assert_int_eq(walk_in_pieces(FOR_EVER).names, 3);
    finish();
}

TEST(a_webhookd_without_root_measures_folders_that_are_closed_to_it)
{
    begin();
    if (geteuid() == 0) { /* permissions do not apply to root */
        ck_assert_int_eq(chown(folder, NOBODY, NOBODY), 0);
        ck_assert_int_eq(chown("t", NOBODY, NOBODY), 0);
        ck_assert_int_eq(seteuid(NOBODY), 0);
    }
    static const char *const names[] = {"t/none", "t/read", "t/write", "t/enter"};
    static const mode_t modes[] = {0, 0400, 0300, 0100};
    char path[64];
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        ck_assert_int_eq(mkdir(names[i], 0700), 0);
        snprintf(path, sizeof(path), "%s/hidden", names[i]);
        make_file(path, 10);
        ck_assert_int_eq(chmod(names[i], modes[i]), 0);
    }
    ck_assert_int_eq(walk_in_pieces(FOR_EVER).names, 1 + 2 * (int64_t)ARRAY_COUNT(names));
    ck_assert_int_eq(seteuid(getuid()), 0);
    finish();
}

TEST(a_tree_with_too_many_levels_is_reported)
{
    begin();
    struct tree_walk walk;
    int64_t budget = FOR_EVER;
    ck_assert_int_eq(chdir("t"), 0);
    for (int i = 1; i < TREE_WALK_LEVELS; i++) {
        ck_assert_int_eq(mkdir("d", 0755), 0);
        ck_assert_int_eq(chdir("d"), 0);
    }
    ck_assert_int_eq(walk_in_pieces(FOR_EVER).names, TREE_WALK_LEVELS);
    ck_assert_int_eq(mkdir("d", 0755), 0);
    ck_assert_int_eq(tree_walk_begin(&walk, folder_fd, "t"), TREE_WALK_GOES_ON);
    ck_assert_int_eq(tree_walk_go_on(&walk, &budget), TREE_WALK_TOO_DEEP);
    ck_assert_ptr_null(walk.innermost);
    ck_assert_int_eq(chdir("/"), 0);
    finish();
}

TEST(a_folder_that_does_not_exist_is_empty)
{
    begin();
    struct tree_walk walk;
    ck_assert_int_eq(tree_walk_begin(&walk, folder_fd, "gone"), TREE_WALK_DONE);
    ck_assert_int_eq(walk.size.names, 0);
    ck_assert_int_eq(walk.size.bytes, 0);
    finish();
}
