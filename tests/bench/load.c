#include "bench/load.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define BODY_BYTES     300
#define ANSWER_BYTES   4096
#define EVENTS_AT_ONCE 256
#define PATIENCE_US    30000000

struct sender {
    int fd;
    int64_t due_us; /* when its request was due; no response yet */
    size_t answer_bytes;
    char answer[ANSWER_BYTES];
};

struct load {
    const struct load_plan *plan;
    struct load_report *report;
    char *request;
    size_t request_bytes;
    int epoll_fd;
    struct sender *senders;
    struct sender **idle; /* a ring */
    int first_idle, idle_count;
    int64_t measure_from_us, until_us;
    size_t answers; /* responses to requests that were due in the measured time */
};

/* ---- a request and its response ---- */

static char *make_request(const struct load_plan *plan)
{
    char body[BODY_BYTES + 1];
    memset(body, 'x', BODY_BYTES);
    memcpy(body, "{\"event\":\"push\",\"ref\":\"", 23);
    strcpy(body + BODY_BYTES - 2, "\"}");
    return memory_format("POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: webhookd-bench\r\n"
                         "Accept: */*\r\nContent-Type: application/json\r\n"
                         "Content-Length: %d\r\n\r\n%s",
                         plan->path, plan->port, BODY_BYTES, body);
}

/* Whether the whole response has arrived. */
static bool is_whole(struct sender *sender)
{
    static const char created[] = "HTTP/1.1 201 ";
    sender->answer[sender->answer_bytes] = '\0';
    const char *end = strstr(sender->answer, "\r\n\r\n");
    if (!end)
        return false;
    ck_assert_msg(memcmp(sender->answer, created, strlen(created)) == 0, "not a 201: %s",
                  sender->answer);
    const char *length = strcasestr(sender->answer, "\r\nContent-Length:");
    ck_assert_msg(length && length < end, "no Content-Length: %s", sender->answer);
    size_t body_bytes = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
    return sender->answer_bytes == (size_t)(end + 4 - sender->answer) + body_bytes;
}

static void sender_send(struct load *load, struct sender *sender, int64_t due_us)
{
    sender->due_us = due_us;
    sender->answer_bytes = 0;
    ssize_t sent = send(sender->fd, load->request, load->request_bytes, MSG_NOSIGNAL);
    ck_assert_msg(sent == (ssize_t)load->request_bytes, "cannot send: %s", strerror(errno));
}

/* Returns true once the whole response has arrived. */
static bool sender_receive(struct sender *sender)
{
    ssize_t count = recv(sender->fd, sender->answer + sender->answer_bytes,
                         ANSWER_BYTES - 1 - sender->answer_bytes, MSG_DONTWAIT);
    ck_assert_msg(count > 0, "no response: %s", count == 0 ? "connection closed" : strerror(errno));
    sender->answer_bytes += (size_t)count;
    return is_whole(sender);
}

/* ---- the loop ---- */

static void become_idle(struct load *load, struct sender *sender)
{
    int connections = load->plan->connections;
    load->idle[(load->first_idle + load->idle_count++) % connections] = sender;
}

static struct sender *take_idle(struct load *load)
{
    struct sender *sender = load->idle[load->first_idle];
    load->first_idle = (load->first_idle + 1) % load->plan->connections;
    load->idle_count--;
    return sender;
}

/* Sends the requests that are due. Returns when the next one is due; 0 if there are no more. */
static int64_t send_due(struct load *load, int64_t start_us, uint64_t *sent)
{
    double rate = load->plan->rate;
    int64_t now_us = clock_monotonic_us();
    for (;;) {
        int64_t due_us = rate > 0 ? start_us + (int64_t)((double)*sent * 1e6 / rate) : now_us;
        if (due_us >= load->until_us)
            return 0;
        if (due_us > now_us || load->idle_count == 0)
            return due_us;
        sender_send(load, take_idle(load), due_us);
        ++*sent;
    }
}

static void answered(struct load *load, struct sender *sender)
{
    if (sender->due_us >= load->measure_from_us) {
        load->answers++;
        samples_add(&load->report->latencies_us, (double)(clock_monotonic_us() - sender->due_us));
    }
    become_idle(load, sender);
}

static void receive(struct load *load, int64_t wait_us)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    struct timespec wait = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    int count = epoll_pwait2(load->epoll_fd, events, EVENTS_AT_ONCE, &wait, NULL);
    ck_assert_msg(count >= 0 || errno == EINTR, "epoll_pwait2: %s", strerror(errno));
    for (int i = 0; i < count; i++)
        if (sender_receive(events[i].data.ptr))
            answered(load, events[i].data.ptr);
}

static void run(struct load *load)
{
    int64_t start_us = clock_monotonic_us();
    uint64_t sent = 0;
    load->measure_from_us = start_us + load->plan->warm_up_us;
    load->until_us = load->measure_from_us + load->plan->measured_us;
    int64_t next_us = send_due(load, start_us, &sent);
    while (next_us != 0 || load->idle_count < load->plan->connections) {
        int64_t now_us = clock_monotonic_us();
        ck_assert_msg(now_us < load->until_us + PATIENCE_US, "responses are missing after 30 s");
        /* Only a response helps if all connections are busy, or if no more requests are due. */
        bool waits_for_time = next_us != 0 && load->idle_count > 0;
        receive(load, !waits_for_time ? PATIENCE_US : next_us > now_us ? next_us - now_us : 0);
        next_us = send_due(load, start_us, &sent);
    }
}

/* ---- start and end ---- */

static void sender_connect(struct load *load, struct sender *sender)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)load->plan->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = sender};
    int yes = 1;
    sender->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_msg(sender->fd >= 0 &&
                      connect(sender->fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                      setsockopt(sender->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == 0 &&
                      epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, sender->fd, &event) == 0,
                  "cannot connect to port %u: %s", load->plan->port, strerror(errno));
    become_idle(load, sender);
}

void load_run(const struct load_plan *plan, struct load_report *report)
{
    size_t connections = (size_t)plan->connections;
    struct load load = {.plan = plan, .report = report, .request = make_request(plan)};
    load.request_bytes = strlen(load.request);
    load.senders = memory_array(NULL, connections, sizeof(*load.senders));
    load.idle = memory_array(NULL, connections, sizeof(*load.idle));
    load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    ck_assert_int_ge(load.epoll_fd, 0);
    prctl(PR_SET_TIMERSLACK, 1); /* nanosecond: the default of 50 µs would count as latency */
    for (size_t i = 0; i < connections; i++)
        sender_connect(&load, &load.senders[i]);
    run(&load);
    report->rate = (double)load.answers * 1e6 / (double)plan->measured_us;
    for (size_t i = 0; i < connections; i++)
        close(load.senders[i].fd);
    close(load.epoll_fd);
    free(load.idle);
    free(load.senders);
    free(load.request);
}
