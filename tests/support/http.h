/* HTTP for tests: whole requests through libcurl, and raw bytes through a socket. */
#ifndef WEBHOOKD_TESTS_SUPPORT_HTTP_H
#define WEBHOOKD_TESTS_SUPPORT_HTTP_H

#include <stddef.h>

struct response {
    int status;    /* 0 = no answer */
    char *headers; /* as received */
    char *body;
    size_t body_bytes;
    char run_id[40]; /* data.fleet_run_id of a 201, or "" */
};

/* headers: NULL-terminated list or NULL. body NULL = none at all. */
void http_post(const char *url, const char *const *headers, const void *body, size_t bytes,
               struct response *response);
void http_request(const char *method, const char *url, const char *const *headers, const void *body,
                  size_t bytes, struct response *response);
/* Over a unix socket; the URL's host and port are only said in the request. */
void http_request_over(const char *socket, const char *method, const char *url,
                       const char *const *headers, const void *body, size_t bytes,
                       struct response *response);
/* The same with Transfer-Encoding: chunked. */
void http_post_chunked(const char *url, const void *body, size_t bytes, struct response *response);
void response_free(struct response *response);

/* A connected socket to 127.0.0.1:port. */
int raw_connect(unsigned port);
/* Sends all of it; -1 if the other side has closed. */
int raw_send(int fd, const void *bytes, size_t count);
/* All that comes until the other side closes or timeout_ms have passed: text (free it). *closed says which. */
char *raw_receive(int fd, int timeout_ms, int *closed);
/* Connects, sends the text, receives until close (at most 10 s) and fails the test if it is not closed. Free it. */
char *raw_exchange(unsigned port, const char *text, size_t bytes);
/* How many "HTTP/1.1 " status lines the text holds. */
int count_answers(const char *text);

#endif
