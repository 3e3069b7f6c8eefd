/* Known bugs of the loaded SQLite. Any thread. */
#include <sqlite3.h>

#include "base/memory.h"
#include "store/sqlite/sqlite.h"

/* https://sqlite.org/wal.html#walresetbug: in WAL mode, a data race between a checkpoint and a
 * commit that lets the log start over can lose commits or damage the database. */
bool sqlite_has_wal_reset_bug(int version)
{
    return version >= 3007000 && version < 3051003 && !(version >= 3050007 && version < 3051000) &&
           !(version >= 3044006 && version < 3045000);
}

char *sqlite_caveat(void)
{
    if (!sqlite_has_wal_reset_bug(sqlite3_libversion_number()))
        return NULL;
    return memory_format("SQLite %s may have the WAL-reset bug, which in rare cases damages a "
                         "database: use 3.51.3 or later (or 3.50.7, 3.44.6), unless your "
                         "distribution has corrected it in its %s",
                         sqlite3_libversion(), sqlite3_libversion());
}
