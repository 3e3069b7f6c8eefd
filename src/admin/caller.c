/* See caller.h. On admin workers' threads. */
#include "admin/caller.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/change.h"
#include "admin/request.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "store/keys.h"

#define TOUCH_KEY_MS     60000
#define TOUCH_SESSION_MS (5 * 60000)

/* ---- the last use of a key or a session: stored without waiting, and lost on failure ---- */

struct touch {
    struct change change;
    struct id key_id;
    uint8_t session[SECRET_HASH_BYTES];
};

static int apply_touch_key(struct change *change, struct store *store, struct error *error)
{
    const struct touch *touch = CONTAINER_OF(change, struct touch, change);
    return store_touch_key(store, &touch->key_id, change->now_ms, error);
}

static int apply_touch_session(struct change *change, struct store *store, struct error *error)
{
    const struct touch *touch = CONTAINER_OF(change, struct touch, change);
    return store_touch_session(store, touch->session, change->now_ms, error);
}

static void touch_done(struct change *change, const struct error *error)
{
    (void)error; /* revoked meanwhile, or no room: the next use is stored */
    free(CONTAINER_OF(change, struct touch, change));
}

static const struct change_kind touch_key_kind = {.apply = apply_touch_key, .done = touch_done};
static const struct change_kind touch_session_kind = {.apply = apply_touch_session,
                                                      .done = touch_done};

static void note_use(struct admin *admin, const struct change_kind *kind,
                     const struct caller_ticket *ticket)
{
    struct touch *touch = memory_alloc(sizeof(*touch));
    touch->change.kind = kind;
    touch->key_id = ticket->key_id;
    memcpy(touch->session, ticket->session, sizeof(touch->session));
    change_post(admin->options.queue, &touch->change);
}

/* ---- on the socket ---- */

void caller_of_socket(const struct http_exchange *exchange, struct caller *caller)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    uid_t uid;
    caller->source[0] = '\0';
    caller->role = ROLE_OWNER;
    caller->ticket = (struct caller_ticket){.has_key = false};
    if (http_peer_user(exchange, &uid) != 0)
        snprintf(caller->who, sizeof(caller->who), "user unknown");
    else if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
        snprintf(caller->who, sizeof(caller->who), "user %.200s", found->pw_name);
    else
        snprintf(caller->who, sizeof(caller->who), "user %u", (unsigned)uid);
}

/* ---- over TCP ---- */

/* Returns the key after "Bearer ", or NULL. The word "Bearer" may be in upper or lower case (RFC
 * 9110 11.1, RFC 6750 2.1). */
static const char *bearer_key(struct http_exchange *exchange)
{
    static const char scheme[] = "Bearer ";
    const char *value = http_header(exchange, "Authorization");
    if (!value || strncasecmp(value, scheme, strlen(scheme)) != 0)
        return NULL;
    value += strlen(scheme);
    return value + strspn(value, " ");
}

/* A caller, with what else the store knows about the key. */
struct find_caller {
    struct caller found;
    struct api_key_life life;
    int64_t last_used_ms; /* the key */
};

static int keep_key(void *context, const struct key_row *row)
{
    struct find_caller *find = context;
    struct caller *found = &find->found;
    found->ticket.has_key = true;
    found->ticket.key_id = row->id;
    found->role = row->role;
    found->binding = row->binding;
    find->life = row->life;
    find->last_used_ms = row->last_used_ms;
    snprintf(found->who, sizeof(found->who), "key %s", row->name);
    return 0;
}

/* Says why the key cannot be used now. Only somebody who has the whole key learns it. */
static int check_age(const struct api_key_life *life, int64_t now_ms, struct error *error)
{
    char text[CLOCK_TEXT_BYTES];
    switch (api_key_age_at(life, now_ms)) {
    case API_KEY_VALID:
        return 0;
    case API_KEY_EXPIRED:
        return error_set(error, ERROR_INVALID, "this API key expired at %s: use another one",
                         clock_format_s(life->expires_ms, text));
    case API_KEY_UNCERTAIN:
        break;
    }
    return error_set(error, ERROR_INVALID,
                     "webhookd's clock is before %s, when this API key was created, so it cannot "
                     "tell whether the key has expired: set the clock",
                     clock_format_s(life->created_ms, text));
}

/* Makes the caller that was found at now_ms the caller. */
static void let_in(const struct find_caller *find, int64_t now_ms, struct caller *caller)
{
    *caller = find->found;
    caller->ticket.expires_ms = find->life.expires_ms;
    if (find->life.expires_ms != 0)
        caller->ticket.expires_monotonic_ms =
            clock_monotonic_ms() + (find->life.expires_ms - now_ms);
}

static int look_up(struct admin_request *request, const char *key, struct caller *caller,
                   struct error *error)
{
    uint8_t hash[SECRET_HASH_BYTES];
    struct find_caller find = {.found = *caller};
    int64_t now_ms = clock_wall_ms();
    struct store *store = request_store(request, error);
    if (!store)
        return -1;
    find.found.ticket.seen = atomic_load(&request->admin->revocations); /* before the look-up */
    secret_hash(key, SECRET_TOKEN_CHARS, hash);
    if (store_find_key(store, hash, keep_key, &find, error) != 0 ||
        check_age(&find.life, now_ms, error) != 0)
        return -1;
    let_in(&find, now_ms, caller);
    if (now_ms - find.last_used_ms >= TOUCH_KEY_MS)
        note_use(request->admin, &touch_key_kind, &caller->ticket);
    return 0;
}

/* Says why no key was found. Only somebody who has the whole key learns that it existed. */
static int no_such_key(struct admin_request *request, const char *key, struct error *error)
{
    uint8_t hash[SECRET_HASH_BYTES];
    struct error ignored = ERROR_INIT;
    int64_t revoked_ms = 0;
    char text[CLOCK_TEXT_BYTES];
    struct store *store = request_store(request, error);
    if (!store)
        return -1;
    secret_hash(key, SECRET_TOKEN_CHARS, hash);
    if (store_find_revoked_key(store, hash, &revoked_ms, &ignored) != 0)
        return error_set(error, ERROR_INVALID, "the API key is invalid or was revoked");
    clock_format_ms(revoked_ms, text);
    return error_set(error, ERROR_INVALID, "this API key was revoked on %.10s", text);
}

static int check_form(const char *key, struct error *error)
{
    if (secret_token_is_well_formed(key, strlen(key)))
        return error_set(error, ERROR_INVALID,
                         "this is a webhook's token, not an API key: API keys begin with wha_");
    if (!secret_api_key_is_well_formed(key, strlen(key)))
        return error_set(error, ERROR_INVALID, "not an API key: truncated or mistyped");
    return 0;
}

int caller_by_key(struct admin_request *request, const char *key, struct caller *caller,
                  struct error *error)
{
    struct error why = ERROR_INIT;
    request_peer(request, caller->source);
    if (check_form(key, error) != 0)
        return -1;
    if (look_up(request, key, caller, &why) == 0)
        return 0;
    if (why.kind == ERROR_NOT_FOUND)
        return no_such_key(request, key, error);
    return error_set(error, why.kind, "%s", why.message);
}

/* ---- by session ---- */

#define COOKIE SECRET_SESSION_COOKIE

void caller_set_cookie(struct http_exchange *exchange, const char *token)
{
    const char *proto = http_header(exchange, "X-Forwarded-Proto");
    bool is_secure = proto && strcasecmp(proto, "https") == 0;
    long long max_age_s = token[0] != '\0' ? CALLER_IDLE_MS / 1000 : 0;
    char *cookie = memory_format(COOKIE "=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
                                 token, max_age_s, is_secure ? "; Secure" : "");
    http_add_header(exchange, "Set-Cookie", cookie);
    secret_wipe(cookie, strlen(cookie));
    free(cookie);
}

/* Copies the token from the session's cookie, or "" if there is none. */
static void read_cookie(struct http_exchange *exchange, char token[CALLER_TOKEN_CHARS + 1])
{
    static const char name[] = COOKIE "=";
    const char *at = http_header(exchange, "Cookie");
    token[0] = '\0';
    while (at && *at != '\0') {
        at += strspn(at, "; ");
        size_t chars = strcspn(at, ";");
        if (strncmp(at, name, strlen(name)) == 0 && chars - strlen(name) == CALLER_TOKEN_CHARS)
            snprintf(token, CALLER_TOKEN_CHARS + 1, "%s", at + strlen(name));
        at += chars;
    }
}

static int keep_session(void *context, const struct session_row *row)
{
    struct find_caller *find = context;
    struct caller *found = &find->found;
    found->seen_ms = row->seen_ms;
    found->role = ROLE_OWNER; /* keys with other roles have no sessions */
    found->ticket.has_key = found->ticket.has_session = true;
    found->ticket.key_id = row->key_id;
    find->life = row->key_life;
    snprintf(found->who, sizeof(found->who), "key %s", row->key_name);
    return 0;
}

static struct session_time time_now(void)
{
    return (struct session_time){clock_wall_ms(), CALLER_IDLE_MS};
}

static int by_session(struct admin_request *request, struct caller *caller, struct error *error)
{
    char token[CALLER_TOKEN_CHARS + 1];
    struct find_caller find = {.found = *caller};
    const struct session_time now = time_now();
    read_cookie(request->exchange, token);
    if (token[0] == '\0')
        return error_set(error, ERROR_NOT_FOUND, "there is no session");
    uint8_t *hash = find.found.ticket.session;
    find.found.ticket.seen = atomic_load(&request->admin->revocations); /* before the look-up */
    secret_hash(token, CALLER_TOKEN_CHARS, hash);
    secret_wipe(token, sizeof(token));
    struct store *store = request_store(request, error);
    if (!store || store_find_session(store, hash, &now, keep_session, &find, error) != 0 ||
        check_age(&find.life, now.now_ms, error) != 0)
        return -1;
    let_in(&find, now.now_ms, caller);
    return 0;
}

void caller_prolong(struct admin_request *request)
{
    char token[CALLER_TOKEN_CHARS + 1];
    const struct caller *caller = &request->caller;
    int64_t now_ms = clock_wall_ms();
    if (!caller->ticket.has_session || llabs(now_ms - caller->seen_ms) < TOUCH_SESSION_MS)
        return;
    read_cookie(request->exchange, token);
    note_use(request->admin, &touch_session_kind, &caller->ticket);
    note_use(request->admin, &touch_key_kind, &caller->ticket);
    caller_set_cookie(request->exchange, token);
    secret_wipe(token, sizeof(token));
}

/* Returns the key that comes with the request, or NULL. */
static const char *key_of(struct admin_request *request)
{
    const char *key = bearer_key(request->exchange);
    if (!key && request->call && request->call->takes_reference_key)
        key = http_header(request->exchange, "X-Shipyard-API-Key");
    return key;
}

static int no_key(struct error *error)
{
    return error_set(error, ERROR_INVALID,
                     "an API key is required, as \"Authorization: Bearer KEY\" (webhookctl key "
                     "create NAME creates one)");
}

int caller_check_form(struct admin_request *request, struct error *error)
{
    const char *key = key_of(request);
    return key ? check_form(key, error) : no_key(error);
}

int caller_of_tcp(struct admin_request *request, struct caller *caller, struct error *error)
{
    struct error why = ERROR_INIT;
    const char *key = key_of(request);
    if (key)
        return caller_by_key(request, key, caller, error);
    request_peer(request, caller->source);
    if (request->is_public)
        return no_key(error);
    if (by_session(request, caller, &why) == 0)
        return 0;
    if (why.kind != ERROR_NOT_FOUND)
        return error_set(error, why.kind, "%s", why.message);
    return no_key(error);
}

/* A browser reports where a request comes from: always in Sec-Fetch-Site (Fetch Metadata), and in
 * Origin if the request may change something. */
bool caller_is_foreign(struct http_exchange *exchange, bool has_session)
{
    const char *origin = http_header(exchange, "Origin"), *host = http_host(exchange);
    const char *site = http_header(exchange, "Sec-Fetch-Site");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return true;
    if (origin) {
        const char *authority = strstr(origin, "://");
        return !authority || strcasecmp(authority + 3, host) != 0;
    }
    bool may_change =
        strcmp(http_method(exchange), "GET") != 0 && strcmp(http_method(exchange), "HEAD") != 0;
    return has_session && may_change && !site;
}

/* ---- later ---- */

struct look {
    const struct id *key_id;
    bool found;
};

static int match_key(void *context, const struct key_row *row)
{
    struct look *look = context;
    look->found = id_equal(&row->id, look->key_id);
    return look->found;
}

static int note_session(void *context, const struct session_row *row)
{
    (void)row;
    *(bool *)context = true;
    return 0;
}

/* Sets *is_in. Returns -1 if the store cannot be read. */
static int find_again(struct store *store, const struct caller_ticket *ticket, bool *is_in,
                      struct error *error)
{
    if (ticket->has_session) {
        const struct session_time now = time_now();
        int result = store_find_session(store, ticket->session, &now, note_session, is_in, error);
        return result != 0 && error->kind != ERROR_NOT_FOUND ? -1 : 0;
    }
    struct look look = {&ticket->key_id, false};
    int result = store_list_keys(store, match_key, &look, error);
    *is_in = look.found;
    return result;
}

static bool has_expired(const struct caller_ticket *ticket)
{
    return ticket->expires_ms != 0 && (clock_wall_ms() >= ticket->expires_ms ||
                                       clock_monotonic_ms() >= ticket->expires_monotonic_ms);
}

bool caller_is_let_in(struct admin *admin, struct caller_ticket *ticket)
{
    unsigned revocations = atomic_load(&admin->revocations);
    if (has_expired(ticket))
        return false;
    if (!ticket->has_key || ticket->seen == revocations)
        return true;
    struct error error = ERROR_INIT;
    struct store *store = readers_take(admin->readers, &error);
    bool is_in = false;
    if (!store)
        return false;
    int result = find_again(store, ticket, &is_in, &error);
    readers_give(admin->readers, store, result != 0);
    ticket->seen = revocations;
    return is_in;
}
