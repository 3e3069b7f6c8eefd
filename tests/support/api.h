/* The admin API for tests: calls over a daemon's admin socket, their responses as JSON, and waiting
 * for fleet runs. Each function fails the test if it cannot do its work. */
#ifndef WEBHOOKD_TESTS_SUPPORT_API_H
#define WEBHOOKD_TESTS_SUPPORT_API_H

#include <jansson.h>

#include "support/daemon.h"
#include "support/http.h"

/* Any call, any response. `path` begins after the host: "/api/v1/orgs", "/metrics". */
void api_call(struct daemon *daemon, const char *method, const char *path, const void *body,
              size_t bytes, struct response *response);
/* GETs /api/v1<path>, expects 200, and returns the response's data. Free it with json_decref. */
json_t *api_get(struct daemon *daemon, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Parses JSON without duplicate keys, for example the output of webhookctl --json. Free it with
 * json_decref. */
json_t *api_parse(const char *text);

/* A member's text, borrowed; "" if it is null or missing. */
const char *api_text(const json_t *object, const char *key);
/* The element of a list whose `key` has this text, borrowed; NULL if there is none. */
json_t *api_find(const json_t *list, const char *key, const char *text);
/* The value of a metric of /metrics that has no labels. */
long long api_metric(struct daemon *daemon, const char *name);

/* Waits (at most 60 s) until the run has this status, and returns the run. Free it with
 * json_decref. */
json_t *api_await_status(struct daemon *daemon, const char *run_id, const char *status);
/* Waits (at most 60 s) until the run has ended, and returns it. Free it with json_decref. */
json_t *api_await_end(struct daemon *daemon, const char *run_id);
/* The vessel run with this name, borrowed from the run. */
json_t *api_vessel(const json_t *run, const char *name);
/* Expects a vessel that webhookd did not start, and did not try again, for this reason (or one that
 * contains it). */
void api_expect_refused(const json_t *run, const char *vessel, const char *reason);
/* Returns the output of a vessel's last attempt so far; "" if there is none. Free it. */
char *api_output(struct daemon *daemon, const json_t *run, const char *vessel);
/* Waits (at most 60 s) until that output contains the text. */
void api_await_output(struct daemon *daemon, const char *run_id, const char *vessel,
                      const char *text);

/* POSTs the body, expects 201, and returns the fleet run's id. Free it. */
char *api_post(const char *url, const void *body, size_t bytes);
/* The same, but waits until the run has ended and returns the run. */
json_t *api_post_and_wait(struct daemon *daemon, const char *url, const char *body);

#endif
