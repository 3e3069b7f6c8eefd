/* Handlers of the console's sign-in with an API key, and of the sign-out. On admin workers'
 * threads. */
#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "admin/render.h"
#include "admin/role.h"
#include "admin/routes.h"
#include "admin/sign_in_limit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "http/log.h"
#include "store/keys.h"

static json_t *session_object(const struct caller *caller)
{
    return render_one("key_name", render_text(caller->who + strlen("key ")));
}

/* Limits only invalid keys. A valid key is never delayed: behind a proxy all people have the same
 * address. */
static int refuse(struct admin_request *request, const char *source, struct error *error)
{
    if (error->kind != ERROR_INVALID)
        return -1;
    int64_t now_ms = clock_monotonic_ms();
    char network[HTTP_PEER_BYTES];
    http_peer_network(request->exchange, network);
    if (!sign_in_limit_allows(request->admin->sign_in_limit, network, now_ms)) {
        error_clear(error);
        request->answer.status = 429;
        return error_set(error, ERROR_UNAVAILABLE,
                         "the key is invalid, and too many sign-ins have failed: wait a minute");
    }
    sign_in_limit_failed(request->admin->sign_in_limit, network, now_ms);
    http_log_info(request->exchange, "sign-in refused", http_log_from(source),
                  log_text("reason", error->message));
    request->answer.status = 401;
    free(request->answer.field);
    request->answer.field = memory_string("key");
    return -1;
}

static void mint(char token[CALLER_TOKEN_CHARS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[CALLER_TOKEN_CHARS];
    secret_random(bytes, sizeof(bytes));
    for (int i = 0; i < CALLER_TOKEN_CHARS; i++)
        token[i] = digits[bytes[i] % 64];
    token[CALLER_TOKEN_CHARS] = '\0';
    secret_wipe(bytes, sizeof(bytes));
}

/* Sessions are not audited, but each change made in a session is. */
struct session_change {
    struct change change;
    uint8_t hash[SECRET_HASH_BYTES];
    struct id key_id;
};

static int apply_begin_session(struct change *change, struct store *store, struct error *error)
{
    const struct session_change *session = CONTAINER_OF(change, struct session_change, change);
    const struct session_time now = {change->now_ms, CALLER_IDLE_MS};
    return store_begin_session(store, session->hash, &session->key_id, &now, error);
}

static int apply_end_session(struct change *change, struct store *store, struct error *error)
{
    const struct session_change *session = CONTAINER_OF(change, struct session_change, change);
    return store_end_session(store, session->hash, error);
}

static const struct change_kind begin_session_kind = {.apply = apply_begin_session};
static const struct change_kind end_session_kind = {.apply = apply_end_session};

/* The session is on disk before the cookie is sent, so that a restart does not sign anyone out. */
static int begin_session(struct admin_request *request, const struct id *key_id,
                         struct error *error)
{
    char token[CALLER_TOKEN_CHARS + 1];
    struct session_change session = {.change.kind = &begin_session_kind, .key_id = *key_id};
    struct error why = ERROR_INIT;
    mint(token);
    secret_hash(token, CALLER_TOKEN_CHARS, session.hash);
    int result = change_commit(request, &session.change, &why);
    if (result == 0)
        caller_set_cookie(request->exchange, token);
    else if (why.kind == ERROR_NOT_FOUND)
        error_set(error, ERROR_INVALID, "the API key is invalid or was revoked");
    else
        error_set(error, why.kind, "%s", why.message);
    secret_wipe(token, sizeof(token));
    return result;
}

int sign_in_begin(struct admin_request *request, struct error *error)
{
    struct caller *caller = &request->caller;
    char source[HTTP_PEER_BYTES];
    http_peer(request->exchange, source);
    char *key = request_body_text(request, "key", error);
    if (!key)
        return -1;
    int result = caller_by_key(request, key, caller, error);
    secret_wipe(key, strlen(key));
    free(key);
    if (result == 0 && role_check_sign_in(request, error) != 0) {
        http_log_info(request->exchange, "sign-in refused", http_log_from(source),
                      log_text("who", caller->who), log_text("reason", error->message));
        return -1;
    }
    if (result != 0 || begin_session(request, &caller->ticket.key_id, error) != 0)
        return refuse(request, source, error);
    http_log_info(request->exchange, "signed in", log_text("who", caller->who),
                  http_log_from(source));
    request_answer_data(request, 201, session_object(caller));
    return 0;
}

int sign_in_get(struct admin_request *request, struct error *error)
{
    if (!request->caller.ticket.has_session)
        return error_set(error, ERROR_NOT_FOUND, "this request has no session");
    request_answer_data(request, 200, session_object(&request->caller));
    return 0;
}

/* The end of the session is on disk before the answer is sent, so that no restart brings the
 * session back. After an error the person still has the cookie and can try again. */
int sign_in_end(struct admin_request *request, struct error *error)
{
    const struct caller_ticket *ticket = &request->caller.ticket;
    struct session_change session = {.change.kind = &end_session_kind};
    memcpy(session.hash, ticket->session, sizeof(session.hash));
    if (ticket->has_session && change_commit(request, &session.change, error) != 0)
        return -1;
    caller_set_cookie(request->exchange, "");
    atomic_fetch_add(&request->admin->revocations, 1);
    http_log_info(request->exchange, "signed out", log_text("who", request->caller.who));
    return 0;
}
