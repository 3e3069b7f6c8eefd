/* See reason.h. Called by packages/install. */
#include "packages/reason.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define TAIL_BYTES  16384
#define WORDS_BYTES 220

/* Reads the end of the log. Returns the number of bytes. */
static size_t read_tail(const struct cache *cache, const char *log, char text[TAIL_BYTES + 1])
{
    struct stat status;
    ssize_t bytes = -1;
    int fd = openat(cache->logs_fd, log, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0) {
        off_t from = status.st_size > TAIL_BYTES ? status.st_size - TAIL_BYTES : 0;
        bytes = lseek(fd, from, SEEK_SET) < 0 ? -1 : file_read_all(fd, text, TAIL_BYTES);
    }
    if (fd >= 0)
        close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
    return bytes > 0 ? (size_t)bytes : 0;
}

static const char *find_words(char *text, const struct tool *tool)
{
    const char *found = NULL;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        const char *words = tool->find_reason(line);
        if (words && (!found || tool->says_cause_last))
            found = words;
    }
    return found;
}

static int say_ending(const struct attempt_result *result, struct error *error)
{
    if (result->ending == ATTEMPT_CUTOFF)
        return error_set(error, ERROR_INVALID, "the tool took longer than packages.timeout");
    if (result->reason[0] != '\0')
        return error_set(error, ERROR_INVALID, "%s", result->reason);
    return error_set(error, ERROR_INVALID, "the tool ended with exit code %d", result->exit_code);
}

int reason_set(const struct cache *cache, const char *log, const struct tool *tool,
               const struct attempt_result *result, struct error *error)
{
    char text[TAIL_BYTES + 1];
    if (result->ending != ATTEMPT_EXITED)
        return say_ending(result, error);
    size_t bytes = read_tail(cache, log, text);
    for (size_t i = 0; i < bytes; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    const char *words = find_words(text, tool);
    if (!words)
        return say_ending(result, error);
    return error_set(error, ERROR_INVALID, "%.*s", WORDS_BYTES, words);
}
