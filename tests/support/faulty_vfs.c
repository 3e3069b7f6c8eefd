/* A VFS that passes everything on to the default one, counts writes and syncs, and fails those that
 * a test selected. SQLite calls it on every thread that uses a connection; one mutex guards the
 * shared state. */
#include "support/faulty_vfs.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

struct faulty_handle {
    sqlite3_file base; /* must be first: SQLite's view of the handle */
    enum faulty_file kind;
    int last_errno;     /* of the last failure injected here */
    sqlite3_file *real; /* behind this struct, in the same allocation */
};

static struct {
    pthread_mutex_t lock; /* guards everything below */
    int counts[2][3];
    struct faulty_plan plan;
    int left; /* matching operations until the plan's failure; 0 = no plan */
    int failures;
    void (*hook)(void *context);
    void *hook_context;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static sqlite3_vfs faulty;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct faulty_handle *)file)->real;
}

static sqlite3_vfs *real_vfs(void)
{
    return faulty.pAppData;
}

/* Counts the operation. Returns the code to fail with, or SQLITE_OK to go on. */
static int look(sqlite3_file *file, enum faulty_operation operation)
{
    enum faulty_file kind = ((struct faulty_handle *)file)->kind;
    int code = SQLITE_OK, errnum = 0;
    pthread_mutex_lock(&state.lock);
    state.counts[operation][FAULTY_ANY_FILE]++;
    if (kind != FAULTY_ANY_FILE)
        state.counts[operation][kind]++;
    bool matches = state.plan.operation == operation &&
                   (state.plan.file == FAULTY_ANY_FILE || state.plan.file == kind);
    if (state.left > 0 && matches && --state.left == 0) {
        code = state.plan.code;
        errnum = state.plan.errnum;
        state.failures++;
        state.left = state.plan.forever;
    }
    pthread_mutex_unlock(&state.lock);
    if (code != SQLITE_OK)
        errno = ((struct faulty_handle *)file)->last_errno = errnum;
    return code;
}

static int faulty_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int faulty_read(sqlite3_file *file, void *data, int bytes, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), data, bytes, offset);
}

static int faulty_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 offset)
{
    int code = look(file, FAULTY_WRITE);
    if (code != SQLITE_OK)
        return code;
    return real_of(file)->pMethods->xWrite(real_of(file), data, bytes, offset);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), bytes);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    if (((struct faulty_handle *)file)->kind == FAULTY_LOG) {
        pthread_mutex_lock(&state.lock);
        void (*hook)(void *) = state.hook;
        void *context = state.hook_context;
        pthread_mutex_unlock(&state.lock);
        if (hook)
            hook(context);
    }
    int code = look(file, FAULTY_SYNC);
    if (code != SQLITE_OK)
        return code;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *bytes)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), bytes);
}

static int faulty_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int faulty_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int faulty_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int faulty_control(sqlite3_file *file, int operation, void *argument)
{
    int made = ((struct faulty_handle *)file)->last_errno;
    if (operation == SQLITE_FCNTL_LAST_ERRNO && made != 0) {
        *(int *)argument = made;
        return SQLITE_OK;
    }
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int faulty_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int faulty_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int faulty_shm_map(sqlite3_file *file, int page, int bytes, int extend, void volatile **map)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, bytes, extend, map);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void faulty_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int faulty_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* without memory-mapped reading and writing */
    .xClose = faulty_close,
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = faulty_truncate,
    .xSync = faulty_sync,
    .xFileSize = faulty_size,
    .xLock = faulty_lock,
    .xUnlock = faulty_unlock,
    .xCheckReservedLock = faulty_check_lock,
    .xFileControl = faulty_control,
    .xSectorSize = faulty_sector,
    .xDeviceCharacteristics = faulty_traits,
    .xShmMap = faulty_shm_map,
    .xShmLock = faulty_shm_lock,
    .xShmBarrier = faulty_shm_barrier,
    .xShmUnmap = faulty_shm_unmap,
};

static int faulty_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                       int *out_flags)
{
    (void)vfs;
    struct faulty_handle *handle = (struct faulty_handle *)file;
    handle->base.pMethods = NULL;
    handle->last_errno = 0;
    handle->real = (sqlite3_file *)(handle + 1);
    handle->kind = (flags & SQLITE_OPEN_WAL) != 0       ? FAULTY_LOG
                   : (flags & SQLITE_OPEN_MAIN_DB) != 0 ? FAULTY_DATABASE
                                                        : FAULTY_ANY_FILE;
    int code = real_vfs()->xOpen(real_vfs(), name, handle->real, flags, out_flags);
    /* SQLite closes a file whose methods are set even if opening it failed. */
    if (handle->real->pMethods)
        handle->base.pMethods = &methods;
    return code;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    return real_vfs()->xDelete(real_vfs(), name, sync_folder);
}

static int faulty_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    (void)vfs;
    return real_vfs()->xAccess(real_vfs(), name, flags, result);
}

static int faulty_full_name(sqlite3_vfs *vfs, const char *name, int bytes, char *full)
{
    (void)vfs;
    return real_vfs()->xFullPathname(real_vfs(), name, bytes, full);
}

static int faulty_last_error(sqlite3_vfs *vfs, int bytes, char *text)
{
    (void)vfs;
    return real_vfs()->xGetLastError(real_vfs(), bytes, text);
}

void faulty_vfs_register(void)
{
    sqlite3_initialize();
    if (sqlite3_vfs_find(FAULTY_VFS))
        return;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    assert(real);
    /* Methods that do not concern files (time, randomness, sleeping) remain those of the default
     * VFS. */
    faulty = *real;
    faulty.pNext = NULL;
    faulty.zName = FAULTY_VFS;
    faulty.pAppData = real;
    faulty.szOsFile = (int)sizeof(struct faulty_handle) + real->szOsFile;
    faulty.xOpen = faulty_open;
    faulty.xDelete = faulty_delete;
    faulty.xAccess = faulty_access;
    faulty.xFullPathname = faulty_full_name;
    faulty.xGetLastError = faulty_last_error;
    int code = sqlite3_vfs_register(&faulty, 0);
    assert(code == SQLITE_OK);
    (void)code;
}

void faulty_vfs_reset(void)
{
    pthread_mutex_lock(&state.lock);
    memset(state.counts, 0, sizeof(state.counts));
    state.left = state.failures = 0;
    state.hook = NULL;
    pthread_mutex_unlock(&state.lock);
}

void faulty_vfs_fail(const struct faulty_plan *plan)
{
    pthread_mutex_lock(&state.lock);
    state.plan = *plan;
    state.left = plan->nth;
    pthread_mutex_unlock(&state.lock);
}

int faulty_vfs_failures(void)
{
    pthread_mutex_lock(&state.lock);
    int failures = state.failures;
    pthread_mutex_unlock(&state.lock);
    return failures;
}

int faulty_vfs_count(enum faulty_operation operation, enum faulty_file file)
{
    pthread_mutex_lock(&state.lock);
    int count = state.counts[operation][file];
    pthread_mutex_unlock(&state.lock);
    return count;
}

void faulty_vfs_on_sync(void (*hook)(void *context), void *context)
{
    pthread_mutex_lock(&state.lock);
    state.hook = hook;
    state.hook_context = context;
    pthread_mutex_unlock(&state.lock);
}
