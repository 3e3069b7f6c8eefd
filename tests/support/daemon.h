/* A real webhookd for a test: real programs, free ports, a temporary folder. Everything aborts the test with a message when it cannot
 * be done. Programs are taken from $BUILD (default "build"). */
#ifndef WEBHOOKD_TESTS_SUPPORT_DAEMON_H
#define WEBHOOKD_TESTS_SUPPORT_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon_options {
    const char *
        top; /* lines for the top level of webhookd.conf, "" = none; likewise inside the sections: */
    const char *hooks;
    const char *admin;
    const char *runner;
    const char *sandbox;   /* NULL: "off" */
    const char *state_dir; /* NULL: folder/state */
    const char *const
        *env; /* "NAME=value", NULL-terminated, added to the test's own; NULL = none */
    const char *const
        *wrapper; /* a command put before webhookd (strace …), NULL-terminated; NULL = none */
};

struct daemon {
    struct daemon_options options;
    char folder[64]; /* /tmp/webhookd-test-XXXXXX, removed by daemon_finish */
    char state_dir[256];
    char config[128], socket[128], log[128];
    pid_t pid;   /* of webhookd itself, also behind a wrapper */
    pid_t child; /* ours: webhookd or the wrapper; 0 = none is running */
    unsigned port, admin_port;
};

/* Makes the folder and the configuration (ports free), starts webhookd, returns when it is ready. */
void daemon_begin(struct daemon *daemon, const struct daemon_options *options);
/* The same without starting it: for daemon_restart, daemon_start_fails, or a start of the test's own. */
void daemon_prepare(struct daemon *daemon, const struct daemon_options *options);
/* The path of a program that was built. Free it. */
char *daemon_program(const char *name);
/* Starts it again on the same folder and state (after daemon_kill or daemon_stop), on new ports. */
void daemon_restart(struct daemon *daemon);
/* Starts it where it is expected not to become ready: returns its exit status. */
int daemon_start_fails(struct daemon *daemon);
/* Starts it and kills it after so many microseconds, wherever it is by then. */
void daemon_start_and_kill(struct daemon *daemon, unsigned after_us);
/* SIGTERM, then its exit status (128 + n for signal n). Fails the test if that takes more than 30 s. */
int daemon_stop(struct daemon *daemon);
void daemon_kill(struct daemon *daemon); /* SIGKILL, reaped */
/* Waits for it to end by itself: its exit status. */
int daemon_wait(struct daemon *daemon);
/* Stops it if it runs, ends vessels that are left, removes the folder. Fails the test if it had ended by itself, does not end with 0,
 * or has left a sanitizer's words in its log. */
void daemon_finish(struct daemon *daemon);
/* Writes the configuration anew (same shape as daemon_begin; for SIGHUP). */
void daemon_configure(struct daemon *daemon, const struct daemon_options *options);

/* Runs webhookctl with the daemon's socket and these arguments (NULL-terminated list). Standard output goes to *out (malloc'd,
 * NUL-terminated, its length to *out_bytes if not NULL), standard error to the same if `err` is NULL. Returns its exit status. */
int ctl(struct daemon *daemon, char **out, size_t *out_bytes, char **err, ...)
    __attribute__((sentinel));
/* The same, expects 0, and returns the output without its last newline. Free it. */
char *ctl_ok(struct daemon *daemon, ...) __attribute__((sentinel));

/* Writes text to folder/name and returns its path (free it). */
char *daemon_write_file(struct daemon *daemon, const char *name, const void *text, size_t bytes);
/* Applies a fleet file of this text and creates its webhook: its URL on the daemon's current port (free it). */
char *daemon_fleet(struct daemon *daemon, const char *fleet_file);
/* "/hooks/whk_…" of a URL, borrowed from it. */
const char *url_path(const char *url);
/* A fleet of one BASH vessel that does this. Free it. */
char *bash_fleet(const char *name, const char *script);
/* The daemon's log so far. Free it. */
char *daemon_log(struct daemon *daemon);
/* Waits (at most 20 s) until the log holds the text; fails the test otherwise. */
void daemon_await_log(struct daemon *daemon, const char *text);

#endif
