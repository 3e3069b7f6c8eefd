#include "support/http.h"

#include <arpa/inet.h>
#include <check.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"

static size_t on_bytes(char *bytes, size_t size, size_t count, void *buffer)
{
    return buffer_append(buffer, bytes, size * count) == 0 ? size * count : 0;
}

struct upload {
    const char *bytes;
    size_t left;
};

static size_t on_upload(char *to, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    size_t bytes = size * count < upload->left ? size * count : upload->left;
    memcpy(to, upload->bytes, bytes);
    upload->bytes += bytes;
    upload->left -= bytes;
    return bytes;
}

static void find_run_id(struct response *response)
{
    static const char key[] = "\"fleet_run_id\":\"";
    const char *at = response->body ? strstr(response->body, key) : NULL;
    if (at && strlen(at) >= sizeof(key) - 1 + 36)
        memcpy(response->run_id, at + sizeof(key) - 1, 36);
}

static void perform(CURL *curl, const char *url, struct curl_slist *headers,
                    struct response *response)
{
    struct buffer head = BUFFER_INIT, body = BUFFER_INIT;
    memset(response, 0, sizeof(*response));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    long status = 0;
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    response->status = (int)status;
    response->body_bytes = body.bytes;
    response->headers = buffer_take(&head);
    response->body = buffer_take(&body);
    find_run_id(response);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

static struct curl_slist *header_list(const char *const *headers)
{
    struct curl_slist *list = NULL;
    bool expects = false;
    for (int i = 0; headers && headers[i]; i++) {
        expects |= strncmp(headers[i], "Expect:", strlen("Expect:")) == 0;
        list = curl_slist_append(list, headers[i]);
    }
    /* Of two, curl obeys the first and sends the other: it would not wait for 100 Continue. */
    return expects ? list : curl_slist_append(list, "Expect:");
}

void http_request_over(const char *socket, const char *method, const char *url,
                       const char *const *headers, const void *body, size_t bytes,
                       struct response *response)
{
    CURL *curl = curl_easy_init();
    if (socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
    }
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    perform(curl, url, header_list(headers), response);
}

void http_request(const char *method, const char *url, const char *const *headers, const void *body,
                  size_t bytes, struct response *response)
{
    http_request_over(NULL, method, url, headers, body, bytes, response);
}

void http_post(const char *url, const char *const *headers, const void *body, size_t bytes,
               struct response *response)
{
    http_request("POST", url, headers, body, bytes, response);
}

void http_post_chunked(const char *url, const void *body, size_t bytes, struct response *response)
{
    static const char *const chunked[] = {"Transfer-Encoding: chunked", NULL};
    struct upload upload = {body, bytes};
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    perform(curl, url, header_list(chunked), response);
}

void response_free(struct response *response)
{
    free(response->headers);
    free(response->body);
    memset(response, 0, sizeof(*response));
}

int raw_connect_from(const char *source, unsigned port)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(inet_pton(AF_INET, source, &from.sin_addr), 1);
    ck_assert_msg(fd >= 0 && bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
                      connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
                  "cannot connect from %s to port %u: %s", source, port, strerror(errno));
    return fd;
}

int raw_connect(unsigned port)
{
    return raw_connect_from("127.0.0.1", port);
}

int raw_send(int fd, const void *bytes, size_t count)
{
    const char *from = bytes;
    while (count > 0) {
        ssize_t sent = send(fd, from, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return -1;
        from += sent;
        count -= (size_t)sent;
    }
    return 0;
}

char *raw_receive(int fd, int timeout_ms, int *closed)
{
    struct buffer text = BUFFER_INIT;
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    *closed = 0;
    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        struct pollfd watch = {fd, POLLIN, 0};
        if (left_ms <= 0 || poll(&watch, 1, (int)left_ms) <= 0)
            break;
        char piece[65536];
        ssize_t count = recv(fd, piece, sizeof(piece), 0);
        if (count <= 0) {
            *closed = 1;
            break;
        }
        buffer_append(&text, piece, (size_t)count);
    }
    return buffer_take(&text);
}

char *raw_exchange(unsigned port, const char *text, size_t bytes)
{
    int fd = raw_connect(port);
    int closed = 0;
    (void)raw_send(fd, text, bytes); /* the server may close before it has read everything */
    char *answer = raw_receive(fd, 10000, &closed);
    close(fd);
    ck_assert_msg(closed, "the connection stayed open after: %s", answer);
    return answer;
}

int count_answers(const char *text)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, "HTTP/1.1 ")); at++)
        if (at == text || at[-1] == '\n' || at[-1] == '}')
            count++;
    return count;
}
