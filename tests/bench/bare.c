/* The reference for webhookd's throughput: libmicrohttpd with the settings of src/http/server.c and
 * nothing behind it. It reads the same request and returns a constant envelope; nothing is durable.
 * It prints its port and runs until its standard input ends. */
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define UUID "019b0e6c-5b1e-7c3a-9d52-3f7f0d8a4b11"
#define ENVELOPE                                                                                   \
    "{\"request\":{\"id\":\"" UUID "\"},\"data\":{\"fleet_id\":\"" UUID                            \
    "\",\"project_id\":\"" UUID "\",\"org_id\":\"" UUID "\",\"fleet_run_id\":\"" UUID "\"}}"
#define POOL_BYTES (24 * 1024)

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_bytes, void **request)
{
    (void)context, (void)url, (void)method, (void)version, (void)upload_data;
    static char begun;
    if (!*request || *upload_bytes > 0) {
        *request = &begun;
        *upload_bytes = 0;
        return MHD_YES;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(ENVELOPE), (void *)(uintptr_t)ENVELOPE, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    MHD_add_response_header(response, "X-Request-Id", UUID);
    enum MHD_Result queued = MHD_queue_response(mhd, MHD_HTTP_CREATED, response);
    MHD_destroy_response(response);
    return queued;
}

/* libmicrohttpd 0.9.75 fetches 128 events at a time. After a full fetch it waits for more before it
 * handles those it has, so with a multiple of 128 senders all would wait forever. This definition
 * takes precedence over the C library's. */
int epoll_wait(int fd, struct epoll_event *events, int capacity, int timeout_ms)
{
    static _Thread_local int was_full;
    int count = epoll_pwait(fd, events, capacity, was_full ? 0 : timeout_ms, NULL);
    was_full = count == capacity;
    return count;
}

int main(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN); /* as src/hooks/hooks.c */
    unsigned workers = cores <= 2 ? 1 : cores > 8 ? 4 : (unsigned)cores / 2;
    struct MHD_OptionItem pool[] = {
        {workers > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)workers, NULL},
        {MHD_OPTION_END, 0, NULL}};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        on_request, NULL, MHD_OPTION_CONNECTION_LIMIT, 10000U, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)POOL_BYTES, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
    if (!daemon)
        return 1;
    printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    MHD_stop_daemon(daemon);
    return 0;
}
