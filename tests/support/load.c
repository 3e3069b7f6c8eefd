#include "support/load.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "support/daemon.h"

#define LOOK_EVERY_MS  20
#define GIVE_UP_MS     30000
#define SMALL_BYTES    2000   /* small bodies have fewer */
#define LARGE_BYTES    65537  /* large bodies have at least this many */
#define LARGE_SPREAD   131072 /* and fewer than this many more */
#define ANSWER_BYTES   4096
#define EVENTS_AT_ONCE 64

enum sender_state {
    SENDER_PAUSED,  /* until due_ms */
    SENDER_SENDING, /* a response may already arrive */
    SENDER_WAITING, /* for the response */
    SENDER_DONE,    /* the server has stopped listening, or the load stops */
};

struct sender {
    enum sender_state state;
    int fd; /* -1: not connected */
    int64_t due_ms;
    uint64_t number; /* of the body being sent */
    struct buffer request;
    size_t sent_bytes;
    char answer[ANSWER_BYTES];
    size_t answer_bytes;
};

struct load {
    struct load_options options;
    const char *path;
    struct load_book *book;
    uint64_t random;
    int epoll_fd;
    struct sender *senders;
    pthread_t thread;
    atomic_bool stopping;
    atomic_size_t promises, refusals; /* of this load */
};

/* ---- bodies ---- */

uint64_t load_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void load_body(const struct load_book *book, uint64_t number, struct buffer *into)
{
    uint64_t state = book->seed ^ (number * 0xd1342543de82ef95u);
    bool large = book->large_every > 0 && number % book->large_every == 0;
    uint64_t size = load_random(&state);
    size_t bytes =
        large ? LARGE_BYTES + (size_t)(size % LARGE_SPREAD) : (size_t)(size % SMALL_BYTES);
    /* The number makes the body distinct, whatever the rest. */
    buffer_append_format(into, "%llu ", (unsigned long long)number);
    for (size_t done = 0; done < bytes; done += sizeof(uint64_t)) {
        uint64_t word = load_random(&state);
        buffer_append(into, &word, sizeof(word));
    }
}

void load_book_free(struct load_book *book)
{
    free(book->promises);
    book->promises = NULL;
    book->count = book->capacity = 0;
}

static void promised(struct load *load, const struct sender *sender, const struct id *run_id)
{
    struct load_book *book = load->book;
    if (book->count == book->capacity) {
        book->capacity = book->capacity ? 2 * book->capacity : 1024;
        book->promises = memory_array(book->promises, book->capacity, sizeof(*book->promises));
    }
    book->promises[book->count++] = (struct load_promise){*run_id, sender->number};
    atomic_fetch_add(&load->promises, 1);
}

static void refused(struct load *load)
{
    load->book->refused++;
    atomic_fetch_add(&load->refusals, 1);
}

/* ---- one connection ---- */

static void sender_disconnect(struct sender *sender)
{
    if (sender->fd >= 0)
        close(sender->fd);
    sender->fd = -1;
}

static void sender_pause(struct load *load, struct sender *sender)
{
    unsigned most = 2 * load->options.pause_ms;
    sender->due_ms =
        clock_monotonic_ms() + (most ? (int64_t)(load_random(&load->random) % (most + 1)) : 0);
    sender->state = SENDER_PAUSED;
}

static bool sender_connect(struct load *load, struct sender *sender)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)load->options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = sender};
    int yes = 1;
    sender->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sender->fd >= 0 && connect(sender->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        setsockopt(sender->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == 0 &&
        fcntl(sender->fd, F_SETFL, O_NONBLOCK) == 0 &&
        epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, sender->fd, &event) == 0)
        return true;
    sender_disconnect(sender);
    return false;
}

/* The connection has ended, perhaps in the middle of a request. */
static void sender_lost(struct load *load, struct sender *sender)
{
    if (sender->state == SENDER_SENDING || sender->state == SENDER_WAITING) {
        load->book->unanswered++;
        sender_pause(load, sender);
    }
    sender_disconnect(sender);
}

/* Sends as much as possible. If the server has closed the connection, a response may still be
 * waiting to be read; otherwise reading reports the end. */
static void sender_send(struct sender *sender)
{
    while (sender->sent_bytes < sender->request.bytes) {
        ssize_t count = send(sender->fd, sender->request.data + sender->sent_bytes,
                             sender->request.bytes - sender->sent_bytes, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return;
        sender->sent_bytes += (size_t)count;
    }
    sender->state = SENDER_WAITING;
}

static void sender_begin(struct load *load, struct sender *sender)
{
    if (sender->fd < 0 && !sender_connect(load, sender)) {
        sender->state = SENDER_DONE;
        return;
    }
    struct buffer body = BUFFER_INIT;
    sender->number = load->book->next_number++;
    load_body(load->book, sender->number, &body);
    buffer_reset(&sender->request);
    buffer_append_format(&sender->request,
                         "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                         load->path, body.bytes);
    buffer_append(&sender->request, body.data, body.bytes);
    buffer_free(&body);
    sender->sent_bytes = sender->answer_bytes = 0;
    sender->state = SENDER_SENDING;
    sender_send(sender);
}

/* ---- responses ---- */

/* Returns the bytes of the whole response once it has arrived, 0 before. */
static size_t whole_answer(const struct sender *sender)
{
    const char *end = strstr(sender->answer, "\r\n\r\n");
    const char *length = strcasestr(sender->answer, "\r\nContent-Length:");
    if (!end || !length || length > end)
        return 0;
    size_t bytes = (size_t)(end + 4 - sender->answer) +
                   strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    return bytes <= sender->answer_bytes ? bytes : 0;
}

static void sender_answered(struct load *load, struct sender *sender)
{
    static const char key[] = "\"fleet_run_id\":\"";
    unsigned long status = strtoul(sender->answer + strlen("HTTP/1.1 "), NULL, 10);
    const char *at = strstr(sender->answer, key);
    char text[ID_TEXT_BYTES] = "";
    struct id run_id;
    if (at)
        snprintf(text, sizeof(text), "%.36s", at + sizeof(key) - 1);
    if (status == 201 && id_parse(text, &run_id) == 0)
        promised(load, sender, &run_id);
    else if (status == 503)
        refused(load);
    else
        load->book->strange++;
    /* A sender that gets its response before it has sent everything needs a new connection. */
    if (sender->state == SENDER_SENDING || strcasestr(sender->answer, "\r\nConnection: close"))
        sender_disconnect(sender);
    sender_pause(load, sender);
}

static void sender_receive(struct load *load, struct sender *sender)
{
    while (sender->fd >= 0) {
        size_t room = sizeof(sender->answer) - 1 - sender->answer_bytes;
        ssize_t count = recv(sender->fd, sender->answer + sender->answer_bytes, room, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count <= 0) {
            sender_lost(load, sender);
            return;
        }
        sender->answer_bytes += (size_t)count;
        sender->answer[sender->answer_bytes] = '\0';
        if (whole_answer(sender) > 0)
            sender_answered(load, sender);
    }
}

/* ---- the thread ---- */

/* Starts the requests that are due. Returns the number of senders that have not ended; *wait_ms is
 * the time until the next request is due. */
static int start_due(struct load *load, int *wait_ms)
{
    bool stopping = atomic_load(&load->stopping);
    int64_t now_ms = clock_monotonic_ms();
    int going_on = 0;
    *wait_ms = LOOK_EVERY_MS;
    for (int i = 0; i < load->options.connections; i++) {
        struct sender *sender = &load->senders[i];
        if (sender->state == SENDER_PAUSED && stopping)
            sender->state = SENDER_DONE;
        if (sender->state == SENDER_PAUSED && sender->due_ms <= now_ms)
            sender_begin(load, sender);
        if (sender->state == SENDER_PAUSED && sender->due_ms - now_ms < *wait_ms)
            *wait_ms = sender->due_ms > now_ms ? (int)(sender->due_ms - now_ms) : 0;
        going_on += sender->state != SENDER_DONE;
    }
    return going_on;
}

static void *load_main(void *argument)
{
    struct load *load = argument;
    int64_t give_up_ms = 0;
    int wait_ms;
    while (start_due(load, &wait_ms) > 0) {
        struct epoll_event events[EVENTS_AT_ONCE];
        int count = epoll_wait(load->epoll_fd, events, EVENTS_AT_ONCE, wait_ms);
        for (int i = 0; i < count; i++) {
            struct sender *sender = events[i].data.ptr;
            if (sender->state == SENDER_SENDING)
                sender_send(sender);
            sender_receive(load, sender);
        }
        if (give_up_ms == 0 && atomic_load(&load->stopping))
            give_up_ms = clock_monotonic_ms() + GIVE_UP_MS;
        if (give_up_ms != 0 && clock_monotonic_ms() >= give_up_ms)
            break;
    }
    for (int i = 0; i < load->options.connections; i++)
        sender_lost(load, &load->senders[i]);
    return NULL;
}

struct load *load_start(const struct load_options *options, struct load_book *book)
{
    struct error error = ERROR_INIT;
    struct load *load = memory_alloc(sizeof(*load));
    load->options = *options;
    load->path = url_path(options->url);
    load->book = book;
    load->random = book->seed ^ book->next_number;
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    ck_assert_int_ge(load->epoll_fd, 0);
    load->senders = memory_alloc((size_t)options->connections * sizeof(*load->senders));
    for (int i = 0; i < options->connections; i++) {
        load->senders[i].fd = -1;
        sender_pause(load, &load->senders[i]);
    }
    ck_assert_msg(thread_start(&load->thread, "load", load_main, load, &error) == 0, "%s",
                  error.message);
    return load;
}

void load_stop(struct load *load)
{
    atomic_store(&load->stopping, true);
    pthread_join(load->thread, NULL);
    for (int i = 0; i < load->options.connections; i++)
        buffer_free(&load->senders[i].request);
    close(load->epoll_fd);
    free(load->senders);
    free(load);
}

size_t load_promises(const struct load *load)
{
    return atomic_load(&load->promises);
}

size_t load_refusals(const struct load *load)
{
    return atomic_load(&load->refusals);
}

void load_await(struct load *load, size_t promises, size_t refusals)
{
    int64_t until_ms = clock_monotonic_ms() + GIVE_UP_MS;
    while (load_promises(load) < promises || load_refusals(load) < refusals) {
        ck_assert_msg(clock_monotonic_ms() < until_ms, "%zu of %zu got 201, %zu of %zu got 503",
                      load_promises(load), promises, load_refusals(load), refusals);
        usleep(1000);
    }
}
