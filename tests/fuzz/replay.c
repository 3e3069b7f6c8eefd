/* The main function of a fuzz target in `make check`: passes it each kept input once. Reports one
 * test in TAP, as tests/run expects. With arguments, it passes these files instead. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"

#define CORPUS          "tests/fuzz/corpus"
#define INPUT_BYTES_MAX ((size_t)16 << 20)

/* Prints the file's name first, so that a failure shows which input it was. */
static int replay(const char *path)
{
    struct buffer input = BUFFER_INIT;
    struct error error = ERROR_INIT;
    printf("# %s\n", path);
    fflush(stdout);
    if (file_read(AT_FDCWD, path, INPUT_BYTES_MAX, &input, &error) != 0) {
        printf("# %s\n", error.message);
        return -1;
    }
    /* An exact copy, so that the address sanitizer detects a read beyond its end. */
    uint8_t *copy = memory_copy(input.bytes > 0 ? input.data : "", input.bytes);
    LLVMFuzzerTestOneInput(copy, input.bytes);
    free(copy);
    buffer_free(&input);
    return 0;
}

/* Returns the number of kept inputs, or -1. */
static int replay_folder(const char *folder)
{
    struct dirent **entries;
    int found = scandir(folder, &entries, NULL, alphasort);
    int inputs = 0;
    for (int i = 0; i < found; i++) {
        if (entries[i]->d_name[0] != '.' && inputs >= 0) {
            char *path = memory_format("%s/%s", folder, entries[i]->d_name);
            inputs = replay(path) == 0 ? inputs + 1 : -1;
            free(path);
        }
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    return inputs;
}

int main(int argc, char **argv)
{
    const char *target = program_invocation_short_name + strlen("fuzz_");
    char *folder = memory_format(CORPUS "/%s", target);
    int inputs = argc > 1 ? 0 : replay_folder(folder);
    for (int i = 1; i < argc && inputs >= 0; i++)
        inputs = replay(argv[i]) == 0 ? inputs + 1 : -1;
    if (inputs > 0)
        printf("ok 1 - %s: %d inputs\n", target, inputs);
    else
        printf("not ok 1 - %s: no input could be read\n", target);
    free(folder);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
