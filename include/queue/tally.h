/* The tally: calls of webhooks on their way to the store, gathered so that counting them costs no request a write of its own. They are stored
 * at most twice a second, a bounded number at a time, by an operation like any other. What a crash takes away are the counts of the last
 * moments, never a run. */
#ifndef WEBHOOKD_QUEUE_TALLY_H
#define WEBHOOKD_QUEUE_TALLY_H

#include "queue/commit.h"

struct tally;

/* The queue must outlive it. */
struct tally *tally_start(struct commit_queue *queue, struct error *error);
/* Stores what it has, if the queue still takes it. NULL is fine. */
void tally_stop(struct tally *tally);

/* One call, after its answer. fleet_id: the token's, where that is known; else NULL, and whether it is any fleet's is found out when it is
 * stored. Any thread; does not wait for the store. */
void tally_add(struct tally *tally, const uint8_t token_hash[SECRET_HASH_BYTES],
               const struct id *fleet_id, const struct webhook_call *call);

/* Calls that were not counted because too many different ones waited to be (invariant 8). Any thread. */
uint64_t tally_lost(struct tally *tally);

#endif
