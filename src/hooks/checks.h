/* The checks of a request before its run is stored: a table of checks, each with its stage. A new
 * check is a function and a row in checks.c.
 *
 * Checks run on the hook workers, so they never wait, touch the store or read files. They judge by
 * a snapshot, which can be older than the store. Then the store is to report ERROR_STALE in the
 * transaction that would accept the run, and the request is judged again (hooks/request.c). No
 * check depends on the store today, so no engine does yet. */
#ifndef WEBHOOKD_HOOKS_CHECKS_H
#define WEBHOOKD_HOOKS_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "http/server.h"
#include "queue/commit.h"

enum check_stage {
    CHECK_HEADERS, /* the headers have arrived, and nothing of the body */
    CHECK_PIECE,   /* a piece of the body has arrived */
    CHECK_BODY,    /* the whole body has arrived */
};

/* What a check may examine. All borrowed. */
struct check_input {
    struct http_exchange *exchange;
    const struct config *config;
    struct commit_queue *queue;
    const char *too_large, *chunked_too_large; /* what a verdict says of a body over max_body */
    int64_t waited_ms; /* how long the request waited before it could be read (http_waited_ms) */
    /* From CHECK_PIECE on: */
    int64_t body_bytes;      /* received so far */
    int64_t unwritten_bytes; /* of a large body, in memory and still to be written to the spool */
    const void *body;        /* CHECK_BODY: a small body; NULL if it is empty or in the spool */
};

struct verdict {
    enum verdict_kind { VERDICT_PASS, VERDICT_REFUSE, VERDICT_ANSWER } kind;
    unsigned status; /* VERDICT_REFUSE: 0 closes the connection without an answer */
    /* VERDICT_REFUSE: the message of the error, and the reason in the log. NULL: the answer's
     * "data" is null and it has no "error", as for every token that belongs to no webhook. */
    const char *message;
    /* The reason that the log names; NULL: the message. */
    const char *reason;
    int retry_after_s; /* 0 = no Retry-After */
    bool is_routine;   /* happens all the time: logged for debugging only */
    /* VERDICT_ANSWER: the answer; no run is stored. */
    const char *content_type;
    const void *body;
    size_t body_bytes;
};

struct check {
    const char *name; /* for the reader of the table; NULL ends it */
    enum check_stage stage;
    /* The verdict reveals something about the webhook, so only senders whose token is good may see
     * it: the token is looked up before the answer. If a request with a small body passes, its
     * token is looked up in the transaction that stores the run. */
    bool needs_token;
    struct verdict (*judge)(const struct check_input *input);
};

/* The checks of every request, in the order in which they run; the last row has no name. */
extern const struct check checks_all[];

/* Returns a refusal with this status and message. A 503 gets a Retry-After. */
struct verdict checks_refuse(unsigned status, const char *message);

/* Runs the checks with this stage and needs_token, in order. Returns the first verdict that is not
 * VERDICT_PASS, or VERDICT_PASS. */
struct verdict checks_judge(const struct check *checks, enum check_stage stage, bool needs_token,
                            const struct check_input *input);

/* The part of the path before the token of a webhook. */
#define CHECKS_PATH_PREFIX "/hooks/"

#endif
