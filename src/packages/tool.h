/* The package managers: a row of commands for each language. On an installer's thread, or another
 * one that may block. */
#ifndef WEBHOOKD_PACKAGES_TOOL_H
#define WEBHOOKD_PACKAGES_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"
#include "model/definition.h"
#include "model/packages.h"

#define TOOL_LOCK_BYTES  (4 * 1024 * 1024) /* of a lock, and of what a tool reports */
#define TOOL_INTERPRETER "interpreter"     /* the file that `probe` writes */

/* The scripts run in a place (cache.h), with bash, in the sandbox. Their arguments are those of
 * `arguments`. Names of packages are passed in files, never as arguments. */
struct tool {
    const char *kind; /* part of an environment's key */
    /* Writes one line to TOOL_INTERPRETER: what an environment must fit to. */
    const char *probe;
    const char *lock, *install;
    /* Returns the arguments of all scripts and their number. Free the array; the strings belong to
     * the configuration. */
    char **(*arguments)(const struct config *config, size_t *count);
    bool reads_netrc;
    /* Writes the files that `lock` reads. `old`: a lock whose versions are to be kept, or NULL. */
    int (*write_request)(int dir_fd, const struct package_list *packages, const char *old,
                         struct error *error);
    /* Returns the lock that the script `lock` has found, or NULL. Free it. Trusts nothing. */
    char *(*read_lock)(int dir_fd, struct error *error);
    /* Writes the files that `install` reads. */
    int (*write_lock)(int dir_fd, const char *lock, struct error *error);
    /* The name of the file with the lock, which stays in the environment. */
    const char *lock_file;
    /* Adds the names and exact versions of a lock, sorted by name. */
    void (*read_versions)(const char *lock, struct package_list *into);
    /* Finds the tool's own words for a failure in a line of its output, or returns NULL. */
    const char *(*find_reason)(const char *line);
    bool says_cause_last; /* of several such lines, the last one says the cause */
    /* Relative to the environment: what comes first on PATH. */
    const char *bin;
};

/* Returns NULL for a language whose packages are those of the system. */
const struct tool *tool_of(enum vessel_language language);

extern const struct tool tool_python, tool_node;

/* Creates the file with this text, in a folder that only webhookd has written to so far. */
int tool_write_file(int dir_fd, const char *name, const char *text, struct error *error);
/* Reads what a tool has written: a regular file, never through a link. Free it. NULL on failure. */
char *tool_read_file(int dir_fd, const char *name, struct error *error);

#endif
