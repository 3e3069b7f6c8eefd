/* System packages: whether the machine has those that a vessel asks for. Reads dpkg's status file
 * (deb822(5)) and runs no program; webhookd installs none. Functions without state: any thread that
 * may block on the disk. */
#ifndef WEBHOOKD_PACKAGES_SYSTEM_H
#define WEBHOOKD_PACKAGES_SYSTEM_H

#include "base/error.h"
#include "model/packages.h"

#define SYSTEM_PACKAGES_STATUS "/var/lib/dpkg/status"
/* How many missing packages the error of system_packages_check names. */
#define SYSTEM_PACKAGES_NAMED 10

/* The packages that the machine has. Immutable. */
struct system_packages;

/* Reads the status file, of at most 64 MiB. Returns NULL and sets *error if that fails:
 * ERROR_NOT_FOUND, with the words to show, if the machine has no dpkg. */
struct system_packages *system_packages_read(const char *status_path, struct error *error);
void system_packages_free(struct system_packages *installed); /* NULL is fine */

/* Returns "system packages are missing: …" with the command that installs them, or NULL if the
 * machine has all. A package counts if dpkg has it installed, of any architecture: without a
 * version, also one that provides the name; with a version, the package itself in exactly this
 * version. Names `most` packages at most. Free it. */
char *system_packages_missing(const struct system_packages *installed,
                              const struct package_list *wanted, size_t most);

/* Both in one. Returns 0 if the machine has all packages of the list; an empty list reads
 * nothing. Returns -1 and ERROR_NOT_FOUND if some are missing or the machine has no dpkg. */
int system_packages_check(const char *status_path, const struct package_list *wanted,
                          struct error *error);

#endif
