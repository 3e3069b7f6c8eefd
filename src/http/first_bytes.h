/* Tells from its first bytes what a sender speaks instead of HTTP/1.x. Pure; for any thread. */
#ifndef WEBHOOKD_HTTP_FIRST_BYTES_H
#define WEBHOOKD_HTTP_FIRST_BYTES_H

#include <stddef.h>

#define FIRST_BYTES_ENOUGH 14 /* for the longest, the preface of HTTP/2 */

/* Returns what the bytes begin, with what to do about it; or NULL if they may be HTTP/1.x, or are
 * too few to tell. The text is constant. */
const char *first_bytes_name(const void *bytes, size_t count);

#endif
