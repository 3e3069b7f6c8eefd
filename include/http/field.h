/* The syntax of header fields (RFC 9110 section 5). Pure; any thread. */
#ifndef WEBHOOKD_HTTP_FIELD_H
#define WEBHOOKD_HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is a token (RFC 9110 section 5.6.2), as the names of headers are. */
bool http_is_token(const char *text, size_t bytes);
/* Whether the text contains a byte that no value of a header may contain: C0 except the tab, and
 * DEL. */
bool http_has_control_bytes(const char *text, size_t bytes);

#endif
