/* The trash: moving folders there, and removing them. */
#include "runner/trash.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/janitor.h"
#include "support/suite.h"

#define NOBODY 65534

/* The vessel runs as the daemon's user and has made its working folder read-only; a folder must be
 * writable to be moved to another parent. */
TEST(a_read_only_folder_is_discarded_too)
{
    char folder[] = "/tmp/webhookd-clean-XXXXXX";
    struct error error = ERROR_INIT;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    janitor_watch(folder);
    ck_assert_int_eq(chdir(folder), 0);
    if (geteuid() == 0) { /* permissions do not apply to root */
        ck_assert_int_eq(chown(folder, NOBODY, NOBODY), 0);
        ck_assert_int_eq(seteuid(NOBODY), 0);
    }
    int runs_fd = file_open_folder(AT_FDCWD, "runs", 0700, &error);
    int trash_fd = file_open_folder(AT_FDCWD, "trash", 0700, &error);
    ck_assert_int_eq(mkdirat(runs_fd, "r", 0700), 0);
    ck_assert_int_eq(mkdirat(runs_fd, "r/deep", 0700), 0);
    ck_assert_int_eq(fchmodat(runs_fd, "r", 0500, 0), 0);
    struct trash *cleaner = trash_start(trash_fd, &error);
    ck_assert_msg(trash_discard(cleaner, runs_fd, "r", &error) == 0, "%s", error.message);
    ck_assert_int_ne(faccessat(runs_fd, "r", F_OK, 0), 0);
    while (faccessat(trash_fd, "r", F_OK, 0) == 0) /* the test's timeout bounds this loop */
        usleep(1000);
    trash_stop(cleaner);
    close(runs_fd);
    close(trash_fd);
    ck_assert_int_eq(seteuid(getuid()), 0);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, folder, &error), 0);
}
