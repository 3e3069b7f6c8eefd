/* Counts failed sign-ins by address. Beyond the limit, further invalid keys get 429 and are not
 * logged; a valid key still signs in. In memory only. Any thread. */
#ifndef WEBHOOKD_ADMIN_SIGN_IN_LIMIT_H
#define WEBHOOKD_ADMIN_SIGN_IN_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct sign_in_limit;

struct sign_in_limit *sign_in_limit_new(void);
void sign_in_limit_free(struct sign_in_limit *limit); /* NULL is fine */

/* Returns false after SIGN_IN_LIMIT_FAILURES failures within a minute. now_ms is on the monotonic
 * clock. */
#define SIGN_IN_LIMIT_FAILURES 10
bool sign_in_limit_allows(struct sign_in_limit *limit, const char *address, int64_t now_ms);
/* Counts a failure. */
void sign_in_limit_failed(struct sign_in_limit *limit, const char *address, int64_t now_ms);

#endif
