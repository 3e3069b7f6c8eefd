/* Fills in a template (http/server.h). For reply.c. */
#ifndef WEBHOOKD_HTTP_REPLY_TEMPLATE_H
#define WEBHOOKD_HTTP_REPLY_TEMPLATE_H

#include "http/server.h"

#define HTTP_REPLY_TEMPLATE_BYTES 512

/* Returns the number of bytes written, at most HTTP_REPLY_TEMPLATE_BYTES. `ids` are in the order of
 * the template's names. */
size_t http_reply_template_write(const struct http_reply_template *template,
                                 const struct id *request_id, const struct id *const ids[],
                                 char text[HTTP_REPLY_TEMPLATE_BYTES]);

#endif
