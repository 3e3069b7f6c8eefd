/* One fleet with a webhook on a daemon that only accepts (its runner is off), the answers it gives, and what it has stored. Each
 * function fails the test if it cannot do what it says. */
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

/* The options' runner section is not used. Cleans up also if the test fails part-way. */
void hook_begin(struct hook *hook, const struct daemon_options *options);
/* The same on a daemon that the test has started itself. */
void hook_take(struct hook *hook);
void hook_finish(struct hook *hook);
/* "/hooks/<token>" of the right form that no fleet has. Free it. */
char *hook_unknown_path(void);

/* ---- what is stored, as webhookctl says it ---- */

size_t hook_count_runs(struct hook *hook);
json_t *hook_run(struct hook *hook, const char *run);
json_t *hook_headers(struct hook *hook, const char *run);
/* Body, size and SHA-256 are those of these bytes. */
void hook_assert_body(struct hook *hook, const char *run, const void *body, size_t bytes);

/* ---- raw connections ---- */

/* Reads exactly one answer from a connection that may stay open; status 0 if it was closed before a whole one came. Fails the test after
 * 20 s. */
void raw_read_answer(int fd, struct response *response);
/* Waits until the other side closes (at most 20 s); what came before that is lost. */
void raw_await_close(int fd);
/* Has the other side closed? Waits this long for it. */
bool raw_is_closed(int fd, int timeout_ms);
/* A header's value (free it), or NULL if there is none. */
char *response_header(const struct response *response, const char *name);

/* ---- the shapes of answers ---- */

/* 201 and its envelope, exactly. */
void assert_accepted(const struct response *response);
/* The status and the envelope of a refusal, exactly; whether it has an error with a message. */
void assert_refused(const struct response *response, int status, bool has_message);

#endif
