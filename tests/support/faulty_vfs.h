/* A disk that fails on demand: an SQLite VFS named FAULTY_VFS around the default one; pass that
 * name to connection_set_vfs. Counts and failures are process-wide; every function here may be
 * called on any thread. */
#ifndef WEBHOOKD_TESTS_SUPPORT_FAULTY_VFS_H
#define WEBHOOKD_TESTS_SUPPORT_FAULTY_VFS_H

#include <stdbool.h>

#define FAULTY_VFS "faulty"

enum faulty_operation { FAULTY_SYNC, FAULTY_WRITE };
enum faulty_file { FAULTY_ANY_FILE, FAULTY_DATABASE, FAULTY_LOG /* the write-ahead log */ };

/* Call it once, before the first store is opened; further calls do nothing. */
void faulty_vfs_register(void);
/* Forgets counts, failures and the hook. */
void faulty_vfs_reset(void);

struct faulty_plan {
    enum faulty_operation operation;
    enum faulty_file file;
    int nth;      /* 1 = the next operation that matches */
    bool forever; /* fail all later ones too */
    int code;     /* SQLITE_IOERR_FSYNC, SQLITE_FULL, SQLITE_IOERR_WRITE, … */
    int errnum;   /* what sqlite3_system_errno will return */
};
/* Sets the plan, which replaces the previous one. A write or sync that fails is not executed. */
void faulty_vfs_fail(const struct faulty_plan *plan);
/* The number of injected failures since the reset. */
int faulty_vfs_failures(void);
/* The number of operations since the reset. */
int faulty_vfs_count(enum faulty_operation operation, enum faulty_file file);

/* Sets a hook that is called before each sync of a log, on the thread that syncs, so that a test
 * can hold a commit there. NULL = none. */
void faulty_vfs_on_sync(void (*hook)(void *context), void *context);

#endif
