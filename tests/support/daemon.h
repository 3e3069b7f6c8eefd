/* A real webhookd for a test: real programs, free ports, a temporary folder. Each function fails
 * the test with a message if it cannot do its work. The programs come from $BUILD (default
 * "build"). */
#ifndef WEBHOOKD_TESTS_SUPPORT_DAEMON_H
#define WEBHOOKD_TESTS_SUPPORT_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon_options {
    /* Lines for the top level of webhookd.conf; "" = none; NULL = the line min_free = "0". */
    const char *top;
    /* Lines for the sections; NULL = none. */
    const char *hooks;
    const char *admin;
    const char *runner;
    /* Without dir, packages are installed in folder/packages. "" = no such section, which older
     * programs do not know. */
    const char *packages;
    const char *sandbox;   /* NULL: "off" */
    const char *state_dir; /* NULL: folder/state */
    /* "NAME=value", NULL-terminated, added to the test's own environment; NULL = none. */
    const char *const *env;
    /* A command put before webhookd (strace …), NULL-terminated; NULL = none. */
    const char *const *wrapper;
};

struct daemon {
    struct daemon_options options;
    char folder[64]; /* /tmp/webhookd-test-XXXXXX, removed by daemon_finish */
    char state_dir[256];
    char config[128], socket[128], log[128];
    pid_t pid;   /* of webhookd itself, even with a wrapper */
    pid_t child; /* our child process: webhookd or the wrapper; 0 = none is running */
    unsigned port, admin_port;
};

/* Creates the folder and the configuration (with free ports), starts webhookd, and returns when it
 * is ready. */
void daemon_begin(struct daemon *daemon, const struct daemon_options *options);
/* The same without starting webhookd: for daemon_restart, daemon_start_fails, or a test that starts
 * it itself. */
void daemon_prepare(struct daemon *daemon, const struct daemon_options *options);
/* Returns the path of a program of the build. Free it. */
char *daemon_program(const char *name);
/* Starts webhookd again on the same folder and state (after daemon_kill or daemon_stop), on new
 * ports. */
void daemon_restart(struct daemon *daemon);
/* Starts webhookd, fails the test if it becomes ready, and returns its exit status. */
int daemon_start_fails(struct daemon *daemon);
/* Starts webhookd and kills it after that many microseconds, wherever it has got to. */
void daemon_start_and_kill(struct daemon *daemon, unsigned after_us);
/* Sends SIGTERM and returns the exit status (128 + n for signal n). Fails the test if the end takes
 * more than 30 s. */
int daemon_stop(struct daemon *daemon);
/* Sends SIGKILL and reaps webhookd. */
void daemon_kill(struct daemon *daemon);
/* Waits until webhookd ends by itself (at most 30 s) and returns its exit status. */
int daemon_wait(struct daemon *daemon);
/* Stops webhookd if it runs, ends the remaining vessels, and removes the folder. Fails the test if
 * webhookd had ended by itself, does not end with 0, or left a sanitizer's report in its log. */
void daemon_finish(struct daemon *daemon);
/* Rewrites the configuration (same form as daemon_begin; for SIGHUP). */
void daemon_configure(struct daemon *daemon, const struct daemon_options *options);

/* Runs webhookctl with the daemon's socket and these arguments (NULL-terminated list). *out
 * receives standard output (malloc'd, NUL-terminated; its length goes to *out_bytes unless that is
 * NULL), *err likewise standard error; if `err` is NULL, *out receives both. Returns the exit
 * status. */
int ctl(struct daemon *daemon, char **out, size_t *out_bytes, char **err, ...)
    __attribute__((sentinel));
/* The same, but expects exit status 0 and returns the output without its last newline. Free it. */
char *ctl_ok(struct daemon *daemon, ...) __attribute__((sentinel));

/* Writes the text to folder/name and returns the path. Free it. */
char *daemon_write_file(struct daemon *daemon, const char *name, const void *text, size_t bytes);
/* Applies this fleet file, creates the fleet's webhook, and returns its URL on the daemon's current
 * port. Free it. */
char *daemon_fleet(struct daemon *daemon, const char *fleet_file);
/* The "/hooks/whk_…" part of a URL, borrowed from it. */
const char *url_path(const char *url);
/* Returns a fleet file with one BASH vessel, "main", that runs this script. Free it. */
char *bash_fleet(const char *name, const char *script);
/* Returns the daemon's log so far. Free it. */
char *daemon_log(struct daemon *daemon);
/* Waits (at most 20 s) until the log contains the text; fails the test otherwise. */
void daemon_await_log(struct daemon *daemon, const char *text);

#endif
