/* The audit log: passes the calls of include/store/audit.h to the store's engine. */
#include "store/audit.h"

#include "store/engine.h"

int store_list_audit(struct store *store, const struct audit_filter *filter,
                     int (*each)(void *, const struct audit_row *), void *context,
                     struct error *error)
{
    return store->engine->list_audit(store, filter, each, context, error);
}

int store_find_audit(struct store *store, const struct audit_row *row, int64_t since_ms,
                     struct error *error)
{
    return store->engine->find_audit(store, row, since_ms, error);
}

int store_add_audit(struct store *store, const struct audit_row *row, struct error *error)
{
    return store->engine->add_audit(store, row, error);
}
