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

/* headers: a NULL-terminated list, or NULL. body: NULL = no body at all. */
void http_post(const char *url, const char *const *headers, const void *body, size_t bytes,
               struct response *response);
void http_request(const char *method, const char *url, const char *const *headers, const void *body,
                  size_t bytes, struct response *response);
/* The same over a unix socket; the URL's host and port only appear in the request. */
void http_request_over(const char *socket, const char *method, const char *url,
                       const char *const *headers, const void *body, size_t bytes,
                       struct response *response);
/* Like http_post, with Transfer-Encoding: chunked. */
void http_post_chunked(const char *url, const void *body, size_t bytes, struct response *response);
void response_free(struct response *response);

/* Returns a socket that is connected to 127.0.0.1:port. */
int raw_connect(unsigned port);
/* From an IPv4 address of the loopback interface. */
int raw_connect_from(const char *source, unsigned port);
/* Sends everything; returns -1 if the server has closed the connection. */
int raw_send(int fd, const void *bytes, size_t count);
/* Receives until the server closes the connection or timeout_ms have passed; *closed says which.
 * Returns the text. Free it. */
char *raw_receive(int fd, int timeout_ms, int *closed);
/* Connects, sends the text, and receives until the server closes the connection; fails the test if
 * it does not do so within 10 s. Free the result. */
char *raw_exchange(unsigned port, const char *text, size_t bytes);
/* Returns the number of "HTTP/1.1 " status lines in the text. */
int count_answers(const char *text);

#endif
