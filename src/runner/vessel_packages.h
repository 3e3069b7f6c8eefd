/* The packages of a vessel: it starts when they are installed, or cannot be. Waiting takes no slot
 * and does not count against the cutoff. On the runner's thread. */
#ifndef WEBHOOKD_RUNNER_VESSEL_PACKAGES_H
#define WEBHOOKD_RUNNER_VESSEL_PACKAGES_H

#include <stdbool.h>

#include "base/error.h"
#include "packages/installer.h"
#include "runner/core.h"
#include "runner/settings.h"

/* Returns the user that the tools run as for a vessel that is isolated like that. Borrows from the
 * isolation. Any thread. */
struct installer_user vessel_packages_user(const struct isolation *isolation);

/* Has the packages of all vessels of a run installed that have not ended: a vessel that starts late
 * need not wait for them then. */
void vessel_packages_prepare(struct run *run);
/* Queues a vessel that may start: immediately, or once its packages are no longer being installed.
 * Its fleet claims no further run meanwhile. */
void vessel_packages_await(struct run_vessel *vessel);
/* Queues the vessels whose packages are not being installed any more. */
void vessel_packages_news(struct runner *runner);
/* Gives up what the vessel waits for or uses. It may ask again later. */
void vessel_packages_drop(struct run_vessel *vessel);

/* Fills in the share of the attempt to be launched. ERROR_INVALID: the packages could not be
 * installed. ERROR_UNAVAILABLE: they are being installed again. */
int vessel_packages_use(struct run_vessel *vessel, struct installer_use *use, struct error *error);
/* Whether the packages could not be installed. */
bool vessel_packages_have_failed(const struct run_vessel *vessel);
/* Writes what the installation printed last to the descriptor of an attempt's log. */
void vessel_packages_copy_log(const struct run_vessel *vessel, int to_fd);

#endif
