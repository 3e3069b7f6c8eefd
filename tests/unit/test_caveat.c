/* Which versions of SQLite are reported. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite/sqlite.h"
#include "store/store.h"
#include "support/suite.h"

TEST(versions_with_the_wal_reset_bug_are_known)
{
    static const int affected[] = {3007000, 3040001, 3044005, 3045000, 3050006, 3051000, 3051002};
    static const int others[] = {3006023, 3044006, 3044009, 3050007, 3051003, 3053000, 4000000};
    for (size_t i = 0; i < sizeof(affected) / sizeof(affected[0]); i++) {
        ck_assert_msg(sqlite_has_wal_reset_bug(affected[i]), "%d", affected[i]);
        ck_assert_msg(!sqlite_has_wal_reset_bug(others[i]), "%d", others[i]);
    }
}

TEST(the_caveat_names_the_loaded_version_and_that_it_may_have_been_corrected)
{
    char *caveat = store_caveat("sqlite:webhookd.db");
    ck_assert_int_eq(caveat != NULL, sqlite_has_wal_reset_bug(sqlite3_libversion_number()));
    if (caveat) {
        ck_assert_ptr_nonnull(strstr(caveat, sqlite3_libversion()));
        ck_assert_ptr_nonnull(strstr(caveat, "unless your distribution has corrected it"));
    }
    free(caveat);
}
