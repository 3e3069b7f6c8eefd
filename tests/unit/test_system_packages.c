/* The packages that a machine has, by status files of dpkg that the tests write. */
#include "packages/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/fleet_file.h"
#include "support/suite.h"
#include "unit/fleet_cases.h"

static const char STATUS[] =
    "Package: libpq5\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\n"
    "Version: 15.8-0+deb12u1\nDescription: PostgreSQL C client library\n libpq is a library.\n"
    " .\n Package: hidden-in-a-description\n\n"
    "Package: libpq5\nStatus: install ok installed\nArchitecture: i386\nVersion: 15.7-0+deb12u1\n\n"
    "Package: mawk\nStatus: install ok installed\nProvides: awk,\n editor (= 1.0), cron:any\n"
    "Version: 1.3\n\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1.0\nProvides: gone-too\n\n"
    "Package: half\nStatus: install ok unpacked\nVersion: 1.0\n\n"
    "Package: broken\nStatus: install reinstreq installed\nVersion: 1.0\n\n"
    "package: held\nSTATUS: hold ok installed\nversion: 2.0\n";

/* Writes the status file and returns its path. Remove and free it. */
static char *write_status(const char *text)
{
    char *path = memory_string("/tmp/webhookd-test-status-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

/* Returns the words about "name=version name …" for this file; "" if all packages are there. Free
 * it. */
static char *words_about(const char *status, const char *wanted, size_t most)
{
    struct error error = ERROR_INIT;
    struct package_list list = {0};
    char *path = write_status(status), *copy = memory_string(wanted), *rest = NULL;
    for (char *item = strtok_r(copy, " ", &rest); item; item = strtok_r(NULL, " ", &rest)) {
        char *version = strchr(item, '=');
        if (version)
            *version++ = '\0';
        packages_add(&list, item, version ? version : "");
    }
    struct system_packages *installed = system_packages_read(path, &error);
    ck_assert_msg(installed, "%s", error.message);
    char *words = system_packages_missing(installed, &list, most);
    system_packages_free(installed);
    packages_free(&list);
    unlink(path);
    free(path);
    free(copy);
    return words ? words : memory_string("");
}

static void expect_words(const char *wanted, const char *words)
{
    char *found = words_about(STATUS, wanted, PACKAGES_MAX);
    ck_assert_str_eq(found, words);
    free(found);
}

#define MISSING(names, command)                                                                    \
    "system packages are missing: " names                                                          \
    "; an administrator installs them with: apt-get install " command

TEST(installed_packages_are_found)
{
    expect_words("libpq5 mawk held", "");
    expect_words("libpq5=15.8-0+deb12u1 held=2.0", "");
    expect_words("libpq5=15.7-0+deb12u1", ""); /* of the other architecture */
    expect_words("", "");
}

TEST(packages_that_are_not_wholly_installed_are_missing)
{
    expect_words("libxml2", MISSING("libxml2", "libxml2"));
    expect_words("gone half broken", MISSING("gone, half, broken", "gone half broken"));
    expect_words("mawk libxml2 held", MISSING("libxml2", "libxml2"));
    expect_words("hidden-in-a-description",
                 MISSING("hidden-in-a-description", "hidden-in-a-description"));
    expect_words("libpq", MISSING("libpq", "libpq"));
}

TEST(another_version_than_the_named_one_is_missing)
{
    expect_words("held=2.1", MISSING("held=2.1 (installed is 2.0)", "held=2.1"));
    expect_words("held=2", MISSING("held=2 (installed is 2.0)", "held=2"));
    expect_words("libxml2=1.0", MISSING("libxml2=1.0", "libxml2=1.0"));
}

TEST(a_provided_name_counts_only_without_a_version)
{
    expect_words("awk editor cron", "");
    expect_words("gone-too", MISSING("gone-too", "gone-too"));
    expect_words("editor=1.0", MISSING("editor=1.0", "editor=1.0"));
}

TEST(the_words_name_a_bounded_number_of_packages)
{
    char *words = words_about("", "a1 b1 c1 d1", 2);
    ck_assert_str_eq(words, MISSING("a1, b1 and 2 more", "a1 b1 ..."));
    free(words);
}

TEST(status_files_of_any_shape_are_read)
{
    static const char *const FILES[] = {
        "",
        "\n",
        "\n\n\n",
        "Package",
        "Package:",
        ":",
        " ",
        " a\n b",
        "Package: a\nStatus:",
        "Package: a1\nStatus: install ok installed\nVersion: 1\nProvides: ,, ,(,:",
        "\nPackage: a1",
        "Package: a1\nStatus: ok installed\nVersion: 1"};
    for (size_t i = 0; i < ARRAY_COUNT(FILES); i++) {
        char *words = words_about(FILES[i], "libpq5", 1);
        ck_assert_str_eq(words, MISSING("libpq5", "libpq5"));
        free(words);
    }
    char *last_line = words_about("Package: a1\nVersion: 1\nStatus: install ok installed", "a1", 1);
    ck_assert_str_eq(last_line, "");
    free(last_line);
}

TEST(a_machine_without_dpkg_is_told_apart)
{
    struct error error = ERROR_INIT;
    ck_assert_ptr_null(system_packages_read("/nowhere/status", &error));
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(error.message, "this machine has no dpkg (/nowhere/status)"));
}

TEST(a_status_file_has_at_most_64_mib)
{
    struct error error = ERROR_INIT;
    char *path = write_status(STATUS);
    ck_assert_int_eq(truncate(path, (64 << 20) + 1), 0);
    ck_assert_ptr_null(system_packages_read(path, &error));
    ck_assert_int_eq(error.kind, ERROR_INVALID);
    ck_assert_ptr_nonnull(strstr(error.message, "system packages cannot be looked up"));
    unlink(path);
    free(path);
}

TEST(a_check_is_an_error_if_packages_are_missing)
{
    struct package_list list = {0};
    struct error error = ERROR_INIT;
    char *path = write_status(STATUS);
    ck_assert_int_eq(system_packages_check("/nowhere/status", &list, &error), 0);
    packages_add(&list, "libpq5", "");
    ck_assert_int_eq(system_packages_check(path, &list, &error), 0);
    ck_assert_int_eq(system_packages_check("/nowhere/status", &list, &error), -1);
    error_clear(&error);
    packages_add(&list, "libxml2", "");
    ck_assert_int_eq(system_packages_check(path, &list, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_NOT_FOUND);
    ck_assert_str_eq(error.message, MISSING("libxml2", "libxml2"));
    packages_free(&list);
    unlink(path);
    free(path);
}

/* ---- in the check of a fleet file ---- */

static char *say_missing(void *context, const struct package_list *list)
{
    return memory_format("%s lacks %s", (const char *)context, list->items[0].name);
}

static void read_with_machine(const char *file, bool strict, struct fleet_problems *problems,
                              struct fleet_problems *notes)
{
    static char machine[] = "machine";
    const struct fleet_file_options options = {
        .missing_packages = say_missing, .context = machine, .strict = strict};
    definition_free(fleet_file_parse(file, strlen(file), &options, problems, notes));
}

TEST(missing_system_packages_are_noted_and_refused_in_a_strict_reading)
{
    static const struct {
        const char *file, *path;
        int line;
    } cases[] = {
        {SOURCE "      system_packages: { name: aa }\n", "vessels.a.source.system_packages", 8},
        {SOURCE "      packages: { name: aa }\n", "vessels.a.source.packages", 8}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (int strict = 0; strict <= 1; strict++) {
            struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
            read_with_machine(cases[i].file, strict != 0, &problems, &notes);
            const struct fleet_problems *found = strict ? &problems : &notes;
            ck_assert_uint_eq(problems.count + notes.count, 1);
            ck_assert(has(found, cases[i].line, cases[i].path, "machine lacks aa"));
            report_free_problems(&problems);
            report_free_problems(&notes);
        }
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    read_with_machine(SOURCE, false, &problems, &notes);
    ck_assert_uint_eq(problems.count + notes.count, 0);
}
