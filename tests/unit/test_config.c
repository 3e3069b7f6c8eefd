#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/suite.h"
#include "unit/config_cases.h"

TEST(empty_file_is_all_defaults)
{
    struct config *config = accept("");
    ck_assert_str_eq(config->state_dir, "/var/lib/webhookd");
    ck_assert_str_eq(config->store, "sqlite:webhookd.db");
    ck_assert_int_eq(config->log_level, LOG_LEVEL_INFO);
    ck_assert_int_eq(config->log_format, LOG_FORMAT_TEXT);
    ck_assert_int_eq(config->min_free_bytes, 256 << 20);
    ck_assert_str_eq(config->hooks.listen, "0.0.0.0:8080");
    ck_assert_str_eq(config->hooks.public_url, "http://localhost:8080");
    ck_assert_int_eq(config->hooks.max_body_bytes, 32 << 20);
    ck_assert_int_eq(config->hooks.max_connections, 10000);
    ck_assert_int_eq(config->hooks.max_in_flight_bytes, 256 << 20);
    ck_assert_int_eq(config->hooks.header_timeout_ms, 10000);
    ck_assert_int_eq(config->hooks.body_timeout_ms, 60000);
    ck_assert_int_eq(config->hooks.idle_timeout_ms, 75000);
    ck_assert_int_eq(config->hooks.answer_timeout_ms, 8000);
    ck_assert_uint_eq(config->hooks.trusted_proxies.count, 0);
    ck_assert_str_eq(config->hooks.tls_certificate, "");
    ck_assert_str_eq(config->hooks.tls_key, "");
    ck_assert_str_eq(config->admin.listen, "127.0.0.1:8081");
    ck_assert_str_eq(config->admin.socket, "/run/webhookd/admin.sock");
    ck_assert_str_eq(config->admin.socket_group, "");
    ck_assert_str_eq(config->admin.public_url, "");
    ck_assert_uint_eq(config->admin.hosts.count, 0);
    config_release(config);
}

TEST(empty_file_has_the_runners_defaults)
{
    struct config *config = accept("\n\n# nothing\n");
    ck_assert(config->runner.enabled);
    ck_assert_int_eq(config->runner.max_vessels, 0);
    ck_assert_int_eq(config->runner.nice, 5);
    ck_assert_int_eq(config->runner.max_output_bytes, 10 << 20);
    ck_assert_int_eq(config->runner.stop_grace_ms, 10000);
    ck_assert_str_eq(config->runner.bash, "bash");
    ck_assert_str_eq(config->runner.python, "python3");
    ck_assert_str_eq(config->runner.node, "node");
    ck_assert_str_eq(config->runner.path, "/usr/local/bin:/usr/bin:/bin");
    ck_assert_int_eq(config->runner.sandbox, CONFIG_SANDBOX_STRICT);
    ck_assert_str_eq(config->runner.user, "nobody");
    ck_assert_uint_eq(config->runner.readable.count, 0);
    ck_assert_uint_eq(config->runner.writable.count, 0);
    ck_assert(config->runner.network);
    ck_assert_int_eq(config->runner.max_memory_bytes, 1 << 30);
    ck_assert_int_eq(config->runner.max_processes, 512);
    ck_assert_int_eq(config->runner.max_open_files, 1024);
    ck_assert_int_eq(config->runner.max_disk_bytes, INT64_C(10) << 30);
    ck_assert_int_eq(config->retention.runs_ms, INT64_C(90) * 86400000);
    ck_assert_uint_eq(config->fleet_count, 0);
    config_release(config);
}

TEST(empty_file_has_the_defaults_of_packages)
{
    struct config *config = accept("");
    ck_assert(config->packages.enabled);
    ck_assert_str_eq(config->packages.dir, "/var/cache/webhookd");
    ck_assert(config->packages.network);
    ck_assert(!config->packages.build);
    ck_assert_int_eq(config->packages.system, CONFIG_SYSTEM_HOST);
    ck_assert_str_eq(config->packages.pip_index, "https://pypi.org/simple");
    ck_assert_uint_eq(config->packages.pip_find_links.count, 0);
    ck_assert_str_eq(config->packages.npm, "npm");
    ck_assert_str_eq(config->packages.npm_registry, "https://registry.npmjs.org");
    ck_assert_str_eq(config->packages.ca_file, "");
    ck_assert_str_eq(config->packages.proxy, "");
    ck_assert_str_eq(config->packages.netrc, "");
    ck_assert_int_eq(config->packages.max_installs, 2);
    ck_assert_int_eq(config->packages.timeout_ms, 600000);
    ck_assert_int_eq(config->packages.max_memory_bytes, INT64_C(2) << 30);
    ck_assert_int_eq(config->packages.max_size_bytes, INT64_C(5) << 30);
    ck_assert_int_eq(config->packages.keep_ms, INT64_C(30) * 86400000);
    config_release(config);
}

TEST(urls_of_packages_have_no_credentials_and_no_trailing_slash)
{
    struct config *config = accept("packages { pip_index = \"http://pip.example/simple/\" "
                                   "npm_registry = \"https://npm.example/\" }");
    ck_assert_str_eq(config->packages.pip_index, "http://pip.example/simple");
    ck_assert_str_eq(config->packages.npm_registry, "https://npm.example");
    config_release(config);
    assert_accepted("packages { pip_index = \"\" }");
    assert_refused("packages { npm_registry = \"\" }", "w.conf:1: packages.npm_registry: \"\"",
                   NULL);
    assert_refused("packages { pip_index = \"https://u:p@pip.example/\" }",
                   "w.conf:1: packages.pip_index: \"https://u:p@pip.example/\" is neither", NULL);
    assert_refused("packages { npm_registry = \"ftp://npm.example\" }",
                   "w.conf:1: packages.npm_registry: \"ftp://npm.example\" is not", NULL);
    assert_refused("packages { proxy = \"http://u:p@proxy.example\" }",
                   "w.conf:1: packages.proxy: \"http://u:p@proxy.example\" is neither", NULL);
}

TEST(every_default_is_accepted_in_the_file)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key_info *info = &config_keys[i].info;
        char *text = setting(info, info->default_text);
        assert_accepted(text);
        free(text);
    }
}

/* ---- start and reload ---- */

TEST(start_is_refused_if_the_configuration_would_be_dangerous)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"runner { sandbox = off } hooks { tls_certificate = /c tls_key = /k }", "hooks.tls_cert"},
        {"packages { system = layer }", "packages.system: \"layer\" is not available yet"},
        {"packages { system = layer enabled = false }", "packages.system"},
        {"packages { build = true }", "packages.build: building packages is not available yet"},
        {"packages { dir = \"/var/lib/webhookd/packages\" }",
         "packages.dir: \"/var/lib/webhookd/p"},
        {"packages { dir = \"/var/lib/webhookd\" }", "packages.dir"},
        {"packages { dir = \"/var/lib\" }", "packages.dir"},
        {"packages { netrc = \"/nowhere/netrc\" }", "packages.netrc: cannot read"},
        {"packages { netrc = \"/usr\" }", "packages.netrc: \"/usr\" is not a file"},
        {"packages { netrc = \"/etc/passwd\" }", "packages.netrc: others than its owner"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct config *config = accept(cases[i].text);
        struct error error = ERROR_INIT;
        ck_assert_int_ne(config_check_start(config, &error), 0);
        ck_assert_int_eq(error.kind, ERROR_INVALID);
        ck_assert_int_eq(strncmp(error.message, cases[i].why, strlen(cases[i].why)), 0);
        config_release(config);
    }
    static const char *const good[] = {
        "runner { sandbox = off } fleet \"a/b/c\" { sandbox = off }",
        "packages { dir = \"/var/lib/webhookd-packages\" }",
        "packages { enabled = false dir = \"/var/lib\" netrc = \"/nowhere\" }",
    };
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        struct config *config = accept(good[i]);
        struct error error = ERROR_INIT;
        ck_assert_int_eq(config_check_start(config, &error), 0);
        config_release(config);
    }
    assert_refused("hooks {\ntls_key = /k }", "w.conf:2: hooks.tls_certificate: missing", NULL);
    assert_refused("hooks {\ntls_certificate = /k }", "w.conf:2: hooks.tls_key: missing", NULL);
}

/* Returns a valid value other than the default. */
static const char *other_value(const struct config_key_info *info)
{
    static const struct {
        const char *range, *value;
    } values[] = {
        {"true or false", "true"},
        {"error, warning", "debug"},
        {"text, json", "json"},
        {"strict, off", "off"},
        {"host, layer", "layer"},
        {"an http", "\"http://other\""},
        {"\"sqlite", "\"sqlite:other.db\""},
        {"\"ADDRESS", "\"127.0.0.1:9\""},
        {"addresses", "{ \"127.0.0.9\" }"},
        {"absolute paths separated", "\"/other\""},
        {"absolute paths", "{ \"/other\" }"},
        {"host names", "{ \"other.example\" }"},
        {"an absolute path", "\"/other\""},
        {"a name", "\"other\""},
        {"a user", "\"other\""},
        {"a group", "\"other\""},
    };
    if (strcmp(info->default_text, "true") == 0)
        return "false";
    for (size_t i = 0; i < ARRAY_COUNT(values); i++)
        if (strncmp(info->range_text, values[i].range, strlen(values[i].range)) == 0)
            return values[i].value;
    static char high[32]; /* the upper end of a range */
    const char *to = strstr(info->range_text, " to ");
    ck_assert_msg(to, "%s: this test knows no value for %s", info->name, info->range_text);
    snprintf(high, sizeof(high), "%s", to + 4);
    return high;
}

TEST(every_key_that_needs_a_restart_is_reported)
{
    struct config *running = accept("");
    size_t silent = 0, said = 0;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key_info *info = &config_keys[i].info;
        bool is_tls = strncmp(info->name, "tls_", 4) == 0;
        char *text = is_tls ? memory_string("hooks { tls_key = /k tls_certificate = /c }")
                            : setting(info, other_value(info));
        struct config *fresh = accept(text);
        struct config_report report = {0};
        config_report_restart(running, fresh, &report);
        char *line =
            memory_format("%s%s%s", info->section, info->section[0] ? "." : "", info->name);
        ck_assert_msg(report.count == (is_tls ? 2 : !info->reloadable), "%s", text);
        ck_assert_msg(has_line(&report, line) == !info->reloadable, "%s", line);
        *(info->reloadable ? &silent : &said) += 1;
        config_report_free(&report);
        config_report_restart(fresh, fresh, &report);
        ck_assert_uint_eq(report.count, 0);
        free(line);
        free(text);
        config_release(fresh);
    }
    ck_assert_uint_eq(silent, 38);
    ck_assert_uint_gt(said, 12);
    config_release(running);
}

TEST(changed_fleet_sections_need_a_restart)
{
    struct config *running = accept("fleet \"a/b/c\" { user = x }");
    static const char *const changed[] = {"", "fleet \"a/b/c\" { user = y }",
                                          "fleet \"a/b/c\" { user = x sandbox = strict }",
                                          "fleet \"a/b/d\" { user = x }"};
    for (size_t i = 0; i < ARRAY_COUNT(changed); i++) {
        struct config *fresh = accept(changed[i]);
        struct config_report report = {0};
        config_report_restart(running, fresh, &report);
        ck_assert_uint_eq(report.count, 1);
        ck_assert(has_line(&report, "fleet"));
        config_report_free(&report);
        config_release(fresh);
    }
    config_release(running);
}

TEST(snapshot_lives_as_long_as_it_is_referenced)
{
    struct config *config = accept("state_dir = \"/a\"");
    ck_assert_ptr_eq(config_hold(config), config);
    config_release(config);
    ck_assert_str_eq(config->state_dir, "/a");
    config_release(config);
    config_release(NULL);
}

/* ---- files ---- */

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

TEST(unreadable_files_are_refused)
{
    char folder[] = "/tmp/test-config-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *link = memory_format("%s/link", folder), *file = memory_format("%s/w.conf", folder);
    ck_assert_int_eq(symlink(folder, link), 0);
    const char *paths[] = {folder, link, file, "/dev/null"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct config_report report = {0};
        ck_assert_ptr_null(config_load(paths[i], &report));
        ck_assert_uint_eq(report.count, 1);
        ck_assert_ptr_nonnull(strstr(report.lines[0], paths[i]));
        bool says_create = strstr(report.lines[0], "create it, an empty file is valid; or name");
        ck_assert_int_eq(says_create, paths[i] == file);
        config_report_free(&report);
    }
    if (geteuid() != 0) { /* root may read any file */
        write_text(file, "");
        ck_assert_int_eq(chmod(file, 0), 0);
        struct config_report report = {0};
        ck_assert_ptr_null(config_load(file, &report));
        ck_assert(has_line(&report, file));
        config_report_free(&report);
        unlink(file);
    }
    unlink(link);
    rmdir(folder);
    free(link);
    free(file);
}

TEST(file_may_have_at_most_a_mebibyte)
{
    char folder[] = "/tmp/test-config-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *file = memory_format("%s/w.conf", folder);
    char *text = memory_alloc((1 << 20) + 2);
    memset(text, '\n', 1 << 20);
    struct config_report report = {0};
    write_text(file, text);
    struct config *config = config_load(file, &report);
    ck_assert_ptr_nonnull(config);
    config_release(config);
    text[1 << 20] = '\n';
    write_text(file, text);
    ck_assert_ptr_null(config_load(file, &report));
    ck_assert(has_line(&report, file));
    config_report_free(&report);
    unlink(file);
    rmdir(folder);
    free(text);
    free(file);
}

TEST(errors_of_a_file_begin_with_its_path)
{
    char folder[] = "/tmp/test-config-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *file = memory_format("%s/w.conf", folder);
    char *line = memory_format("%s:2: store: ", file);
    write_text(file, "\nstore = 7\n");
    struct config_report report = {0};
    ck_assert_ptr_null(config_load(file, &report));
    ck_assert_uint_eq(report.count, 1);
    ck_assert_int_eq(strncmp(report.lines[0], line, strlen(line)), 0);
    config_report_free(&report);
    unlink(file);
    rmdir(folder);
    free(line);
    free(file);
}

/* ---- the texts about the keys (read from the top of the checkout, where tests run) ---- */

/* Splits " name = value" into its parts. */
static bool split_setting(const char *line, char name[64], char value[256])
{
    return sscanf(line, " %63[a-z_] = %255[^\n]", name, value) == 2;
}

TEST(example_has_every_key_once_in_order_with_its_default)
{
    char *example = read_text("webhookd.conf.example");
    char section[64] = "", name[64], value[256];
    size_t next = 0;
    char *rest = NULL;
    for (char *line = strtok_r(example, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char first = line[strspn(line, " ")];
        if (first == '#' || first == '\0')
            continue;
        if (first == '}') {
            section[0] = '\0';
        } else if (!strchr(line, '=')) {
            ck_assert_int_eq(sscanf(line, "%63[a-z] {", section), 1);
        } else {
            ck_assert_msg(split_setting(line, name, value), "%s", line);
            ck_assert_msg(next < config_key_count, "%s is superfluous", name);
            const struct config_key_info *info = &config_keys[next++].info;
            ck_assert_str_eq(section, info->section);
            ck_assert_str_eq(name, info->name);
            ck_assert_str_eq(value, info->default_text);
        }
    }
    ck_assert_uint_eq(next, config_key_count);
    free(example);
}

TEST(start_accepts_the_example)
{
    struct config_report report = {0};
    struct config *config = config_load("webhookd.conf.example", &report);
    ck_assert_msg(config, "%s", report.count ? report.lines[0] : "no message");
    struct error error = ERROR_INIT;
    ck_assert_msg(config_check_start(config, &error) == 0, "%s", error.message);
    config_release(config);
}

TEST(manual_has_every_key_with_its_default)
{
    char *manual = read_text("docs/man/webhookd.conf.5");
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key_info *info = &config_keys[i].info;
        char *heading = info->section[0] ? memory_format(".Sh SECTION %s\n", info->section)
                                         : memory_string(".Sh TOP LEVEL\n");
        const char *section = strstr(manual, heading);
        ck_assert_msg(section, "%s", heading);
        const char *end = strstr(section + 1, "\n.Sh ");
        bool is_string = info->default_text[0] == '"';
        char *bare = memory_string(info->default_text + is_string);
        if (is_string)
            bare[strlen(bare) - 1] = '\0';
        char *item = memory_format("\n.It Cm %s No = %s%s%s\n", info->name, is_string ? "Qq" : "",
                                   is_string && bare[0] ? " " : "", bare);
        const char *found = strstr(section, item);
        ck_assert_msg(found && (!end || found < end), "the manual lacks: %s", item);
        free(item);
        free(bare);
        free(heading);
    }
    free(manual);
}
