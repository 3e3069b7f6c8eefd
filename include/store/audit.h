/* The audit log. Any connection can read it. store_add_audit may only be called inside store_write,
 * in the transaction of the change that it records (store.h). */
#ifndef WEBHOOKD_STORE_AUDIT_H
#define WEBHOOKD_STORE_AUDIT_H

#include "store/store.h"

#define STORE_MAX_AUDIT    100000 /* entries; a new one beyond this bound deletes the oldest */
#define STORE_AUDIT_RECENT 1000   /* entries that store_find_audit examines */

struct audit_row {
    int64_t number;     /* assigned by the store; grows with each entry */
    int64_t at_ms;      /* wall clock */
    const char *who;    /* "key deploy", "user root" */
    const char *source; /* an address, or "" for the admin socket */
    const char *action; /* "fleet.apply" */
    bool has_subject_id;
    struct id subject_id; /* the id of what was changed */
    const char *subject;  /* its name at that time; "" if it has none */
    const char *detail;   /* "" if there is nothing to add */
    bool has_fleet_id;
    struct id fleet_id; /* of the fleet that it is about: changed, or that of its webhook or run */
    int version;        /* of the fleet, created by the change; 0 = none */
    struct id request_id;
};

struct audit_filter {
    int64_t before_number;     /* only entries with a smaller number; 0 = any */
    int64_t since_ms;          /* at or after; 0 = any */
    const char *who;           /* "key deploy", or only the name, "deploy"; NULL: anyone */
    const char *action;        /* NULL: any */
    const struct id *fleet_id; /* NULL: any */
    int limit;                 /* at least 1 */
};
/* Lists entries, newest first. A filter that few entries pass examines all of them, at most
 * STORE_MAX_AUDIT: an index for each filter would make each change write further pages. */
int store_list_audit(struct store *store, const struct audit_filter *filter,
                     int (*each)(void *, const struct audit_row *), void *context,
                     struct error *error);
/* Returns 1 if one of the newest entries (STORE_AUDIT_RECENT) is of since_ms or later and has the
 * same who, source, action, fleet and subject (its id, or its name if it has no id) as row; 0 if
 * there is none; -1 on error. */
int store_find_audit(struct store *store, const struct audit_row *row, int64_t since_ms,
                     struct error *error);
/* Adds an entry; ignores row->number. */
int store_add_audit(struct store *store, const struct audit_row *row, struct error *error);

#endif
