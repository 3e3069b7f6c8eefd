/* A working folder for a trial of the isolation: created and given to the vessel's user like a
 * run's, so that what would fail for each run fails at the start. On the thread of
 * runner_check_config or runner_start. */
#ifndef WEBHOOKD_RUNNER_TRIAL_FOLDER_H
#define WEBHOOKD_RUNNER_TRIAL_FOLDER_H

#include "base/error.h"
#include "base/id.h"
#include "runner/settings.h"

struct trial_folder {
    int runs_fd, fd; /* fd -1: there is no folder, and the trial has to do without one */
    char name[ID_TEXT_BYTES];
};

/* Creates the folder in `runs`, which runs_fd refers to; -1: the state folder does not exist yet.
 * Creates none if the disk is full, because webhookd starts on a full disk, too. Returns -1 and
 * ERROR_CONFIG, with what to do, if no vessel could get its working folder. */
int trial_folder_open(struct trial_folder *folder, int runs_fd, const struct vessel_user *user,
                      struct error *error);
/* Removes the folder with what the trial has put into it. */
void trial_folder_close(struct trial_folder *folder);

#endif
