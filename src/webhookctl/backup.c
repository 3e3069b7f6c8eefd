/* backup: writes to a temporary file that gets its final name only when it is complete and synced.
 * Called by main.c; the program has one thread. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "webhookctl/client.h"
#include "webhookctl/ctl.h"

#define SILENCE_S 3600 /* webhookd sends nothing while it copies its database */

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
static char *part_path; /* the unfinished file */

static int fetch(struct ctl *ctl, int fd, const char *what, struct client_stream *stream,
                 struct error *error)
{
    *stream = (struct client_stream){.fd = fd, .what = what, .silence_s = SILENCE_S};
    return client_stream(ctl->client, "POST", "/backup", stream, error);
}

static int sync_folder_of(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? memory_string_n(path, (size_t)(slash - path) + 1) : memory_string(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? error_set_errno(error, errno, "cannot open \"%s\"", folder)
                        : file_sync(fd, folder, error);
    if (fd >= 0)
        close(fd);
    free(folder);
    return result;
}

static void remove_part(int signal_number)
{
    (void)unlink(part_path);
    (void)raise(signal_number); /* SA_RESETHAND has restored the default action */
}

static void on_deadly_signals(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < ARRAY_COUNT(deadly); i++)
        (void)sigaction(deadly[i], &action, NULL);
}

/* Only the owner can read the file: it contains bodies and headers. */
static int write_file(struct ctl *ctl, const char *path, struct error *error)
{
    struct client_stream stream;
    int fd = mkostemp(part_path, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create \"%s\"", part_path);
    on_deadly_signals(remove_part);
    int result = fetch(ctl, fd, path, &stream, error);
    if (result == 0)
        result = file_sync(fd, part_path, error);
    close(fd);
    if (result == 0 && rename(part_path, path) != 0)
        result = error_set_errno(error, errno, "cannot rename \"%s\" to \"%s\"", part_path, path);
    on_deadly_signals(SIG_DFL);
    if (result != 0)
        (void)unlink(part_path);
    else if (sync_folder_of(path, error) != 0)
        return -1;
    if (result == 0)
        ctl_say("%s: %" PRIu64 " byte%s", path, stream.bytes, stream.bytes == 1 ? "" : "s");
    return result;
}

int backup(struct ctl *ctl, struct error *error)
{
    const char *path = ctl->operands[0];
    struct client_stream stream;
    if (strcmp(path, "-") == 0)
        return fetch(ctl, STDOUT_FILENO, NULL, &stream, error);
    part_path = memory_format("%s.XXXXXX", path);
    int result = write_file(ctl, path, error);
    free(part_path);
    part_path = NULL;
    return result;
}
