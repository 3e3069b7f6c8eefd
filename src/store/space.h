/* How much room the state disk has, looked at a few times a second by a thread of its own (statfs can hang; requests must not). */
#ifndef WEBHOOKD_STORE_SPACE_H
#define WEBHOOKD_STORE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct space;

/* Takes a first look before it returns. */
struct space *space_start(const char *state_dir, int64_t min_free_bytes, struct error *error);
void space_stop(struct space *space); /* NULL is fine */
void space_set_min_free(struct space *space, int64_t bytes);
int64_t space_free_bytes(const struct space *space); /* at the last look */
/* True (and why) if more_bytes more would leave less than the minimum. */
bool space_is_low(const struct space *space, int64_t more_bytes, struct error *error);

#endif
