/* Opening and closing connections. The commit queue opens the only writing connection
 * (docs/architecture.md, invariant 3), the checkpointer one of its own, and readers one each. Every
 * function runs on the thread that uses the connection. */
#include "store/sqlite/connection.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "store/space.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/migration.h"

/* A checkpoint that restarts the log keeps it locked while it waits for readers, and a writer waits
 * for that lock. So the checkpoint gives up first. */
#define WRITER_BUSY_MS     10000
#define CHECKPOINT_BUSY_MS 1000
#define READER_BUSY_MS     5000

enum connection_use { USE_WRITE, USE_READ, USE_CHECKPOINT };

/* Without its memory statistics, SQLite takes no global lock for each allocation. If SQLite is
 * already in use, the setting is refused, and the statistics stay. */
static void configure_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

/* Returns the part of the location after the scheme. The colon exists: store/store.c selected this
 * engine by the scheme. */
static const char *file_name(const struct store_options *options)
{
    return strchr(options->location, ':') + 1;
}

char *connection_path(const struct store_options *options)
{
    const char *name = file_name(options);
    return name[0] == '/' ? memory_string(name) : memory_format("%s/%s", options->state_dir, name);
}

static const char *vfs_name;

void connection_set_vfs(const char *name)
{
    vfs_name = name;
}

static int sync_folder_of(const char *path, struct error *error)
{
    char *folder = memory_string(path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder ? 1 : 0] = '\0';
    int result = -1;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        error_set_errno(error, errno, "cannot open \"%s\"", folder);
    else
        result = file_sync(fd, folder, error);
    if (fd >= 0)
        close(fd);
    free(folder);
    return result;
}

/* SQLite would create the file with the mode that the umask gives, and its -wal and -shm files
 * inherit that mode. An existing file is never opened here: closing it would drop the locks of this
 * process's other connections. */
static int create_file(const char *path, struct error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? 0 : error_set_errno(error, errno, "cannot create \"%s\"", path);
    close(fd);
    return sync_folder_of(path, error);
}

static int execute(sqlite3 *db, const char *sql, const char *what, struct error *error)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return statement_failed(db, what, error);
    return 0;
}

/* Runs a PRAGMA and compares its answer, because SQLite silently ignores what it cannot do. */
static int expect(sqlite3 *db, const char *sql, const char *expected, struct error *error)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        statement_failed(db, "set up the connection", error);
    else if (strcmp(column_text(statement, 0), expected) != 0)
        error_set(error, ERROR_INTERNAL, "SQLite answered \"%s\" to \"%s\", expected \"%s\"",
                  column_text(statement, 0), sql, expected);
    else
        result = 0;
    sqlite3_finalize(statement);
    return result;
}

static int note_log_frames(void *store, sqlite3 *db, const char *name, int frames)
{
    (void)db, (void)name;
    connection_of(store)->log_frames = frames;
    return SQLITE_OK;
}

/* SQLite calls is_overdue every so many steps. */
#define STEPS_BETWEEN 20000

/* Returns nonzero to abort the statement. */
static int is_overdue(void *context)
{
    const struct connection *connection = context;
    return connection->deadline_ms != 0 && clock_monotonic_ms() > connection->deadline_ms;
}

void sqlite_set_deadline(struct store *store, int64_t deadline_ms)
{
    connection_of(store)->deadline_ms = deadline_ms;
}

static int set_up(struct store *store, enum connection_use use, bool relaxed_sync,
                  struct error *error)
{
    static const char common[] =
        "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; "
        /* Deleted data (a webhook's seal) is overwritten if that costs no extra write. */
        "PRAGMA secure_delete = FAST; "
        /* A log that grew beyond this during a rush is truncated when it starts over. */
        "PRAGMA journal_size_limit = 134217728";
    sqlite3 *db = connection_of(store)->db;
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* An automatic checkpoint would hide a failed sync, and a request would wait for it. */
    sqlite3_wal_autocheckpoint(db, 0);
    sqlite3_wal_hook(db, note_log_frames, store);
    if (use == USE_READ) {
        sqlite3_progress_handler(db, STEPS_BETWEEN, is_overdue, store);
        /* A reader writes nothing, even if it is the last to close (webhookd --check-config, while
         * no webhookd runs): only a start may copy the log (invariant 6). */
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    if (execute(db, common, "set up the connection", error) != 0)
        return -1;
    if (use == USE_WRITE) {
        if (execute(db,
                    "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA cache_size "
                    "= -8192; PRAGMA foreign_keys = ON",
                    "set up the connection", error) != 0 ||
            expect(db, "PRAGMA journal_mode = WAL", "wal", error) != 0)
            return -1;
    } else if (execute(db, "PRAGMA cache_size = -1024", "set up the connection", error) != 0 ||
               (use == USE_READ &&
                execute(db, "PRAGMA query_only = ON", "set up the connection", error) != 0)) {
        return -1;
    }
    /* Invariant 1: set, and then read back. The setting also decides whether a checkpoint syncs. */
    if (execute(db, relaxed_sync ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
                "set up the connection", error) != 0)
        return -1;
    return expect(db, "PRAGMA synchronous", relaxed_sync ? "1" : "2", error);
}

static int load_last_number(struct store *store, struct error *error)
{
    static struct statement last = {.sql = "SELECT max(no) FROM run"};
    sqlite3_stmt *s = statement_begin(store, &last, error);
    return statement_find(store, s, "read the last run", &connection_of(store)->last_number,
                          error) > 0
               ? 0
               : -1;
}

/* Recognises a file of another program before anything in it is changed, even its journal mode. */
static int prepare(struct store *store, const struct store_options *options,
                   enum connection_use use, struct error *error)
{
    static const int busy_ms[] = {[USE_WRITE] = WRITER_BUSY_MS,
                                  [USE_READ] = READER_BUSY_MS,
                                  [USE_CHECKPOINT] = CHECKPOINT_BUSY_MS};
    int number = 0;
    sqlite3_busy_timeout(connection_of(store)->db, busy_ms[use]);
    if (migration_recognise(connection_of(store)->db, migrations_sqlite_count, &number, error) !=
            0 ||
        set_up(store, use, options->relaxed_sync, error) != 0)
        return -1;
    if (use == USE_WRITE) {
        if (migration_apply(connection_of(store)->db, migrations_sqlite, migrations_sqlite_count,
                            error) != 0)
            return -1;
    } else if (number < migrations_sqlite_count) {
        return error_set(error, ERROR_INVALID,
                         "the store has schema version %d, but version %d is required: start "
                         "webhookd once to migrate the store",
                         number, migrations_sqlite_count);
    }
    connection_of(store)->schema_version = migration_number(connection_of(store)->db, error);
    if (connection_of(store)->schema_version < 0 || load_last_number(store, error) != 0)
        return -1;
    return use == USE_WRITE ? projects_make_default(store, clock_wall_ms(), error) : 0;
}

static struct store *open_connection(const struct store_options *options, enum connection_use use,
                                     struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);
    char *path = connection_path(options);
    struct connection *connection = memory_alloc(sizeof(*connection));
    struct store *store = &connection->store;
    store->engine = &sqlite_engine;
    connection->options = *options;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_EXRESCODE;
    if (use == USE_WRITE && create_file(path, error) != 0)
        goto failed;
    if (use != USE_WRITE && access(path, F_OK) != 0) {
        error_set(error, ERROR_NOT_FOUND, "there is no store yet");
        goto failed;
    }
    if (sqlite3_open_v2(path, &connection->db, flags, vfs_name) != SQLITE_OK) {
        if (!connection_of(store)->db)
            error_set(error, ERROR_INTERNAL, "cannot open the store: out of memory");
        else
            statement_failed(connection_of(store)->db, "open the store", error);
        goto failed;
    }
    if (prepare(store, options, use, error) != 0)
        goto failed;
    free(path);
    return store;

failed:
    error_context(error, "%s", path);
    free(path);
    sqlite_close(store);
    return NULL;
}

struct store *sqlite_open(const struct store_options *options, struct error *error)
{
    return open_connection(options, options->mode == STORE_WRITE ? USE_WRITE : USE_READ, error);
}

struct store *connection_open_checkpointer(const struct store_options *options, struct error *error)
{
    return open_connection(options, USE_CHECKPOINT, error);
}

void sqlite_close(struct store *store)
{
    if (!store)
        return;
    struct connection *connection = connection_of(store);
    checkpointer_stop(connection->checkpointer);
    space_stop(connection->space);
    for (int i = 0; i < connection->statement_count; i++)
        sqlite3_finalize(connection->statements[i]);
    free(connection->statements);
    /* Closing the last connection copies the log into the database. If that fails, the log stays,
     * and the next start reads it. */
    int code = sqlite3_close(connection->db);
    assert(code == SQLITE_OK);
    (void)code;
    free(connection->load);
    free(connection);
}

int sqlite_schema_version(struct store *store)
{
    return connection_of(store)->schema_version;
}

int64_t sqlite_clock_floor_ms(struct store *store)
{
    return connection_of(store)->last_number >> 12;
}

int sqlite_exists(const struct store_options *options, struct error *error)
{
    char *path = connection_path(options);
    struct stat status;
    int found = stat(path, &status);
    int result = found == 0 && status.st_size > 0;
    if (found != 0 && errno != ENOENT)
        result = error_set_errno(error, errno, "cannot look for \"%s\"", path);
    free(path);
    return result;
}
