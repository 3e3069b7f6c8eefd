/* A library that a vessel may preload through LD_PRELOAD in its environment: each program that
 * loads it prints "loaded" and tries to read the file that $SECRET names. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text, size_t bytes)
{
    ssize_t ignored = write(STDOUT_FILENO, text, bytes);
    (void)ignored;
}

__attribute__((constructor)) static void on_load(void)
{
    static const char loaded[] = "loaded\n";
    const char *path = getenv("SECRET");
    char text[64];
    say(loaded, strlen(loaded));
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t bytes = fd >= 0 ? read(fd, text, sizeof(text)) : 0;
    if (bytes > 0)
        say(text, (size_t)bytes);
    if (fd >= 0)
        close(fd);
}
