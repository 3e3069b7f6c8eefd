/* The instance of the admin API: its two listeners, and what its requests share. Created and freed
 * by admin.c on the main thread; read and written by the threads of all requests. */
#ifndef WEBHOOKD_ADMIN_INSTANCE_H
#define WEBHOOKD_ADMIN_INSTANCE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/readers.h"
#include "admin/sign_in_limit.h"
#include "admin/socket.h"

struct admin_listener {
    struct admin *admin;
    bool over_tcp;
    int listen_fd;                      /* -1: switched off, or owned by the server */
    char address[HTTP_ADDRESS_BYTES];   /* "": switched off */
    struct http_server *_Atomic server; /* set while the other listener may serve already */
};

struct admin {
    struct admin_options options; /* as given; config and key are the fields below */
    int64_t started_monotonic_ms;
    struct readers *readers;
    struct admin_listener tcp, local;
    struct socket_file socket_file;
    atomic_bool stopping;
    atomic_bool makes_backup;
    struct sign_in_limit *sign_in_limit;
    atomic_int streams; /* open streams of events: each holds a connection */
    /* Revoked API keys and sign-outs since the start: streams look whether theirs is among them. */
    atomic_uint revocations;
    _Atomic int64_t held_bytes; /* of request bodies in memory, all requests together */

    pthread_mutex_t config_lock; /* guards config */
    struct config *config;

    pthread_mutex_t key_lock; /* guards the following */
    struct secret_key key;
    bool key_is_proven; /* it has opened a stored webhook */
};

/* A snapshot for the length of a request; config_release it. Any thread. */
struct config *admin_hold_config(struct admin *admin);

#endif
