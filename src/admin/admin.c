/* Starts and stops the admin API: the TCP listener, the admin socket and the state that they share.
 * Replaces the configuration at a reload. Called by webhookd/daemon.c (its table of layers, and its
 * reload) on the main thread. */
#include "admin/admin.h"

#include <stdlib.h>
#include <unistd.h>

#include "admin/instance.h"
#include "admin/public.h"
#include "admin/seal.h"
#include "admin/service.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

/* Each connection has a thread. Strangers on TCP cannot use up the socket's share. */
#define KNOWN_SHARE       4 /* a quarter is reserved for callers with a key or a session */
#define PEER_SHARE        2 /* half is the most for one address without a key or a session */
#define HEADER_TIMEOUT_MS 10000
#define BODY_TIMEOUT_MS   300000 /* a large upload takes a while */
#define IDLE_TIMEOUT_MS   300000 /* also bounds the sending of a large download */

/* Opens both sockets. Neither is served before both are open, so the addresses never change while a
 * request reads them. */
static int open_sockets(struct admin *admin, struct error *error)
{
    const struct config *config = admin->config;
    if (config->admin.socket[0] != '\0') {
        admin->local.listen_fd =
            socket_open(config->admin.socket, config->admin.socket_group, error);
        if (admin->local.listen_fd < 0)
            return -1;
        http_listen_address(admin->local.listen_fd, admin->local.address);
        http_socket_file_note(admin->local.listen_fd, &admin->local.file);
    }
    if (config->admin.listen[0] != '\0') {
        admin->tcp.listen_fd = http_listen(config->admin.listen, error);
        if (admin->tcp.listen_fd < 0) {
            error_context(error, "admin.listen");
            return -1;
        }
        http_listen_address(admin->tcp.listen_fd, admin->tcp.address);
        http_socket_file_note(admin->tcp.listen_fd, &admin->tcp.file);
    }
    return 0;
}

static int listener_start(struct admin_listener *listener, const char *name, struct error *error)
{
    if (listener->listen_fd < 0)
        return 0;
    struct http_options options = {
        .name = name,
        .listen_fd = listener->listen_fd,
        .workers = 0,
        .max_connections = listener->admin->config->admin.max_connections,
        .reserved_for_known = listener->admin->config->admin.max_connections / KNOWN_SHARE,
        .max_unknown_of_peer = listener->admin->config->admin.max_connections / PEER_SHARE,
        .knows_early = true,
        .header_timeout_ms = HEADER_TIMEOUT_MS,
        .body_timeout_ms = BODY_TIMEOUT_MS,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
        .service = &admin_service,
        .context = listener,
    };
    listener->listen_fd = -1; /* the server owns it, even if it does not start */
    struct http_server *server = http_server_start(&options, error);
    atomic_store(&listener->server, server);
    return server ? 0 : -1;
}

static void listener_close_unused(struct admin_listener *listener)
{
    if (listener->listen_fd >= 0)
        close(listener->listen_fd);
    listener->listen_fd = -1;
}

static void examine_fleet_sections(struct admin *admin)
{
    struct error error = ERROR_INIT;
    struct store *store = readers_take(admin->readers, &error);
    if (!store) {
        log_warning("fleet sections not examined", log_why(&error));
        return;
    }
    fleet_sections_examine(admin->fleet_sections, store);
    readers_give(admin->readers, store, false);
}

static int start_public(struct admin *admin, struct error *error)
{
    if (!admin->config->hooks.api)
        return 0;
    admin->public = public_start(&admin->outside, error);
    return admin->public ? 0 : -1;
}

const struct http_mount *admin_public_mount(const struct admin *admin)
{
    return admin->public ? public_mount(admin->public) : NULL;
}

struct admin *admin_start(const struct admin_options *options, struct error *error)
{
    struct admin *admin = memory_alloc(sizeof(*admin));
    admin->options = *options;
    admin->options.config = NULL;
    admin->started_monotonic_ms = clock_monotonic_ms();
    admin->config = config_hold(options->config);
    pthread_mutex_init(&admin->config_lock, NULL);
    pthread_mutex_init(&admin->key_lock, NULL);
    admin->readers = readers_new(&options->store);
    admin->sign_in_limit = sign_in_limit_new();
    admin->tcp = (struct admin_listener){.admin = admin, .over_tcp = true, .listen_fd = -1};
    admin->local = (struct admin_listener){.admin = admin, .over_tcp = false, .listen_fd = -1};
    admin->outside = (struct admin_listener){
        .admin = admin, .over_tcp = true, .is_public = true, .listen_fd = -1};
    admin->fleet_sections = fleet_sections_new(options->config);
    examine_fleet_sections(admin);
    seal_renew(admin);
    if (start_public(admin, error) != 0 || open_sockets(admin, error) != 0 ||
        listener_start(&admin->local, "admin-socket", error) != 0 ||
        listener_start(&admin->tcp, "admin", error) != 0) {
        admin_stop(admin, 0);
        return NULL;
    }
    if (admin->local.address[0] != '\0' || admin->tcp.address[0] != '\0')
        log_info(
            "admin API is open",
            log_text("socket", admin->local.file.path[0] != '\0' ? admin->local.file.path : NULL),
            log_text("listen", admin->tcp.address[0] != '\0' ? admin->tcp.address : NULL));
    return admin;
}

void admin_quiesce(struct admin *admin)
{
    atomic_store(&admin->stopping, true);
    if (admin->tcp.server)
        http_server_quiesce(admin->tcp.server);
    if (admin->local.server)
        http_server_quiesce(admin->local.server);
}

int admin_stop(struct admin *admin, int64_t timeout_ms)
{
    if (!admin)
        return 0;
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    admin_quiesce(admin);
    http_socket_file_remove(&admin->local.file);
    http_socket_file_remove(&admin->tcp.file);
    listener_close_unused(&admin->tcp);
    listener_close_unused(&admin->local);
    int stopped = http_server_stop(admin->tcp.server, timeout_ms);
    int64_t left_ms = deadline_ms - clock_monotonic_ms();
    if (http_server_stop(admin->local.server, left_ms > 0 ? left_ms : 0) != 0 || stopped != 0)
        return -1;
    public_stop(admin->public);
    /* Freed after both have stopped: a request on one may read the metrics of the other. */
    http_server_free(admin->tcp.server);
    http_server_free(admin->local.server);
    readers_free(admin->readers);
    sign_in_limit_free(admin->sign_in_limit);
    fleet_sections_free(admin->fleet_sections);
    config_release(admin->config);
    pthread_mutex_destroy(&admin->config_lock);
    pthread_mutex_destroy(&admin->key_lock);
    free(admin);
    return 0;
}

struct config *admin_hold_config(struct admin *admin)
{
    pthread_mutex_lock(&admin->config_lock);
    struct config *config = config_hold(admin->config);
    pthread_mutex_unlock(&admin->config_lock);
    return config;
}

void admin_reconfigure(struct admin *admin, struct config *fresh)
{
    pthread_mutex_lock(&admin->config_lock);
    struct config *old = admin->config;
    admin->config = config_hold(fresh);
    pthread_mutex_unlock(&admin->config_lock);
    config_release(old);
}
