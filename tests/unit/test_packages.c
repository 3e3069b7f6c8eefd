/* Packages in a fleet file: the rules for names and versions, and what becomes of them. */
#include "model/packages.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "support/suite.h"
#include "unit/fleet_cases.h"

#define SOURCE_IN(language)                                                                        \
    "name: x\nvessels:\n  a:\n    source:\n      type: CODE\n      language: " language "\n"       \
    "      file: { name: a, content: x }\n"
#define PYTHON SOURCE_IN("PYTHON")
#define NODE   SOURCE_IN("NODE")

/* ---- names and versions ---- */

static void expect_name(enum package_kind kind, const char *name, const char *problem)
{
    const char *found = packages_name_problem(kind, name);
    ck_assert_msg(!problem ? !found : found && strstr(found, problem), "%s: %s", name,
                  found ? found : "accepted");
}

static void expect_version(enum package_kind kind, const char *version, bool is_good)
{
    const char *found = packages_version_problem(kind, version);
    ck_assert_msg(is_good == !found, "%s: %s", version, found ? found : "accepted");
}

TEST(python_names_may_have_extras)
{
    static const char *const GOOD[] = {"requests",       "httpx[http2]",     "httpx[http2, brotli]",
                                       "zope.interface", "Flask_SQLAlchemy", "a",
                                       "3to2",           "x[ a ,b ]"};
    static const char *const BAD[] = {"a b", "a;x", "a[", "a[]",  "a[b",    "a[b]c", "a[b,]",
                                      "_a",  "a-",  "é",  "a==1", "a[b;c]", "a[,b]"};
    for (size_t i = 0; i < ARRAY_COUNT(GOOD); i++)
        expect_name(PACKAGE_PYTHON, GOOD[i], NULL);
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        expect_name(PACKAGE_PYTHON, BAD[i], "not the name of a Python package");
}

TEST(npm_names_may_have_a_scope)
{
    static const char *const GOOD[] = {"lodash", "@scope/name", "JSONStream",
                                       "a.b",    "a~b",         "left-pad"};
    static const char *const BAD[] = {"_a",  "a b",       "@scope",       "@/a",
                                      "@a/", "@_a/b",     "node_modules", "favicon.ico",
                                      "a'b", "__proto__", "a%2fb"};
    for (size_t i = 0; i < ARRAY_COUNT(GOOD); i++)
        expect_name(PACKAGE_NODE, GOOD[i], NULL);
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        expect_name(PACKAGE_NODE, BAD[i], "not the name of an npm package");
}

TEST(debian_names_are_those_of_the_policy)
{
    static const char *const GOOD[] = {"libpq5", "g++", "libstdc++6", "r-base", "0ad"};
    static const char *const BAD[] = {"LibPQ", "a", "lib_pq", "libpq5-", "libpq5=1", "libpq5*"};
    for (size_t i = 0; i < ARRAY_COUNT(GOOD); i++)
        expect_name(PACKAGE_SYSTEM, GOOD[i], NULL);
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        expect_name(PACKAGE_SYSTEM, BAD[i], "not the name of a Debian package");
}

TEST(paths_urls_and_options_are_not_names_of_any_kind)
{
    static const char *const BAD[] = {"--index-url",
                                      "-r",
                                      "./a",
                                      "../a",
                                      "/tmp/a.whl",
                                      "~/a",
                                      "git+https://example.org/a",
                                      "https://example.org/a.tgz",
                                      "a @ file:///tmp/a",
                                      "a@1",
                                      "acme/tool",
                                      "c:\\a",
                                      "a\nb",
                                      "a\r",
                                      "@a/b/c",
                                      "npm:a",
                                      "libc6:amd64"};
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        for (int kind = PACKAGE_PYTHON; kind <= PACKAGE_SYSTEM; kind++)
            expect_name((enum package_kind)kind, BAD[i], "packages come from the configured index");
}

TEST(names_and_versions_are_bounded)
{
    char text[300] = "";
    memset(text, '1', 214);
    for (int kind = PACKAGE_PYTHON; kind <= PACKAGE_SYSTEM; kind++) {
        text[214] = '\0';
        expect_name((enum package_kind)kind, text, NULL);
        text[214] = '1';
        expect_name((enum package_kind)kind, text, "at most 214 bytes");
        text[200] = '\0';
        expect_version((enum package_kind)kind, text, true);
        text[200] = '1';
        expect_version((enum package_kind)kind, text, false);
        expect_name((enum package_kind)kind, "", "must not be empty");
        expect_version((enum package_kind)kind, "", true);
    }
}

TEST(python_versions_are_specifiers_or_bare)
{
    static const char *const GOOD[] = {"1.0",     "==1.0",       ">=1,<2", " >= 1 , < 2 ",
                                       "~=1.4.2", "!=1.5.*",     "==1.*",  "1!2.0",
                                       "2.0rc1",  "1.0+local.1", "===1.0", "v1"};
    static const char *const BAD[] = {
        "latest", "^1.0",        "1.0,<2",   ">=1 <2",         ">=1,",    ",>=1",
        "==",     "@ https://x", "==1.0; x", "==1.0 --hash=a", "==1.0\n", "*",
        "==1/0",  "= 1",         "1.0 2.0",  "==file",         "=>1"};
    for (size_t i = 0; i < ARRAY_COUNT(GOOD); i++)
        expect_version(PACKAGE_PYTHON, GOOD[i], true);
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        expect_version(PACKAGE_PYTHON, BAD[i], false);
}

TEST(npm_versions_are_ranges_and_nothing_else_that_npm_reads)
{
    static const char *const GOOD[] = {"1.0.0",  "^1.2",           "~1",
                                       ">=1 <2", "1.x || >=2.5.0", "*",
                                       "x",      "1.2 - 2.0",      "1.0.0-beta.1+build",
                                       "=1",     "v1.0.0"};
    static const char *const BAD[] = {"file:../a",
                                      "../a",
                                      ".",
                                      "npm:other@1",
                                      "git+ssh://x",
                                      "acme/tool",
                                      "acme/tool#main",
                                      "https://x/a.tgz",
                                      "1.0.tgz",
                                      "1.tar.gz",
                                      "1.tar",
                                      "workspace:*",
                                      "latest",
                                      "~/a",
                                      "1@2",
                                      "1\n2",
                                      "-1",
                                      "virus",
                                      "1;2"};
    for (size_t i = 0; i < ARRAY_COUNT(GOOD); i++)
        expect_version(PACKAGE_NODE, GOOD[i], true);
    for (size_t i = 0; i < ARRAY_COUNT(BAD); i++)
        expect_version(PACKAGE_NODE, BAD[i], false);
}

TEST(debian_versions_are_exact)
{
    expect_version(PACKAGE_SYSTEM, "15.8-0+deb12u1", true);
    expect_version(PACKAGE_SYSTEM, "1:4.0~rc1-2", true);
    expect_version(PACKAGE_SYSTEM, ">=1", false);
    expect_version(PACKAGE_SYSTEM, "=1", false);
    expect_version(PACKAGE_SYSTEM, "stable", false);
    expect_version(PACKAGE_SYSTEM, "1 2", false);
}

static void expect_requirement(const char *name, const char *version, const char *line)
{
    struct package_list list = {0};
    packages_add(&list, name, version);
    char *found = packages_requirement(&list.items[0]);
    ck_assert_str_eq(found, line);
    free(found);
    packages_free(&list);
}

TEST(a_requirement_is_one_line_of_pep_508)
{
    expect_requirement("requests", "", "requests");
    expect_requirement("requests", "1.0", "requests==1.0");
    expect_requirement("httpx[http2]", ">=0.27,<1", "httpx[http2]>=0.27,<1");
    expect_requirement("a", "==1.0", "a==1.0");
    expect_requirement("a", " >=1", "a>=1");
    expect_requirement("a", " 1", "a==1");
}

/* ---- in a fleet file ---- */

/* Returns "name=version|…". */
static char *text_of(const struct package_list *list)
{
    struct buffer text = BUFFER_INIT;
    for (size_t i = 0; i < list->count; i++)
        buffer_append_format(&text, "%s%s=%s", i == 0 ? "" : "|", list->items[i].name,
                             list->items[i].version);
    char *copy = memory_string(buffer_text(&text));
    buffer_free(&text);
    return copy;
}

static void expect_packages(const char *file, const char *packages, const char *system_packages)
{
    struct outcome outcome = parse_good(file);
    char *found = text_of(&outcome.definition->vessels[0].packages);
    char *found_system = text_of(&outcome.definition->vessels[0].system_packages);
    ck_assert_str_eq(found, packages);
    ck_assert_str_eq(found_system, system_packages);
    ck_assert_uint_eq(outcome.notes.count, 0);
    free(found);
    free(found_system);
    outcome_free(&outcome);
}

TEST(packages_are_read_as_written)
{
    expect_packages(PYTHON
                    "      packages:\n        - { name: \"httpx[http2]\", version: '>=0.27' }\n"
                    "        - { name: Flask }\n      system_packages: { name: libpq5 }\n",
                    "httpx[http2]=>=0.27|Flask=", "libpq5=");
    expect_packages(NODE
                    "      packages: [ { name: '@a/b', version: ^1.0 }, { name: b, version: } ]\n",
                    "@a/b=^1.0|b=", "");
    expect_packages(PYTHON "      packages:\n      system_packages: []\n", "", "");
}

TEST(packages_of_a_bash_vessel_are_system_packages)
{
    expect_packages(SOURCE "      packages: [ { name: jq } ]\n"
                           "      system_packages: [ { name: curl, version: 7.88.1-10 } ]\n",
                    "", "jq=|curl=7.88.1-10");
    refuse(SOURCE "      packages: [ { name: jq } ]\n      system_packages: [ { name: jq } ]\n", 9,
           "vessels.a.source.system_packages", "\"jq\" is given twice");
}

TEST(packages_that_cannot_be_asked_for_are_refused_with_path_and_line)
{
    refuse(PYTHON "      packages:\n        - { name: ./wheel.whl }\n", 9,
           "vessels.a.source.packages[0].name", "packages come from the configured index");
    refuse(PYTHON "      packages:\n        - name: a\n          version: ^1\n", 10,
           "vessels.a.source.packages[0].version", "PEP 440");
    refuse(NODE "      packages: [ { name: a, version: 'file:..' } ]\n", 8,
           "vessels.a.source.packages[0].version", "semver");
    refuse(PYTHON "      system_packages: [ { name: A } ]\n", 8,
           "vessels.a.source.system_packages[0].name", "Debian");
    refuse(PYTHON "      packages: [ requests ]\n", 8, "vessels.a.source.packages[0]",
           "must be written as {name");
    refuse(PYTHON "      packages: requests\n", 8, "vessels.a.source.packages", "must be a list");
    refuse(PYTHON "      packages: { version: '1' }\n", 8, "vessels.a.source.packages.name",
           "missing");
    refuse(PYTHON "      packages: { name: a, url: b }\n", 8, "vessels.a.source.packages.url",
           "unknown key");
}

TEST(a_package_given_twice_is_refused)
{
    refuse(PYTHON "      packages: [ { name: Zope.Interface }, { name: 'zope__interface[x]' } ]\n",
           8, "vessels.a.source.packages", "\"zope-interface\" is given twice");
    refuse(NODE "      packages: [ { name: b }, { name: a }, { name: b, version: '1' } ]\n", 8,
           "vessels.a.source.packages", "\"b\" is given twice");
    expect_packages(NODE "      packages: [ { name: b }, { name: B } ]\n", "b=|B=", "");
}

TEST(a_vessel_has_at_most_200_packages)
{
    for (int more = 0; more <= 1; more++) {
        struct buffer text = BUFFER_INIT;
        buffer_append_text(&text, PYTHON "      packages:\n");
        for (int i = 0; i < PACKAGES_MAX + more; i++)
            buffer_append_format(&text, "        - { name: a%d }\n", i);
        if (more) {
            refuse(buffer_text(&text), 8, "vessels.a.source.packages", "at most 200 packages");
        } else {
            struct outcome outcome = parse_good(buffer_text(&text));
            ck_assert_uint_eq(outcome.definition->vessels[0].packages.count, PACKAGES_MAX);
            outcome_free(&outcome);
        }
        buffer_free(&text);
    }
}

static char *form_of(const char *file)
{
    struct outcome outcome = parse_good(file);
    char *form = definition_json_write(outcome.definition, false);
    outcome_free(&outcome);
    return form;
}

TEST(changed_packages_change_the_definition_and_their_order_does_not)
{
    static const char *const FILES[] = {
        PYTHON,
        PYTHON "      packages: [ { name: a } ]\n",
        PYTHON "      packages: [ { name: a, version: '1' } ]\n",
        PYTHON "      packages: [ { name: a, version: '2' } ]\n",
        PYTHON "      packages: [ { name: b, version: '1' } ]\n",
        PYTHON "      system_packages: [ { name: aa } ]\n",
    };
    char *forms[ARRAY_COUNT(FILES)];
    for (size_t i = 0; i < ARRAY_COUNT(FILES); i++) {
        forms[i] = form_of(FILES[i]);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(forms[i], forms[j]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(FILES); i++)
        free(forms[i]);
    char *one = form_of(PYTHON "      packages: [ { name: a, version: '1' }, { name: b } ]\n");
    char *other = form_of(PYTHON "      packages: [ { name: b }, { name: a, version: '1' } ]\n");
    ck_assert_str_eq(one, other);
    free(one);
    free(other);
}

TEST(packages_are_read_back_from_the_stored_form)
{
    struct outcome outcome =
        parse_good(PYTHON "      packages: [ { name: b }, { name: \"a[x]\", version: '>=1,<2' } ]\n"
                          "      system_packages: { name: libpq5, version: 15.8-0+deb12u1 }\n");
    struct error error = ERROR_INIT;
    char *form = definition_json_write(outcome.definition, true);
    struct definition *read = definition_json_read(form, strlen(form), &error);
    ck_assert_msg(read, "%s", error.message);
    const struct definition_vessel *vessel = &read->vessels[0];
    const struct definition_vessel *written = &outcome.definition->vessels[0];
    ck_assert(packages_equal(&vessel->packages, &written->packages));
    ck_assert(packages_equal(&vessel->system_packages, &written->system_packages));
    ck_assert(!packages_equal(&vessel->packages, &vessel->system_packages));
    free(form);
    definition_free(read);
    outcome_free(&outcome);
}

TEST(damaged_packages_of_a_stored_definition_are_reported)
{
    char *form = form_of(PYTHON "      packages: [ { name: a, version: '1' } ]\n");
    char *at = strstr(form, "{\"a\":\"1\"}");
    ck_assert_ptr_nonnull(at);
    static const char *const DAMAGED[] = {"{\"a\":  1 }", "[ \"a\",\"1\"]"};
    for (size_t i = 0; i < ARRAY_COUNT(DAMAGED); i++) {
        char *damaged = memory_format("%.*s%s%s", (int)(at - form), form, DAMAGED[i],
                                      at + strlen("{\"a\":\"1\"}"));
        struct error error = ERROR_INIT;
        ck_assert_ptr_null(definition_json_read(damaged, strlen(damaged), &error));
        ck_assert_ptr_nonnull(strstr(error.message, "packages"));
        free(damaged);
    }
    free(form);
}
