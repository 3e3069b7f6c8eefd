/* Watches one vessel to its end. */
#ifndef WEBHOOKD_VESSEL_SUPERVISE_H
#define WEBHOOKD_VESSEL_SUPERVISE_H

#include <stdbool.h>

#include "base/error.h"
#include "supervisor/given.h"
#include "supervisor/output.h"

/* Runs the job; returns when the vessel and all that it started are gone, with *exit and *output filled. Every signal is blocked. A
 * failure of our own is an exit record, too: NOT_STARTED with the reason. False: something was short before the vessel was started, and may not
 * be the next time: there is nothing to record. */
bool supervise(const struct given *given, struct output *output, struct record_exit *exit);

/* As far as there is room for it. */
void supervise_set_reason(struct record_exit *exit, const char *text);

#endif
