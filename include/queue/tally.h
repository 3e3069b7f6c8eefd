/* The tally: calls of webhooks on their way to the store, gathered so that counting them costs no request a write of its own. They are stored
 * every half second (without a pause once very many wait), a bounded number in one operation. What a crash takes away are the counts of the
 * last moments, never a run. */
#ifndef WEBHOOKD_QUEUE_TALLY_H
#define WEBHOOKD_QUEUE_TALLY_H

#include "base/secret.h"
#include "queue/commit.h"
#include "store/webhooks.h"

struct tally;

/* The queue must outlive it. */
struct tally *tally_start(struct commit_queue *queue, struct error *error);
/* Stores what it has, if the queue still takes it. NULL is fine. */
void tally_stop(struct tally *tally);

/* One call, after its answer. fleet_id: the token's, where that is known; else NULL, and whether it is any fleet's is found out when it is
 * stored: only few of those are kept until then, as they may be strangers'. Any thread; does not wait for the store. */
void tally_add(struct tally *tally, const uint8_t token_hash[SECRET_HASH_BYTES],
               const struct id *fleet_id, const struct webhook_call *call);

/* Calls of known tokens that were not counted because those of too many waited to be (invariant 8). Any thread. */
uint64_t tally_lost(struct tally *tally);

#endif
