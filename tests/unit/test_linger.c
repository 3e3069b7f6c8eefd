/* http/linger: the sender of what nobody wants is not cut off, and cannot stay. */
#include "http/linger.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/suite.h"

#define MOST 32

/* Lets one end of a pair of sockets linger, and returns the other end. */
static int lingering(struct linger_set *linger)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    linger_add(linger, ends[0]);
    close(ends[0]);
    return ends[1];
}

static bool can_send(int fd)
{
    return send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno == EAGAIN;
}

TEST(what_still_arrives_is_thrown_away)
{
    struct linger_set *linger = linger_new();
    char bytes[4096];
    int fd = lingering(linger);
    memset(bytes, 'x', sizeof(bytes));
    for (int round = 0; round < 3; round++) {
        while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            ;
        ck_assert_int_eq(errno, EAGAIN);
        linger_look(linger);
        ck_assert_int_eq(send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL), 1);
    }
    close(fd);
    linger_free(linger);
}

TEST(a_sender_that_has_closed_its_half_is_let_go)
{
    struct linger_set *linger = linger_new();
    int staying = lingering(linger), leaving = lingering(linger);
    linger_look(linger);
    ck_assert_int_eq(shutdown(leaving, SHUT_WR), 0);
    linger_look(linger);
    ck_assert_int_eq(recv(leaving, &(char){0}, 1, MSG_DONTWAIT), 0);
    ck_assert(can_send(staying));
    ck_assert(!linger_is_empty(linger));
    close(staying);
    linger_look(linger);
    ck_assert(linger_is_empty(linger));
    close(leaving);
    linger_free(linger);
}

TEST(the_oldest_makes_room_for_a_new_one)
{
    struct linger_set *linger = linger_new();
    int fds[MOST + 2];
    for (int i = 0; i < MOST + 2; i++)
        fds[i] = lingering(linger);
    for (int i = 0; i < MOST + 2; i++)
        ck_assert_int_eq(can_send(fds[i]), i >= 2);
    linger_free(linger);
    for (int i = 0; i < MOST + 2; i++) {
        ck_assert(!can_send(fds[i]));
        close(fds[i]);
    }
}
