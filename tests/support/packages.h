/* Packages for tests, and an npm registry on loopback that has some. The scripts in tests/packages/
 * create both and say what they contain; they need no network. */
#ifndef WEBHOOKD_TESTS_SUPPORT_PACKAGES_H
#define WEBHOOKD_TESTS_SUPPORT_PACKAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Return false, and skip the test, if the machine lacks them: python3 with pip and venv, as vessels
 * find them; npm. */
bool packages_have_pip(void);
bool packages_have_npm(void);

/* Writes the Python packages into the folder. The setup.py of "evil" creates the file `mark`. */
void packages_write_wheels(const char *folder, const char *mark);

struct registry {
    pid_t pid;
    int input; /* the registry ends when it is closed, also with the test */
    unsigned port;
};

/* Starts a registry and returns when it answers on its port. */
void registry_start(struct registry *registry);
/* Has it serve tarballs that differ from their hashes from now on. */
void registry_spoil(const struct registry *registry);
void registry_stop(struct registry *registry);

#endif
