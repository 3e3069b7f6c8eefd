/* After a start: removes the spooled bodies that a crash left without a run. */
#ifndef WEBHOOKD_QUEUE_SPOOL_SWEEP_H
#define WEBHOOKD_QUEUE_SPOOL_SWEEP_H

#include "base/error.h"
#include "store/store.h"

struct spool_sweep;

/* Notes the present files before it returns (nothing that comes later is touched), and looks them up on a thread of its own. */
struct spool_sweep *spool_sweep_start(int folder_fd, const struct store_options *store,
                                      struct error *error);
void spool_sweep_stop(struct spool_sweep *sweep); /* gives up what is left; NULL is fine */

#endif
