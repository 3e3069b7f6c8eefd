/* The spool's sweep: removes, after a start, the spooled bodies that a crash left without a run. */
#ifndef WEBHOOKD_QUEUE_SPOOL_SWEEP_H
#define WEBHOOKD_QUEUE_SPOOL_SWEEP_H

#include "base/error.h"
#include "store/store.h"

struct spool_sweep;

/* Lists the existing files before it returns, and looks them up on a thread of its own. Files that
 * are created later are not touched. */
struct spool_sweep *spool_sweep_start(int folder_fd, const struct store_options *store,
                                      struct error *error);
/* Ends the thread, even if files are left to look up. NULL is fine. */
void spool_sweep_stop(struct spool_sweep *sweep);

#endif
