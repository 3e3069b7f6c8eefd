/* docs/openapi.yaml is correct and well-formed: tests/openapi/check.mjs calls every operation and
 * validates each response, and two linters check the file. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/daemon.h"
#include "support/node.h"
#include "support/packages.h"
#include "support/suite.h"

#define FOLDER "tests/openapi"

SLOW_TEST(every_operation_answers_as_described, 300)
{
    struct daemon daemon;
    struct error error = ERROR_INIT;
    char wheels[] = "/tmp/webhookd-wheels-XXXXXX";
    if (!node_install(FOLDER "/package.json", "openapi") || !packages_have_pip())
        return;
    ck_assert_ptr_nonnull(mkdtemp(wheels));
    ck_assert_int_eq(chmod(wheels, 0755), 0);
    packages_write_wheels(wheels, "/nonexistent/mark");
    char *packages = memory_format("  pip_index = \"\"\n  pip_find_links = { \"%s\" }\n", wheels);
    daemon_begin(&daemon, &(struct daemon_options){.top = "", .packages = packages});
    char *key = ctl_ok(&daemon, "key", "create", "check", NULL);
    char *command = memory_format("node " FOLDER "/check.mjs http://127.0.0.1:%u %s "
                                  "http://127.0.0.1:%u",
                                  daemon.admin_port, key, daemon.port);
    ck_assert_msg(node_succeeds(command), "check.mjs failed; its message is above");
    free(command);
    free(key);
    free(packages);
    daemon_finish(&daemon);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, wheels, &error), 0);
}

SLOW_TEST(two_linters_find_nothing, 300)
{
    if (!node_install(FOLDER "/package.json", "openapi"))
        return;
    ck_assert(node_succeeds("REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true "
                            "node " FOLDER "/node_modules/@redocly/cli/bin/cli.js lint "
                            "--config " FOLDER "/redocly.yaml docs/openapi.yaml 2>&1"));
    ck_assert(node_succeeds("node " FOLDER "/node_modules/@stoplight/spectral-cli/dist/index.js "
                            "lint --ruleset " FOLDER "/spectral.yaml --fail-severity warn "
                            "docs/openapi.yaml"));
}
