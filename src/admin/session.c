/* See session.h. What is kept of a token is its hash, so that a look at the memory of whoever compares it is of no use. Times are of the
 * monotonic clock. */
#include "admin/session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/secret.h"

#define MAX_SESSIONS 1024
#define MAX_ADDRESSES                                                                              \
    256 /* whose failures are counted; beyond them the one that failed longest ago is forgotten */
#define WINDOW_MS     60000
#define ADDRESS_BYTES 64

struct session {
    bool is_used;
    uint8_t hash[SECRET_HASH_BYTES];
    struct session_owner owner;
    int64_t seen_ms;
};

struct failures {
    char address[ADDRESS_BYTES]; /* "": free */
    int count;
    int64_t begun_ms; /* the window */
};

struct sessions {
    pthread_mutex_t lock; /* guards the following */
    uint64_t count;       /* so many have begun */
    struct session all[MAX_SESSIONS];
    struct failures failures[MAX_ADDRESSES];
};

struct sessions *sessions_new(void)
{
    struct sessions *sessions = memory_alloc(sizeof(*sessions));
    pthread_mutex_init(&sessions->lock, NULL);
    return sessions;
}

void sessions_free(struct sessions *sessions)
{
    if (!sessions)
        return;
    pthread_mutex_destroy(&sessions->lock);
    secret_wipe(sessions, sizeof(*sessions));
    free(sessions);
}

/* ---- sessions ---- */

static void mint(char token[SESSION_TOKEN_CHARS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[SESSION_TOKEN_CHARS];
    secret_random(bytes, sizeof(bytes));
    for (int i = 0; i < SESSION_TOKEN_CHARS; i++)
        token[i] = digits[bytes[i] % 64];
    token[SESSION_TOKEN_CHARS] = '\0';
    secret_wipe(bytes, sizeof(bytes));
}

static bool is_over(const struct session *session, int64_t now_ms)
{
    return !session->is_used || now_ms - session->seen_ms >= SESSION_IDLE_MS;
}

void sessions_begin(struct sessions *sessions, struct session_owner *owner, int64_t now_ms,
                    char token[SESSION_TOKEN_CHARS + 1])
{
    mint(token);
    pthread_mutex_lock(&sessions->lock);
    struct session *place = &sessions->all[0];
    for (int i = 1; i < MAX_SESSIONS && !is_over(place, now_ms); i++)
        if (is_over(&sessions->all[i], now_ms) || sessions->all[i].seen_ms < place->seen_ms)
            place = &sessions->all[i];
    owner->session = ++sessions->count;
    *place = (struct session){.is_used = true, .owner = *owner, .seen_ms = now_ms};
    secret_hash(token, SESSION_TOKEN_CHARS, place->hash);
    pthread_mutex_unlock(&sessions->lock);
}

/* The lock is held. NULL: there is none. */
static struct session *find(struct sessions *sessions, const char *token)
{
    uint8_t hash[SECRET_HASH_BYTES];
    if (strlen(token) != SESSION_TOKEN_CHARS)
        return NULL;
    secret_hash(token, SESSION_TOKEN_CHARS, hash);
    for (int i = 0; i < MAX_SESSIONS; i++)
        if (sessions->all[i].is_used && secret_equal(sessions->all[i].hash, hash, sizeof(hash)))
            return &sessions->all[i];
    return NULL;
}

bool sessions_find(struct sessions *sessions, const char *token, int64_t now_ms,
                   struct session_owner *owner)
{
    pthread_mutex_lock(&sessions->lock);
    struct session *session = find(sessions, token);
    bool found = session && !is_over(session, now_ms);
    if (found) {
        session->seen_ms = now_ms;
        *owner = session->owner;
    }
    pthread_mutex_unlock(&sessions->lock);
    return found;
}

bool sessions_is_open(struct sessions *sessions, uint64_t session, int64_t now_ms)
{
    bool is_open = false;
    pthread_mutex_lock(&sessions->lock);
    for (int i = 0; i < MAX_SESSIONS && !is_open; i++)
        is_open = sessions->all[i].owner.session == session && !is_over(&sessions->all[i], now_ms);
    pthread_mutex_unlock(&sessions->lock);
    return is_open;
}

void sessions_end(struct sessions *sessions, const char *token)
{
    pthread_mutex_lock(&sessions->lock);
    struct session *session = find(sessions, token);
    if (session)
        *session = (struct session){.is_used = false};
    pthread_mutex_unlock(&sessions->lock);
}

void sessions_end_of_key(struct sessions *sessions, const struct id *key_id)
{
    pthread_mutex_lock(&sessions->lock);
    for (int i = 0; i < MAX_SESSIONS; i++)
        if (sessions->all[i].is_used && id_equal(&sessions->all[i].owner.key_id, key_id))
            sessions->all[i] = (struct session){.is_used = false};
    pthread_mutex_unlock(&sessions->lock);
}

/* ---- failures ---- */

/* The lock is held. The address's place; with `take` a new one if it has none, else NULL. */
static struct failures *failures_of(struct sessions *sessions, const char *address, bool take)
{
    struct failures *oldest = &sessions->failures[0];
    for (int i = 0; i < MAX_ADDRESSES; i++) {
        struct failures *one = &sessions->failures[i];
        if (strncmp(one->address, address, ADDRESS_BYTES - 1) == 0)
            return one;
        if (one->address[0] == '\0'
                ? oldest->address[0] != '\0'
                : oldest->address[0] != '\0' && one->begun_ms < oldest->begun_ms)
            oldest = one;
    }
    if (!take)
        return NULL;
    *oldest = (struct failures){.count = 0};
    snprintf(oldest->address, sizeof(oldest->address), "%s", address);
    return oldest;
}

bool sessions_may_try(struct sessions *sessions, const char *address, int64_t now_ms)
{
    pthread_mutex_lock(&sessions->lock);
    const struct failures *failures = failures_of(sessions, address, false);
    bool may =
        !failures || now_ms - failures->begun_ms >= WINDOW_MS || failures->count < SESSION_FAILURES;
    pthread_mutex_unlock(&sessions->lock);
    return may;
}

void sessions_failed(struct sessions *sessions, const char *address, int64_t now_ms)
{
    pthread_mutex_lock(&sessions->lock);
    struct failures *failures = failures_of(sessions, address, true);
    if (failures->count == 0 || now_ms - failures->begun_ms >= WINDOW_MS) {
        failures->begun_ms = now_ms;
        failures->count = 0;
    }
    failures->count++;
    pthread_mutex_unlock(&sessions->lock);
}
