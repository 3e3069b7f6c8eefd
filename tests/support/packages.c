/* See packages.h. */
#include "support/packages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/suite.h"

#define VESSEL_PATH "PATH=/usr/local/bin:/usr/bin:/bin " /* the default of runner.path */

static bool succeeds(const char *command)
{
    return system(command) == 0;
}

static bool succeeds_or_skip(const char *command, const char *reason)
{
    bool does = succeeds(command);
    if (!does)
        test_skip(reason);
    return does;
}

bool packages_have_pip(void)
{
    return succeeds_or_skip(VESSEL_PATH "python3 -c 'import pip, venv' 2>/dev/null",
                            "python3 has no pip or no venv: install python3-pip, python3-venv");
}

bool packages_have_npm(void)
{
    return succeeds_or_skip(VESSEL_PATH "npm --version >/dev/null 2>&1", "npm is not installed");
}

void packages_write_wheels(const char *folder, const char *mark)
{
    char *command = memory_format("python3 tests/packages/wheels.py '%s' '%s'", folder, mark);
    ck_assert_msg(succeeds(command), "%s failed", command);
    free(command);
}

void registry_start(struct registry *registry)
{
    int input[2], output[2];
    ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
    registry->pid = fork();
    ck_assert_int_ge(registry->pid, 0);
    if (registry->pid == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        execlp("python3", "python3", "tests/packages/registry.py", (char *)NULL);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    registry->input = input[1];
    FILE *answer = fdopen(output[0], "r");
    ck_assert_ptr_nonnull(answer);
    ck_assert_msg(fscanf(answer, "%u", &registry->port) == 1, "the registry did not start");
    fclose(answer);
}

void registry_spoil(const struct registry *registry)
{
    char *command =
        memory_format("curl -sf -o /dev/null http://127.0.0.1:%u/-/spoil", registry->port);
    ck_assert_msg(succeeds(command), "%s failed", command);
    free(command);
}

void registry_stop(struct registry *registry)
{
    int status = 0;
    close(registry->input);
    ck_assert_int_eq(waitpid(registry->pid, &status, 0), registry->pid);
    ck_assert_int_eq(status, 0);
}
