/* The tally: collects the calls of webhooks on their way to the store, so that counting them costs
 * no request a write of its own. They are stored every half second (without a pause while very many
 * are pending), a bounded number per operation. A crash loses the counts of the last moments, never
 * a run. */
#ifndef WEBHOOKD_QUEUE_TALLY_H
#define WEBHOOKD_QUEUE_TALLY_H

#include "base/secret.h"
#include "queue/commit.h"
#include "store/webhooks.h"

struct tally;

/* The queue must outlive the tally. */
struct tally *tally_start(struct commit_queue *queue, struct error *error);
/* Stores the pending calls, if the queue still accepts them, and frees the tally. NULL is fine. */
void tally_stop(struct tally *tally);

/* Adds one call, after its answer. fleet_id is the fleet of the token if that is known. If it is
 * NULL, the token is looked up when the call is stored; only a few such calls are kept until then,
 * because they may come from strangers. Any thread; does not wait for the store. */
void tally_add(struct tally *tally, const uint8_t token_hash[SECRET_HASH_BYTES],
               const struct id *fleet_id, const struct webhook_call *call);

/* Returns the number of calls of known tokens that were not counted, because the calls of too many
 * tokens were pending (invariant 8). Any thread. */
uint64_t tally_lost(struct tally *tally);

#endif
