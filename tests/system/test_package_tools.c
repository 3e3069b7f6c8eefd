/* The properties of pip and npm on which webhookd relies, with the packages of tests/packages/: how
 * they resolve, that they check hashes, and when code of a package runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "support/packages.h"
#include "support/suite.h"

#define PIP "python3 -m pip --isolated --disable-pip-version-check "
#define RESOLVE                                                                                    \
    PIP "install --dry-run --ignore-installed --report - -q --no-index --find-links wheels "
#define INSTALL                                                                                    \
    PIP "--python env/bin/python install --no-deps --require-hashes --only-binary :all: "          \
        "--no-index --find-links wheels -r lock "
#define NPM                                                                                        \
    "npm --registry \"http://127.0.0.1:$PORT\" --userconfig ../user --globalconfig ../global "     \
    "--cache ../cache --no-audit --no-fund --no-update-notifier "

struct bench {
    char folder[64];
    unsigned port; /* of the registry */
};

static void bench_begin(struct bench *bench)
{
    *bench = (struct bench){.folder = "/tmp/webhookd-test-tools-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(bench->folder));
    char *wheels = memory_format("%s/wheels", bench->folder);
    char *mark = memory_format("%s/mark", bench->folder);
    packages_write_wheels(wheels, mark);
    free(wheels);
    free(mark);
}

static void bench_end(struct bench *bench)
{
    char *command = memory_format("rm -rf '%s'", bench->folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

/* Runs a script in the folder and returns what it writes. Free it. */
static char *output_of(const struct bench *bench, const char *script)
{
    char *command =
        memory_format("{ cd '%s'; export PATH=/usr/local/bin:/usr/bin:/bin HOME=/nowhere "
                      "PORT=%u; %s; } 2>&1",
                      bench->folder, bench->port, script);
    struct buffer text = BUFFER_INIT;
    char piece[4096];
    FILE *out = popen(command, "r");
    ck_assert_ptr_nonnull(out);
    for (size_t bytes; (bytes = fread(piece, 1, sizeof(piece), out)) > 0;)
        ck_assert_int_eq(buffer_append(&text, piece, bytes), 0);
    pclose(out);
    free(command);
    return buffer_take(&text);
}

/* Expects each of the lines, which end with NULL, in what the script writes. */
static void expect(const struct bench *bench, const char *script, const char *const *parts)
{
    char *text = output_of(bench, script);
    for (; *parts; parts++)
        ck_assert_msg(text && strstr(text, *parts), "\"%s\" is not in: %s", *parts, text);
    free(text);
}

#define EXPECT(bench, script, ...) expect(bench, script, (const char *const[]){__VA_ARGS__, NULL})

TEST(pip_resolves_to_versions_and_hashes_without_installing)
{
    struct bench bench;
    if (!packages_have_pip())
        return;
    bench_begin(&bench);
    EXPECT(&bench,
           RESOLVE "--only-binary :all: lighthouse | python3 -c 'import json, sys\n"
                   "for i in json.load(sys.stdin)[\"install\"]:\n"
                   "    m = i[\"metadata\"]\n"
                   "    print(m[\"name\"], m[\"version\"], "
                   "i[\"download_info\"][\"archive_info\"][\"hash\"][:7])'",
           "lighthouse 2.0 sha256=", "harbour 1.1 sha256=");
    EXPECT(&bench, RESOLVE "--only-binary :all: 'tomorrow'", "requires a different Python");
    bench_end(&bench);
}

TEST(pip_runs_code_of_a_source_distribution_unless_it_takes_wheels_only)
{
    struct bench bench;
    if (!packages_have_pip())
        return;
    bench_begin(&bench);
    EXPECT(&bench, RESOLVE "--only-binary :all: evil; ls",
           "No matching distribution found for evil");
    EXPECT(&bench, "[ -e mark ] || echo 'no mark'", "no mark");
    EXPECT(&bench, RESOLVE "--no-build-isolation evil >report; ls", "mark");
    bench_end(&bench);
}

TEST(pip_installs_what_is_locked_and_refuses_another_hash)
{
    struct bench bench;
    if (!packages_have_pip())
        return;
    bench_begin(&bench);
    EXPECT(&bench,
           "python3 -m venv --without-pip env; "
           "echo \"harbour==1.0 --hash=sha256:$(sha256sum wheels/harbour-1.0* | cut -c 1-64)\" "
           ">lock; " INSTALL "; env/bin/harbour",
           "Successfully installed harbour-1.0", "\nharbour 1.0\n");
    EXPECT(&bench, "sed -i s/1.0/1.1/ lock; " INSTALL, "DO NOT MATCH THE HASHES");
    bench_end(&bench);
}

TEST(npm_locks_installs_and_refuses_another_hash)
{
    struct bench bench;
    struct registry registry;
    if (!packages_have_npm())
        return;
    bench_begin(&bench);
    registry_start(&registry);
    bench.port = registry.port;
    EXPECT(&bench,
           "touch user global; mkdir app; cd app; "
           "echo '{\"dependencies\": {\"buoy\": \"1\", \"anchor\": \"1.0.0\"}}' >package.json; " NPM
           "install --package-lock-only --ignore-scripts; grep integrity package-lock.json; ls",
           "\"integrity\": \"sha512-", "package-lock.json");
    EXPECT(
        &bench,
        "cd app; " NPM "ci --ignore-scripts; "
        "echo \"import {rings} from 'buoy'; console.log(rings)\" >a.mjs; node a.mjs; "
        "node -e \"console.log('required', require('anchor').version)\"; node_modules/.bin/anchor",
        "on anchor 1.0.0\n", "required 1.0.0\n", "\nanchor 1.0.0\n");
    registry_spoil(&registry);
    EXPECT(&bench, "cd app; rm -rf ../cache; " NPM "ci --ignore-scripts --fetch-retries=0",
           "EINTEGRITY");
    registry_stop(&registry);
    bench_end(&bench);
}

TEST(npm_runs_scripts_only_when_it_rebuilds)
{
    struct bench bench;
    struct registry registry;
    if (!packages_have_npm())
        return;
    bench_begin(&bench);
    registry_start(&registry);
    bench.port = registry.port;
    EXPECT(&bench,
           "touch user global; mkdir app; cd app; "
           "echo '{\"dependencies\": {\"capstan\": \"^1\"}}' >package.json; " NPM
           "install --ignore-scripts; ls node_modules/capstan; "
           "[ -e node_modules/capstan/ran ] || echo 'did not run'",
           "turn.js", "did not run");
    registry_stop(&registry);
    EXPECT(&bench, "cd app; " NPM "rebuild --offline; ls node_modules/capstan", "ran\n");
    bench_end(&bench);
}
