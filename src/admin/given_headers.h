/* The headers that the caller of the API gives to a fleet run. On admin workers' threads. */
#ifndef WEBHOOKD_ADMIN_GIVEN_HEADERS_H
#define WEBHOOKD_ADMIN_GIVEN_HEADERS_H

#include "admin/request.h"
#include "model/run_headers.h"

#define GIVEN_HEADERS_NAME "X-Webhookd-Headers"

struct given_headers {
    char *json;          /* as in model/run_headers.h */
    char *withheld_json; /* a list of the names that were left out */
    struct run_headers_event event;
};

/* Reads the request's Content-Type and the object in its X-Webhookd-Headers, whose own Content-Type
 * takes the place of the request's. The bound is that of all headers of a request (16 KiB, see
 * http/guard.h). Returns 0, or -1 with ERROR_INVALID and the field if the object is invalid. */
int given_headers_read(struct admin_request *request, struct given_headers *given,
                       struct error *error);
/* The same for the values of the two headers, each NULL if there is none. */
int given_headers_parse(const char *type, const char *object, struct given_headers *given,
                        struct error *error);
void given_headers_free(struct given_headers *given);

#endif
