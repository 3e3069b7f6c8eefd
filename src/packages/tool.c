/* See tool.h. Called by packages/install, packages/view and packages/environments. */
#include "packages/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

const struct tool *tool_of(enum vessel_language language)
{
    switch (language) {
    case LANGUAGE_BASH:
        return NULL;
    case LANGUAGE_PYTHON:
        return &tool_python;
    case LANGUAGE_NODE:
        return &tool_node;
    }
    return NULL;
}

/* A tool may have left anything under that name, also a link that leads elsewhere. */
int tool_write_file(int dir_fd, const char *name, const char *text, struct error *error)
{
    if (file_remove_tree(dir_fd, name, error) != 0)
        return -1;
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot create \"%s\"", name);
    int result = 0;
    if (file_write_all(fd, text, strlen(text)) != 0 || fchmod(fd, 0644) != 0)
        result = error_set_errno(error, errno, "cannot write \"%s\"", name);
    close(fd);
    return result;
}

static char *read_all(int fd, const char *name, struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > TOOL_LOCK_BYTES) {
        error_set(error, ERROR_INVALID, "the tool left no file \"%s\" of at most 4 MiB", name);
        return NULL;
    }
    char *text = memory_alloc((size_t)status.st_size + 1);
    ssize_t bytes = file_read_all(fd, text, (size_t)status.st_size);
    if (bytes >= 0 && !memchr(text, '\0', (size_t)bytes))
        return text;
    error_set(error, ERROR_INVALID, "cannot read the tool's file \"%s\"", name);
    free(text);
    return NULL;
}

char *tool_read_file(int dir_fd, const char *name, struct error *error)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(error, errno, "the tool left no file \"%s\"", name);
        return NULL;
    }
    char *text = read_all(fd, name, error);
    close(fd);
    return text;
}
