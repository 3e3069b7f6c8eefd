/* The admin API as a service of http/server, for admin.c, and the parts of it that the public
 * listener's service shares (public.c). */
#ifndef WEBHOOKD_ADMIN_SERVICE_H
#define WEBHOOKD_ADMIN_SERVICE_H

#include "admin/request.h"
#include "http/server.h"

extern const struct http_service admin_service; /* its context is a struct admin_listener */

/* Creates a request, which service_free_request frees. */
struct admin_request *service_new_request(struct admin_listener *listener,
                                          struct http_exchange *exchange);
void service_free_request(struct admin_request *request);

/* Refuses before the body is read. */
enum http_step service_refuse(struct http_exchange *exchange, unsigned status, const char *message);
/* Answers 401 or, if the caller could not be looked up, 503. */
enum http_step service_refuse_caller(struct admin_request *request, const struct error *error);
/* Gives the store's connection back; broken: the request failed on it. */
void service_give_back_store(struct admin_request *request, bool broken);
/* Refuses a body that is declared to be too large, or prepares for it. Does not wait. */
enum http_step service_expect_body(struct admin_request *request);
/* Takes a piece of the body. Does not wait. */
enum http_step service_take_body(struct admin_request *request, const void *bytes, size_t count);
/* Calls the handler, which may wait. Returns its result. */
int service_handle(struct admin_request *request, struct error *error);
/* Answers with the handler's result. Does not wait. */
enum http_step service_answer(struct admin_request *request, int result, const struct error *error);

#endif
