#include "base/file.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/suite.h"

enum { NOBODY = 65534, DEPTH = 20000 };

static char path[128];
static int folder;
static struct error error = ERROR_INIT;

static void open_folder(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(path, sizeof(path), "%s/test_file.XXXXXX", parent ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder, 0);
}

static void close_folder(void)
{
    close(folder);
    error_clear(&error);
    ck_assert_msg(file_remove_tree(AT_FDCWD, path, &error) == 0, "%s", error.message);
    ck_assert_int_eq(access(path, F_OK), -1);
}

static void write_file(int dir_fd, const char *name, const void *data, size_t bytes)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(file_write_all(fd, data, bytes), 0);
    close(fd);
}

static void put(const char *name, const char *content)
{
    write_file(folder, name, content, strlen(content));
}

static void make_folder(const char *name)
{
    ck_assert_int_eq(mkdirat(folder, name, 0755), 0);
}

static bool exists(const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_removed(const char *name)
{
    ck_assert_msg(file_remove_tree(folder, name, &error) == 0, "%s", error.message);
    ck_assert(!error_is_set(&error));
    ck_assert(!exists(name));
}

TEST(a_file_is_appended_to_the_content_of_the_buffer)
{
    open_folder();
    put("file", "content");
    struct buffer buffer = BUFFER_INIT;
    buffer_append_text(&buffer, "before ");
    ck_assert_int_eq(file_read(folder, "file", 7, &buffer, &error), 0);
    ck_assert_str_eq(buffer_text(&buffer), "before content");
    ck_assert_int_eq(file_read(folder, "file", 6, &buffer, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "file"));
    ck_assert_str_eq(buffer_text(&buffer), "before content");
    buffer_free(&buffer);
    close_folder();
}

TEST(a_large_file_is_read_whole)
{
    open_folder();
    size_t bytes = 1000003;
    char *data = malloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (char)(i * 31 >> 3);
    write_file(folder, "large", data, bytes);
    struct buffer buffer = BUFFER_INIT;
    ck_assert_int_eq(file_read(folder, "large", bytes, &buffer, &error), 0);
    ck_assert_uint_eq(buffer.bytes, bytes);
    ck_assert_mem_eq(buffer.data, data, bytes);
    buffer_free(&buffer);
    free(data);
    close_folder();
}

static void assert_not_readable(const char *name, enum error_kind kind)
{
    struct buffer buffer = BUFFER_INIT;
    error_clear(&error);
    ck_assert_int_eq(file_read(folder, name, 100, &buffer, &error), -1);
    ck_assert_int_eq(error.kind, kind);
    ck_assert_ptr_nonnull(strstr(error.message, name));
    ck_assert_uint_eq(buffer.bytes, 0);
    buffer_free(&buffer);
}

TEST(only_regular_files_are_read)
{
    open_folder();
    put("file", "content");
    make_folder("folder");
    ck_assert_int_eq(mkfifoat(folder, "pipe", 0600), 0);
    ck_assert_int_eq(symlinkat("pipe", folder, "link to pipe"), 0);
    ck_assert_int_eq(symlinkat("file", folder, "link"), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/socket", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);

    assert_not_readable("folder", ERROR_INVALID);
    assert_not_readable("pipe", ERROR_INVALID);
    assert_not_readable("link to pipe", ERROR_INVALID);
    assert_not_readable("socket", ERROR_INVALID);
    assert_not_readable("missing", ERROR_NOT_FOUND);

    struct buffer buffer = BUFFER_INIT;
    error_clear(&error);
    ck_assert_int_eq(file_read(folder, "link", 100, &buffer, &error), 0);
    ck_assert_str_eq(buffer_text(&buffer), "content");
    buffer_free(&buffer);
    close(fd);
    close_folder();
}

TEST(all_bytes_pass_through_a_pipe_that_holds_few)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
    static char data[300000], got[sizeof(data) + 1];
    memset(data, 'd', sizeof(data));
    pid_t child = fork();
    if (child == 0)
        _exit(file_write_all(ends[1], data, sizeof(data)) == 0 ? 0 : 1);
    close(ends[1]);
    ck_assert_int_eq(file_read_all(ends[0], got, sizeof(got)), sizeof(data));
    ck_assert_mem_eq(got, data, sizeof(data));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    close(ends[0]);
    ck_assert_int_eq(file_write_all(-1, data, 1), -1);
    ck_assert_int_eq(file_read_all(-1, got, 1), -1);
}

TEST(a_folder_is_created_or_found)
{
    open_folder();
    for (int i = 0; i < 2; i++) {
        int fd = file_open_folder(folder, "made", 0700, &error);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_int_eq(file_sync(fd, "made", &error), 0);
        close(fd);
    }
    put("file", "");
    ck_assert_int_eq(file_open_folder(folder, "file", 0700, &error), -1);
    ck_assert(error_is_set(&error));
    error_clear(&error);
    ck_assert_int_eq(file_open_folder(folder, "missing/made", 0700, &error), -1);
    error_clear(&error);
    ck_assert_int_eq(file_sync(-1, "the log", &error), -1);
    ck_assert_ptr_nonnull(strstr(error.message, "the log"));
    close_folder();
}

TEST(files_links_and_missing_names_are_removed)
{
    open_folder();
    put("file", "x");
    put("victim", "x");
    make_folder("kept");
    put("kept/inside", "x");
    ck_assert_int_eq(symlinkat("victim", folder, "link"), 0);
    ck_assert_int_eq(symlinkat("kept", folder, "link to folder"), 0);
    ck_assert_int_eq(symlinkat("nowhere", folder, "dangling"), 0);
    ck_assert_int_eq(mkfifoat(folder, "pipe", 0), 0);
    assert_removed("file");
    assert_removed("link");
    assert_removed("link to folder");
    assert_removed("dangling");
    assert_removed("pipe");
    assert_removed("missing");
    assert_removed("missing/below");
    ck_assert(exists("victim"));
    ck_assert(exists("kept/inside"));
    close_folder();
}

TEST(names_that_lead_elsewhere_are_refused)
{
    open_folder();
    put("kept", "x");
    static const char *const names[] = {".", "..", "", "kept/..", "./", "sub/."};
    make_folder("sub");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        error_clear(&error);
        ck_assert_int_eq(file_remove_tree(folder, names[i], &error), -1);
    }
    ck_assert(exists("kept"));
    ck_assert(exists("sub"));
    close_folder();
}

TEST(links_inside_a_tree_are_removed_and_not_followed)
{
    open_folder();
    make_folder("outside");
    put("outside/kept", "x");
    make_folder("tree");
    make_folder("tree/a");
    ck_assert_int_eq(symlinkat("../outside", folder, "tree/link"), 0);
    ck_assert_int_eq(symlinkat("../../outside", folder, "tree/a/link"), 0);
    ck_assert_int_eq(symlinkat("/", folder, "tree/a/root"), 0);
    ck_assert_int_eq(symlinkat(".", folder, "tree/a/self"), 0);
    ck_assert_int_eq(linkat(folder, "outside/kept", folder, "tree/a/hard", 0), 0);
    assert_removed("tree");
    ck_assert(exists("outside/kept"));
    close_folder();
}

TEST(a_wide_tree_is_removed)
{
    open_folder();
    make_folder("tree");
    for (int i = 0; i < 300; i++) {
        char name[64];
        snprintf(name, sizeof(name), "tree/%d", i);
        make_folder(name);
        for (int k = 0; k < 5; k++) {
            snprintf(name, sizeof(name), "tree/%d/%d", i, k);
            put(name, "x");
        }
        snprintf(name, sizeof(name), "tree/%d/sub", i);
        make_folder(name);
    }
    assert_removed("tree");
    close_folder();
}

/* Every level contains a file, and two levels a second branch. */
static void build_deep_tree(const char *name, mode_t mode)
{
    make_folder(name);
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < DEPTH; i++) {
        ck_assert_int_eq(mkdirat(fd, "d", 0700), 0);
        if (i % 100 == 0)
            write_file(fd, "file", "x", 1);
        if (i % 5000 == 40)
            ck_assert_int_eq(mkdirat(fd, "removed-3", 0700),
                             0); /* the name that the removal itself uses */
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        ck_assert_int_eq(fchmod(fd, mode), 0);
        close(fd);
        fd = next;
    }
    close(fd);
}

TEST(a_tree_of_20000_levels_is_removed_with_few_descriptors)
{
    open_folder();
    build_deep_tree("deep", 0700);
    make_folder("deep/removed-0");
    put("deep/removed-0/file", "x");
    put("deep/removed-1", "x");
    int lowest = dup(folder);
    close(lowest);
    struct stat status;
    ck_assert_int_eq(fstat(lowest, &status), -1);
    assert_removed("deep");
    int after = dup(folder);
    ck_assert_int_eq(after, lowest); /* no descriptor stays open */
    close(after);
    close_folder();
}

/* Runs a test's body as a user to whom permissions apply, unlike root. */
static void as_nobody(void (*body)(void))
{
    if (geteuid() != 0) {
        body();
        return;
    }
    ck_assert_int_eq(fchown(folder, NOBODY, NOBODY), 0);
    pid_t child = fork();
    if (child == 0) {
        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0)
            _exit(1);
        body();
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void remove_folders_without_permissions(void)
{
    make_folder("tree");
    static const mode_t modes[] = {0, 0100, 0200, 0300, 0400, 0500, 0600};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char name[64], below[80], link[96];
        snprintf(name, sizeof(name), "tree/%zu", i);
        make_folder(name);
        snprintf(below, sizeof(below), "%s/below", name);
        make_folder(below);
        snprintf(link, sizeof(link), "%s/link", below);
        ck_assert_int_eq(symlinkat("/", folder, link), 0);
        ck_assert_int_eq(fchmodat(folder, below, modes[i], 0), 0);
        ck_assert_int_eq(fchmodat(folder, name, modes[i], 0), 0);
    }
    ck_assert_int_eq(fchmodat(folder, "tree", 0, 0), 0);
    assert_removed("tree");
}

TEST(removing_a_tree_can_be_stopped_and_resumed)
{
    atomic_bool stop;
    open_folder();
    ck_assert_int_eq(mkdirat(folder, "tree", 0700), 0);
    ck_assert_int_eq(mkdirat(folder, "tree/deep", 0700), 0);
    int lowest = dup(folder);
    close(lowest);
    atomic_init(&stop, true);
    ck_assert_int_eq(file_remove_tree_until(folder, "tree", &stop, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_UNAVAILABLE);
    ck_assert_int_eq(faccessat(folder, "tree/deep", F_OK, 0), 0);
    int after = dup(folder);
    ck_assert_int_eq(after, lowest); /* no folder stays open */
    close(after);
    error_clear(&error);
    atomic_store(&stop, false);
    ck_assert_int_eq(file_remove_tree_until(folder, "tree", &stop, &error), 0);
    ck_assert_int_ne(faccessat(folder, "tree", F_OK, 0), 0);
    close_folder();
}

TEST(folders_without_permissions_are_removed)
{
    open_folder();
    as_nobody(remove_folders_without_permissions);
    close_folder();
}

static void remove_deep_tree_without_permissions(void)
{
    build_deep_tree("deep", 0);
    assert_removed("deep");
}

TEST(a_deep_tree_without_permissions_is_removed)
{
    open_folder();
    as_nobody(remove_deep_tree_without_permissions);
    close_folder();
}

TEST(an_entry_that_cannot_be_removed_is_reported_and_the_rest_is_removed)
{
    open_folder();
    if (geteuid() != 0) {
        test_skip("creating a folder of another user needs root");
        close_folder();
        return;
    }
    make_folder("tree");
    make_folder("tree/theirs");
    put("tree/theirs/file", "x");
    make_folder("tree/ours");
    put("tree/ours/file", "x");
    ck_assert_int_eq(fchownat(folder, "tree", NOBODY, NOBODY, 0), 0);
    ck_assert_int_eq(fchownat(folder, "tree/ours", NOBODY, NOBODY, 0), 0);
    ck_assert_int_eq(fchown(folder, NOBODY, NOBODY), 0);
    pid_t child = fork();
    if (child == 0) {
        if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
            _exit(1);
        _exit(file_remove_tree(folder, "tree", &error) == -1 && error_is_set(&error) ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(exists("tree/theirs/file"));
    ck_assert(!exists("tree/ours"));
    close_folder();
}

TEST(a_mount_is_left_unchanged)
{
    open_folder();
    make_folder("tree");
    make_folder("tree/mount");
    make_folder("tree/bind");
    make_folder("bound");
    put("bound/kept", "x");
    char mount_path[160], bind_path[160], bound_path[160];
    snprintf(mount_path, sizeof(mount_path), "%s/tree/mount", path);
    snprintf(bind_path, sizeof(bind_path), "%s/tree/bind", path);
    snprintf(bound_path, sizeof(bound_path), "%s/bound", path);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", mount_path, "tmpfs", 0, NULL) != 0 ||
        mount(bound_path, bind_path, NULL, MS_BIND, NULL) != 0) {
        test_skip("mounting is not permitted here");
        close_folder();
        return;
    }
    put("tree/mount/kept", "x");
    put("tree/file", "x");
    ck_assert_int_eq(file_remove_tree(folder, "tree", &error), -1);
    ck_assert(error_is_set(&error));
    ck_assert(exists("tree/mount/kept"));
    ck_assert(exists("bound/kept"));
    ck_assert(!exists("tree/file"));
    error_clear(&error);
    ck_assert_int_eq(file_remove_tree(folder, "tree/bind", &error), -1);
    ck_assert(exists("bound/kept"));
    ck_assert_int_eq(umount(mount_path), 0);
    ck_assert_int_eq(umount(bind_path), 0);
    close_folder();
}
