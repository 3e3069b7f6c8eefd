/* Cleans up after a test that failed part-way. A failed assertion ends the test's process at once, so a second process, in a session
 * of its own, waits for that: supervisors that are left are ended, what is mounted is unmounted, the folder is removed. */
#ifndef WEBHOOKD_TESTS_SUPPORT_JANITOR_H
#define WEBHOOKD_TESTS_SUPPORT_JANITOR_H

/* Call it once the folder exists. A test that removes its folder itself leaves nothing to do. */
void janitor_watch(const char *folder);

/* How many webhookd-vessel processes have something open below the folder; each is sent the signal, unless it is 0. */
int janitor_signal_supervisors(const char *folder, int signal);

/* Unmounts all that is mounted below the folder, also when it is in use. */
void janitor_unmount(const char *folder);

#endif
