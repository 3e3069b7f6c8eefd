/* The checks before a run is stored: see checks.h. Called by hooks/request on the hook workers. */
#include "hooks/checks.h"

#include <string.h>

#include "base/secret.h"
#include "http/log.h"

#define RETRY_S 5 /* what made one batch fail may have passed by then */

static const struct verdict pass = {.kind = VERDICT_PASS};

struct verdict checks_refuse(unsigned status, const char *message)
{
    return (struct verdict){.kind = VERDICT_REFUSE,
                            .status = status,
                            .message = message,
                            .retry_after_s = status == 503 ? RETRY_S : 0};
}

/* ---- the headers ---- */

/* Load balancers ask whether to send requests here. The answer is one word. */
static struct verdict judge_health(const struct check_input *input)
{
    static const char yes[] = "ok\n", no[] = "unavailable\n";
    const char *method = http_method(input->exchange);
    if (strcmp(http_path(input->exchange), "/healthz") != 0 ||
        (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
        return pass;
    struct error why = ERROR_INIT;
    bool is_ready = commit_has_room(input->queue, 0, &why) == 0;
    return (struct verdict){.kind = VERDICT_ANSWER,
                            .status = is_ready ? 200 : 503,
                            .reason = "health check",
                            .is_routine = true,
                            .content_type = "text/plain",
                            .body = is_ready ? yes : no,
                            .body_bytes = is_ready ? strlen(yes) : strlen(no)};
}

/* Returns what is nearly right about a path outside of /hooks/, for the log, or NULL. */
static const char *path_problem(const char *path)
{
    const char *one_slash = path + strspn(path, "/") - 1;
    if (one_slash > path && strncmp(one_slash, CHECKS_PATH_PREFIX, strlen(CHECKS_PATH_PREFIX)) == 0)
        return "the path begins with more than one slash";
    if (strncmp(path, CHECKS_PATH_PREFIX, strlen(CHECKS_PATH_PREFIX) - 1) == 0 &&
        path[strlen(CHECKS_PATH_PREFIX) - 1] == '\0')
        return "the path ends before the token";
    if (strstr(path, "/whk_"))
        return "the path contains a token, but does not begin with " CHECKS_PATH_PREFIX;
    return NULL;
}

static struct verdict judge_path(const struct check_input *input)
{
    const char *path = http_path(input->exchange);
    if (strncmp(path, CHECKS_PATH_PREFIX, strlen(CHECKS_PATH_PREFIX)) == 0)
        return pass;
    struct verdict verdict =
        checks_refuse(404, "no such path: call a webhook with POST " CHECKS_PATH_PREFIX "<token>");
    verdict.reason = path_problem(path);
    return verdict;
}

static struct verdict judge_method(const struct check_input *input)
{
    return strcmp(http_method(input->exchange), "POST") == 0
               ? pass
               : checks_refuse(405, "a webhook accepts only POST");
}

static struct verdict judge_token_form(const struct check_input *input)
{
    const char *token = http_path(input->exchange) + strlen(CHECKS_PATH_PREFIX);
    if (secret_token_is_well_formed(token, strlen(token)))
        return pass;
    struct verdict verdict = checks_refuse(400, NULL);
    verdict.reason = secret_token_problem(token, strlen(token));
    return verdict;
}

static struct verdict judge_size(const struct check_input *input)
{
    return http_content_length(input->exchange) <= input->config->hooks.max_body_bytes
               ? pass
               : checks_refuse(413, input->too_large);
}

/* Its sender has probably given up: to run it now would surprise. */
static struct verdict judge_age(const struct check_input *input)
{
    return input->waited_ms < input->config->hooks.answer_timeout_ms
               ? pass
               : checks_refuse(503,
                               "the request waited for longer than hooks.answer_timeout before "
                               "it could be read: try again");
}

static struct verdict judge_room_for(const struct check_input *input, int64_t bytes)
{
    struct error why = ERROR_INIT;
    if (commit_has_room(input->queue, bytes, &why) == 0)
        return pass;
    http_log_debug(input->exchange, "no room for a body", log_int("bytes", bytes), log_why(&why));
    return checks_refuse(503, "there is no room to store the run now: try again");
}

static struct verdict judge_room(const struct check_input *input)
{
    int64_t length = http_content_length(input->exchange);
    return judge_room_for(input, length > 0 ? length : 0);
}

/* ---- a piece of the body ---- */

/* Only a chunked body can grow. The connection is closed, because libmicrohttpd cannot answer in
 * the middle of a body. */
static struct verdict judge_growth(const struct check_input *input)
{
    return input->body_bytes <= input->config->hooks.max_body_bytes
               ? pass
               : checks_refuse(0, input->chunked_too_large);
}

/* A large body arrives in many pieces, and other requests use up room meanwhile. */
static struct verdict judge_room_for_piece(const struct check_input *input)
{
    return input->unwritten_bytes > 0 ? judge_room_for(input, input->unwritten_bytes) : pass;
}

const struct check checks_all[] = {
    {"health", CHECK_HEADERS, false, judge_health},
    {"path", CHECK_HEADERS, false, judge_path},
    {"method", CHECK_HEADERS, false, judge_method},
    {"token's form", CHECK_HEADERS, false, judge_token_form},
    {"size", CHECK_HEADERS, true, judge_size},
    {"age", CHECK_HEADERS, true, judge_age},
    {"room", CHECK_HEADERS, true, judge_room},
    {"growth", CHECK_PIECE, true, judge_growth},
    {"room for a piece", CHECK_PIECE, true, judge_room_for_piece},
    {.name = NULL},
};

struct verdict checks_judge(const struct check *checks, enum check_stage stage, bool needs_token,
                            const struct check_input *input)
{
    for (const struct check *check = checks; check->name; check++) {
        if (check->stage != stage || check->needs_token != needs_token)
            continue;
        struct verdict verdict = check->judge(input);
        if (verdict.kind != VERDICT_PASS)
            return verdict;
    }
    return pass;
}
