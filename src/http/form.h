/* Filling in a form (http/server.h): for http/reply. */
#ifndef WEBHOOKD_HTTP_FORM_H
#define WEBHOOKD_HTTP_FORM_H

#include "http/server.h"

#define HTTP_FORM_BYTES 512

/* Returns the bytes written, at most HTTP_FORM_BYTES; `ids` in the order of the form's names. */
size_t http_form_write(const struct http_form *form, const struct id *request_id,
                       const struct id *const ids[], char text[HTTP_FORM_BYTES]);

#endif
