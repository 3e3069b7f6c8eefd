/* See linger.h. server.c adds sockets; the reaper's thread looks at them. */
#include "http/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define MOST          32 /* of each listener; config/bounds.c counts them in FILES_AT_LEAST */
#define LINGER_MS     5000
#define READ_BYTES    16384
#define READS_AT_ONCE 16 /* of one socket in one look */

struct lingering {
    int fd;
    int64_t until_ms;
};

struct linger_set {
    pthread_mutex_t lock; /* guards the following, but anybody may read the count */
    atomic_int count;
    struct lingering sockets[MOST]; /* the oldest is first */
};

struct linger_set *linger_new(void)
{
    struct linger_set *set = memory_alloc(sizeof(*set));
    pthread_mutex_init(&set->lock, NULL);
    return set;
}

void linger_free(struct linger_set *set)
{
    if (!set)
        return;
    for (int i = 0; i < set->count; i++)
        close(set->sockets[i].fd);
    pthread_mutex_destroy(&set->lock);
    free(set);
}

/* The caller holds the lock. */
static void drop(struct linger_set *set, int i)
{
    close(set->sockets[i].fd);
    set->count--;
    for (; i < set->count; i++)
        set->sockets[i] = set->sockets[i + 1];
}

void linger_add(struct linger_set *set, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return; /* without descriptors, the sender may not see its answer */
    pthread_mutex_lock(&set->lock);
    if (set->count == MOST)
        drop(set, 0);
    set->sockets[set->count] = (struct lingering){copy, clock_monotonic_ms() + LINGER_MS};
    set->count++;
    pthread_mutex_unlock(&set->lock);
}

/* Returns whether the sender may send more. MSG_TRUNC saves the copying: tcp(7). */
static bool read_away(int fd)
{
    char unwanted[READ_BYTES];
    for (int i = 0; i < READS_AT_ONCE; i++) {
        ssize_t bytes = recv(fd, unwanted, sizeof(unwanted), MSG_DONTWAIT | MSG_TRUNC);
        if (bytes <= 0)
            return bytes < 0 && (errno == EAGAIN || errno == EINTR);
    }
    return true;
}

bool linger_is_empty(const struct linger_set *set)
{
    return set->count == 0;
}

void linger_look(struct linger_set *set)
{
    pthread_mutex_lock(&set->lock);
    int64_t now_ms = clock_monotonic_ms();
    for (int i = set->count - 1; i >= 0; i--)
        if (!read_away(set->sockets[i].fd) || set->sockets[i].until_ms <= now_ms)
            drop(set, i);
    pthread_mutex_unlock(&set->lock);
}
