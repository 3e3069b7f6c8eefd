/* Reads what a client says in Accept-Encoding (RFC 9110 section 12.5.3). Pure; for any thread. */
#ifndef WEBHOOKD_HTTP_ACCEPT_ENCODING_H
#define WEBHOOKD_HTTP_ACCEPT_ENCODING_H

#include <stdbool.h>

/* The weights of the codings that matter here, in thousandths; -1 = not named. */
struct accept_encoding {
    int gzip, identity, any;
};

#define ACCEPT_ENCODING_INIT                                                                       \
    {                                                                                              \
        -1, -1, -1                                                                                 \
    }

/* Takes in the value of one Accept-Encoding header; several count as one list. A weight that is
 * malformed counts as 0. Of a coding that is named twice, the lower weight counts. */
void accept_encoding_read(struct accept_encoding *accept, const char *value);
/* Whether gzip is accepted and the client does not prefer an answer without coding. */
bool accept_encoding_prefers_gzip(const struct accept_encoding *accept);

#endif
