/* Cleans up after a test that fails half-way. A failed assertion ends the test's process
 * immediately, so a second process in a session of its own waits for that end, then ends the
 * remaining supervisors, unmounts what is mounted, and removes the folder. */
#ifndef WEBHOOKD_TESTS_SUPPORT_JANITOR_H
#define WEBHOOKD_TESTS_SUPPORT_JANITOR_H

/* Starts that process. Call it once the folder exists. If the test removes the folder itself,
 * nothing is left to do. */
void janitor_watch(const char *folder);

/* Sends the signal (0 = none) to each webhookd-vessel process that has something open below the
 * folder. Returns their number. */
int janitor_signal_supervisors(const char *folder, int signal);

/* Unmounts everything below the folder, even if it is in use. */
void janitor_unmount(const char *folder);

#endif
