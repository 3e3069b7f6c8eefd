/* The free space and inodes of the state disk. A thread of its own determines them four times a
 * second, because statvfs can hang and requests must not. */
#ifndef WEBHOOKD_STORE_SPACE_H
#define WEBHOOKD_STORE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

struct space;

/* Determines the free space once before it returns. */
struct space *space_start(const char *state_dir, int64_t min_free_bytes, struct error *error);
void space_stop(struct space *space); /* NULL is fine */
void space_set_min_free(struct space *space, int64_t bytes);
void space_get(const struct space *space, struct store_space *state);
/* Returns true, and sets *error, if writing more_bytes would leave less than the minimum of bytes,
 * or if there are fewer inodes than their minimum: 1,024, or a sixteenth of all if that is less. */
bool space_is_low(const struct space *space, int64_t more_bytes, struct error *error);

#endif
