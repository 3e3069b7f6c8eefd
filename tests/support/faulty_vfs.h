/* A disk that fails when told: a VFS of SQLite's, by the name FAULTY_VFS, around the default
 * one. Give that name in connection_set_vfs. Counting and failing are for the whole process;
 * every function here may be called on any thread. */
#ifndef WEBHOOKD_TESTS_SUPPORT_FAULTY_VFS_H
#define WEBHOOKD_TESTS_SUPPORT_FAULTY_VFS_H

#include <stdbool.h>

#define FAULTY_VFS "faulty"

enum faulty_operation { FAULTY_SYNC, FAULTY_WRITE };
enum faulty_file { FAULTY_ANY_FILE, FAULTY_DATABASE, FAULTY_LOG /* the write-ahead log */ };

void faulty_vfs_register(void); /* once before the first store is opened; again does nothing */
void faulty_vfs_reset(void);    /* forgets counts, failures and the hook */

struct faulty_plan {
    enum faulty_operation operation;
    enum faulty_file file;
    int nth;      /* 1 = the next one that matches */
    bool forever; /* and all that follow */
    int code;     /* SQLITE_IOERR_FSYNC, SQLITE_FULL, SQLITE_IOERR_WRITE, … */
    int errnum;   /* what sqlite3_system_errno will say */
};
/* One plan at a time; it replaces the one before. The write or sync that fails is not done. */
void faulty_vfs_fail(const struct faulty_plan *plan);
int faulty_vfs_failures(void); /* how often it failed since the reset */

int faulty_vfs_count(enum faulty_operation operation, enum faulty_file file); /* since the reset */

/* Called before each sync of a log, on the thread that syncs: a test can hold a commit there. NULL = none. */
void faulty_vfs_on_sync(void (*hook)(void *context), void *context);

#endif
