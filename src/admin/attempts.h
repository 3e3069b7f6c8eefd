/* Attempts to sign in that failed, by address, so that keys cannot be tried fast. In memory. Any thread. */
#ifndef WEBHOOKD_ADMIN_ATTEMPTS_H
#define WEBHOOKD_ADMIN_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

struct attempts;

struct attempts *attempts_new(void);
void attempts_free(struct attempts *attempts); /* NULL is fine */

/* False once there were ATTEMPTS_FAILED in the last minute. now_ms on the monotonic clock. */
#define ATTEMPTS_FAILED 10
bool attempts_may_try(struct attempts *attempts, const char *address, int64_t now_ms);
void attempts_failed(struct attempts *attempts, const char *address, int64_t now_ms);

#endif
