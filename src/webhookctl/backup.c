/* backup: into a file that has its name only once it is whole and on the disk. Called by main.c; the program has one thread. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "webhookctl/client.h"
#include "webhookctl/ctl.h"

static int fetch(struct ctl *ctl, int fd, struct client_stream *stream, struct error *error)
{
    *stream = (struct client_stream){.fd = fd};
    return client_stream(ctl->client, "POST", "/backup", stream, error);
}

static int sync_folder_of(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? memory_string_n(path, (size_t)(slash - path) + 1) : memory_string(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? error_set_errno(error, errno, "cannot open %s", folder)
                        : file_sync(fd, folder, error);
    if (fd >= 0)
        close(fd);
    free(folder);
    return result;
}

/* For the owner's eyes alone: it holds bodies and headers. */
static int write_file(struct ctl *ctl, const char *path, const char *part, struct error *error)
{
    struct client_stream stream;
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create %s", part);
    int result = fetch(ctl, fd, &stream, error);
    if (result == 0)
        result = file_sync(fd, part, error);
    close(fd);
    if (result == 0 && rename(part, path) != 0)
        result = error_set_errno(error, errno, "cannot rename %s to %s", part, path);
    if (result != 0)
        (void)unlink(part);
    else if (sync_folder_of(path, error) != 0)
        return -1;
    if (result == 0)
        ctl_say("%s: %" PRIu64 " bytes", path, stream.bytes);
    return result;
}

int backup(struct ctl *ctl, struct error *error)
{
    const char *path = ctl->operands[0];
    struct client_stream stream;
    if (strcmp(path, "-") == 0)
        return fetch(ctl, STDOUT_FILENO, &stream, error);
    char *part = memory_format("%s.part", path);
    int result = write_file(ctl, path, part, error);
    free(part);
    return result;
}
