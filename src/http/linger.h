/* Sockets whose sender may still be sending what nobody wants: the rest of a body that was answered
 * early, or of a request that could not be parsed. If such a socket were closed, the kernel would
 * reset the connection, and the sender might not see its answer. So a copy stays open for a moment,
 * and what arrives is read and thrown away.
 *
 * A fixed number of sockets linger at a time; each further one takes the place of the oldest. */
#ifndef WEBHOOKD_HTTP_LINGER_H
#define WEBHOOKD_HTTP_LINGER_H

#include <stdbool.h>

struct linger_set;

struct linger_set *linger_new(void);
/* Closes all of them. NULL is fine. */
void linger_free(struct linger_set *set);

/* Any thread may call these. */
/* Keeps a copy of the socket, whose answer has been sent. libmicrohttpd closes its own. */
void linger_add(struct linger_set *set, int fd);
bool linger_is_empty(const struct linger_set *set); /* takes no lock */
/* Reads away what has arrived, and closes each socket whose sender has closed its half or whose
 * moment is over. */
void linger_look(struct linger_set *set);

#endif
