/* See socket.h. admin.c calls it once, on the main thread.
 *
 * The sockets of http_listen are for everyone; this one is for a group. Connections are refused
 * between bind and listen, so the mode and the group are set before the first administrator can
 * connect. */
#include "admin/socket.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"

static int find_group(const char *name, gid_t *gid, struct error *error)
{
    struct group group, *found = NULL;
    size_t bytes = 1024;
    char *room = NULL;
    int status = ERANGE;
    while (status == ERANGE && bytes <= (1u << 20)) {
        bytes *= 2;
        room = memory_resize(room, bytes);
        status = getgrnam_r(name, &group, room, bytes, &found);
    }
    if (found)
        *gid = group.gr_gid;
    free(room);
    if (found)
        return 0;
    if (status != 0 && status != ENOENT && status != ESRCH)
        return error_set_errno(error, status, "admin.socket_group: cannot look up the group \"%s\"",
                               name);
    return error_set(
        error, ERROR_CONFIG,
        "admin.socket_group: there is no group \"%s\"; create it, or name another group", name);
}

/* Creates the folder of the socket if it is missing, because /run is empty after a boot. Creates
 * only the last component. */
static int make_folder(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    char *folder = memory_string_n(path, (size_t)(slash - path));
    int result = 0;
    /* The umask would keep the socket's group out. */
    if (mkdir(folder, 0755) == 0)
        result = chmod(folder, 0755);
    else if (errno != EEXIST)
        result = -1;
    if (result != 0)
        error_set_errno(error, errno, "admin.socket: cannot create the folder \"%s\"", folder);
    free(folder);
    return result;
}

/* Removes the file if it is a socket on which no process listens any more. */
static bool remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool stale = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
                 errno == ECONNREFUSED;
    close(fd);
    return stale && unlink(address->sun_path) == 0;
}

static int bind_or_replace(int fd, const struct sockaddr_un *address, struct error *error)
{
    const struct sockaddr *name = (const struct sockaddr *)address;
    if (bind(fd, name, sizeof(*address)) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return error_set_errno(error, errno, "admin.socket: cannot create \"%s\"",
                               address->sun_path);
    if (!remove_stale(address))
        return error_set(
            error, ERROR_CONFLICT,
            "admin.socket: \"%s\" exists: a program listens on it, or it is not a socket; "
            "stop that program or set another path",
            address->sun_path);
    if (bind(fd, name, sizeof(*address)) != 0)
        return error_set_errno(error, errno, "admin.socket: cannot replace \"%s\"",
                               address->sun_path);
    return 0;
}

static int protect_and_listen(int fd, const char *path, const char *group, struct error *error)
{
    gid_t gid = (gid_t)-1;
    if (group[0] != '\0' && find_group(group, &gid, error) != 0)
        return -1;
    if (gid != (gid_t)-1 && chown(path, (uid_t)-1, gid) != 0)
        return error_set_errno(
            error, errno, "admin.socket: cannot change the group of \"%s\" to \"%s\"", path, group);
    if (chmod(path, 0660) != 0)
        return error_set_errno(error, errno, "admin.socket: cannot set the mode of \"%s\"", path);
    if (listen(fd, SOMAXCONN) != 0)
        return error_set_errno(error, errno, "admin.socket: cannot listen on \"%s\"", path);
    return 0;
}

int socket_open(const char *path, const char *group, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(error, ERROR_INVALID,
                         "admin.socket: \"%s\" is too long: a socket's path has at most %zu bytes",
                         path, sizeof(address.sun_path) - 1);
    strcpy(address.sun_path, path);
    if (make_folder(path, error) != 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set_errno(error, errno, "admin.socket: cannot open a socket");
    if (bind_or_replace(fd, &address, error) != 0) {
        close(fd);
        return -1;
    }
    if (protect_and_listen(fd, path, group, error) == 0)
        return fd;
    unlink(path);
    close(fd);
    return -1;
}
