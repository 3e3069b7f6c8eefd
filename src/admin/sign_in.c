/* Signing in to the console with an API key, and out again. On admin workers' threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/calls.h"
#include "admin/render.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"

/* HttpOnly and SameSite=Strict: no script and no other site has it. Secure where the browser came by TLS, which a proxy before us says. */
static void set_cookie(struct admin_request *request, const char *token, int64_t max_age_s)
{
    const char *proto = http_header(request->exchange, "X-Forwarded-Proto");
    bool is_secure = proto && strcasecmp(proto, "https") == 0;
    char *cookie =
        memory_format(CALLER_COOKIE "=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s", token,
                      (long long)max_age_s, is_secure ? "; Secure" : "");
    http_add_header(request->exchange, "Set-Cookie", cookie);
    secret_wipe(cookie, strlen(cookie));
    free(cookie);
}

static json_t *session_object(const struct caller *caller)
{
    return render_one("key_name", render_text(caller->who + strlen("key ")));
}

/* A good key is never held up: behind a proxy all people have one address. */
static int refuse(struct admin_request *request, const char *source, struct error *error)
{
    if (error->kind != ERROR_INVALID)
        return -1;
    int64_t now_ms = clock_monotonic_ms();
    if (!sessions_may_try(request->admin->sessions, source, now_ms)) {
        error_clear(error);
        request->answer.status = 429;
        return error_set(error, ERROR_UNAVAILABLE,
                         "that was wrong, and there were too many attempts: wait a minute");
    }
    sessions_failed(request->admin->sessions, source, now_ms);
    log_info("sign-in refused", log_text("from", source),
             log_id("request", http_request_id(request->exchange)), log_why(error));
    request->answer.status = 401;
    free(request->answer.field);
    request->answer.field = memory_string("key");
    return -1;
}

int call_sign_in(struct admin_request *request, struct error *error)
{
    struct admin *admin = request->admin;
    struct caller *caller = &request->caller;
    char token[SESSION_TOKEN_CHARS + 1], source[HTTP_PEER_BYTES];
    http_peer(request->exchange, source);
    char *key = request_body_text(request, "key", error);
    if (!key)
        return -1;
    int result = caller_by_key(request, key, caller, error);
    secret_wipe(key, strlen(key));
    free(key);
    if (result != 0)
        return refuse(request, source, error);
    struct session_owner owner = {.key_id = caller->ticket.key_id};
    snprintf(owner.key_name, sizeof(owner.key_name), "%s", caller->who + strlen("key "));
    sessions_begin(admin->sessions, &owner, clock_monotonic_ms(), token);
    caller->ticket.session = owner.session;
    if (!caller_is_let_in(admin, &caller->ticket)) { /* revoked since it was looked up */
        sessions_end(admin->sessions, token);
        error_set(error, ERROR_INVALID, "the API key is not valid, or was revoked");
        return refuse(request, source, error);
    }
    set_cookie(request, token, SESSION_IDLE_MS / 1000);
    secret_wipe(token, sizeof(token));
    log_info("signed in", log_text("who", caller->who), log_text("from", source),
             log_id("request", http_request_id(request->exchange)));
    request_answer_data(request, 201, session_object(caller));
    return 0;
}

int call_get_session(struct admin_request *request, struct error *error)
{
    if (!request->caller.has_session)
        return error_set(error, ERROR_NOT_FOUND, "this call came without a session");
    request_answer_data(request, 200, session_object(&request->caller));
    return 0;
}

int call_sign_out(struct admin_request *request, struct error *error)
{
    (void)error;
    char token[SESSION_TOKEN_CHARS + 1];
    caller_cookie(request->exchange, token);
    sessions_end(request->admin->sessions, token);
    secret_wipe(token, sizeof(token));
    atomic_fetch_add(&request->admin->revocations, 1);
    set_cookie(request, "", 0);
    log_info("signed out", log_text("who", request->caller.who),
             log_id("request", http_request_id(request->exchange)));
    return 0;
}
