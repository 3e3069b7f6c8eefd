/* The blueprints that the current versions of fleets use. They are written with each version, so
 * that a blueprint in use cannot be deleted. On the committer's thread, inside its transaction. */
#include "store/sqlite/blueprints.h"
#include "store/sqlite/connection.h"

int blueprint_uses_forget(struct store *store, int64_t fleet_no, struct error *error)
{
    static struct statement forget = {.sql = "DELETE FROM blueprint_use WHERE fleet_no = ?1"};
    sqlite3_stmt *s = statement_begin(store, &forget, error, fleet_no);
    return statement_run(store, s, "forget which blueprints a fleet uses", error);
}

/* Returns 1 if the blueprint is one of the fleet's organization, else 0, or -1. */
static int find_own(struct store *store, int64_t fleet_no, const struct id *blueprint_id,
                    int64_t *blueprint_no, struct error *error)
{
    static struct statement find = {
        .sql = "SELECT b.no FROM fleet f JOIN project p ON p.no = f.project_no "
               "JOIN blueprint b ON b.org_no = p.org_no AND b.deleted_ms IS NULL "
               "WHERE f.no = ?1 AND b.id = ?2"};
    sqlite3_stmt *s = statement_begin(store, &find, error, fleet_no, blueprint_id);
    return statement_find(store, s, "look for a blueprint", blueprint_no, error);
}

static int write_use(struct store *store, int64_t fleet_no, const struct definition_vessel *vessel,
                     struct error *error)
{
    int64_t blueprint_no = 0;
    int found = find_own(store, fleet_no, &vessel->blueprint_id, &blueprint_no, error);
    if (found < 0)
        return -1;
    if (found == 0)
        return error_set(error, ERROR_CONFLICT,
                         "the blueprint of vessel \"%.255s\" does not exist any more: apply the "
                         "fleet file again",
                         vessel->name);
    static struct statement insert = {
        .sql = "INSERT OR IGNORE INTO blueprint_use (blueprint_no, fleet_no) VALUES (?1, ?2)"};
    sqlite3_stmt *s = statement_begin(store, &insert, error, blueprint_no, fleet_no);
    return statement_run(store, s, "record which blueprint a fleet uses", error);
}

int blueprint_uses_write(struct store *store, int64_t fleet_no, const struct definition *definition,
                         struct error *error)
{
    if (blueprint_uses_forget(store, fleet_no, error) != 0)
        return -1;
    for (size_t i = 0; i < definition->vessel_count; i++)
        if (definition->vessels[i].kind == VESSEL_BLUEPRINT &&
            write_use(store, fleet_no, &definition->vessels[i], error) != 0)
            return -1;
    return 0;
}
