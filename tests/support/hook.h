/* One fleet with a webhook on a daemon that only accepts (its runner is disabled), the responses,
 * and the stored runs. Each function fails the test if it cannot do its work. */
#ifndef WEBHOOKD_TESTS_SUPPORT_HOOK_H
#define WEBHOOKD_TESTS_SUPPORT_HOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "support/daemon.h"
#include "support/http.h"

struct hook {
    struct daemon daemon;
    char *url;
    const char *path; /* "/hooks/whk_…", in url */
};

/* Starts a daemon (the options' runner section is ignored) and creates the fleet. Cleans up even if
 * the test fails half-way. */
void hook_begin(struct hook *hook, const struct daemon_options *options);
/* Creates the fleet on a daemon that the test has started itself. */
void hook_take(struct hook *hook);
void hook_finish(struct hook *hook);
/* Returns a "/hooks/<token>" path of the correct form that belongs to no fleet. Free it. */
char *hook_unknown_path(void);

/* ---- what is stored, as webhookctl reports it ---- */

size_t hook_count_runs(struct hook *hook);
json_t *hook_run(struct hook *hook, const char *run);
json_t *hook_headers(struct hook *hook, const char *run);
/* Fails the test unless the run's stored body, size and SHA-256 are those of these bytes. */
void hook_assert_body(struct hook *hook, const char *run, const void *body, size_t bytes);

/* ---- raw connections ---- */

/* Reads exactly one response from a connection that may stay open; status 0 if the connection was
 * closed before a whole one arrived. Fails the test after 20 s. */
void raw_read_answer(int fd, struct response *response);
/* Waits until the server closes the connection (at most 20 s); discards everything received
 * before. */
void raw_await_close(int fd);
/* Whether the server closes the connection within this time. */
bool raw_is_closed(int fd, int timeout_ms);
/* Returns a header's value (free it), or NULL if there is none. */
char *response_header(const struct response *response, const char *name);

/* ---- the form of responses ---- */

/* Expects 201 and exactly its envelope. */
void assert_accepted(const struct response *response);
/* Expects this status and exactly the envelope of a refusal, with or without an error message. */
void assert_refused(const struct response *response, int status, bool has_message);

#endif
