/* The audit log. Any connection can read; store_add_audit is called inside store_write alone, in
 * the transaction of the change that it records (store.h). */
#ifndef WEBHOOKD_STORE_AUDIT_H
#define WEBHOOKD_STORE_AUDIT_H

#include "store/store.h"

#define STORE_MAX_AUDIT 100000 /* entries; beyond them the oldest go */

struct audit_row {
    int64_t number;     /* the store's: grows with each entry */
    int64_t at_ms;      /* wall clock */
    const char *who;    /* "key deploy", "user root" */
    const char *source; /* an address; "" = the admin socket */
    const char *action; /* "fleet.apply" */
    bool has_subject_id;
    struct id subject_id; /* of what was changed */
    const char *subject;  /* its name then; "" = it has none */
    const char *detail;   /* "" = nothing to add */
    struct id request_id;
};
int store_list_audit(struct store *store, int64_t before_number /* 0: from the newest */, int limit,
                     int (*each)(void *, const struct audit_row *), void *context,
                     struct error *error); /* newest first */
int store_add_audit(struct store *store, const struct audit_row *row,
                    struct error *error); /* its number is not looked at */

#endif
