/* The instance of the admin API: its two listeners, and the state that its requests share. admin.c
 * creates and frees it on the main thread; the threads of all requests read and write it. */
#ifndef WEBHOOKD_ADMIN_INSTANCE_H
#define WEBHOOKD_ADMIN_INSTANCE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/fleet_sections.h"
#include "admin/readers.h"
#include "admin/sign_in_limit.h"
#include "admin/socket.h"

struct admin_listener {
    struct admin *admin;
    bool over_tcp;
    bool is_public;                   /* the listener of hooks/, of which public.c serves a part */
    int listen_fd;                    /* -1: disabled, or owned by the server */
    char address[HTTP_ADDRESS_BYTES]; /* "": disabled */
    struct http_socket_file file;     /* of a unix socket */
    struct http_server *_Atomic server; /* atomic: the other listener may already serve requests */
};

struct admin {
    struct admin_options options; /* as given, except config: see below */
    int64_t started_monotonic_ms;
    struct readers *readers;
    struct admin_listener tcp, local, outside;
    struct public *public; /* of `outside`; NULL without hooks.api */
    atomic_bool stopping;
    atomic_bool makes_backup;
    struct sign_in_limit *sign_in_limit;
    struct fleet_sections *fleet_sections;
    atomic_int streams; /* open event streams; each holds a connection */
    /* The number of revoked API keys and sign-outs since the start. When it changes, streams check
     * whether their own key or session still exists. */
    atomic_uint revocations;
    _Atomic int64_t held_bytes; /* of request bodies in memory, all requests together */

    pthread_mutex_t config_lock; /* guards config */
    struct config *config;

    pthread_mutex_t key_lock; /* held while secret.key is used or created; guards the following */
    bool key_is_unusable;     /* as logged last */
};

/* Returns a snapshot for the duration of a request, which the caller releases with config_release.
 * Any thread. */
struct config *admin_hold_config(struct admin *admin);

#endif
