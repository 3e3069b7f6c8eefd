/* See node.h. */
#include "support/node.h"

#include <stdlib.h>

#include "base/memory.h"
#include "support/suite.h"

bool node_succeeds(const char *command)
{
    return system(command) == 0;
}

static bool is_installed(const char *manifest, const char *kind)
{
    char *command = memory_format(
        "node -e 'for (const [name, version] of Object.entries(require(\"./%s\").dependencies)) "
        "if (JSON.parse(require(\"fs\").readFileSync(\"tests/%s/node_modules/\" + name + "
        "\"/package.json\")).version !== version) process.exit(1)' 2>/dev/null",
        manifest, kind);
    bool is = node_succeeds(command);
    free(command);
    return is;
}

bool node_install(const char *manifest, const char *kind)
{
    char *install = memory_format(
        "npm install --prefix tests/%s --no-save --no-package-lock --no-audit --no-fund "
        "--prefer-offline --ignore-scripts --fetch-retries=1 --fetch-timeout=30000 "
        "$(node -p 'Object.entries(require(\"./%s\").dependencies)"
        ".map(e => e.join(\"@\")).join(\" \")') >/dev/null 2>&1",
        kind, manifest);
    bool is =
        is_installed(manifest, kind) || (node_succeeds(install) && is_installed(manifest, kind));
    free(install);
    if (!is)
        test_skip(
            "npm cannot install the packages: Node is missing, or the registry is out of reach");
    return is;
}
