#include "config/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "unit/config_cases.h"

TEST(nothing_is_expanded_in_any_quoting)
{
    setenv("HOME", "/expanded", 1);
    static const char *const forms[] = {"\"/a/${HOME}\"", "'/a/${HOME}'", "/a/${HOME}",
                                        "\"/a/\\\\${HOME}\""};
    static const char *const values[] = {"/a/${HOME}", "/a/${HOME}", "/a/${HOME}", "/a/\\${HOME}"};
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        char *text = memory_format("state_dir = %s", forms[i]);
        struct config *config = accept(text);
        ck_assert_str_eq(config->state_dir, values[i]);
        config_release(config);
        free(text);
    }
    assert_refused("state_dir = ${HOME}",
                   "w.conf:1: state_dir: \"${HOME}\" is invalid: write an absolute", NULL);
    assert_refused("state_dir = \"${HOME}\"", "w.conf:1: state_dir: \"${HOME}\" is invalid", NULL);
    assert_refused("state_dir = \"${NONE:-/x}\"", "w.conf:1: state_dir: \"${NONE:-/x}\" is", NULL);
    assert_refused("state_dir = '~/x'", "w.conf:1: state_dir: \"~/x\" is invalid", NULL);
}

TEST(an_equals_sign_before_any_key_is_refused)
{
    static const char problem[] = "w.conf:2: unexpected \"=\": a key must precede it";
    assert_refused("\n= 1", problem, NULL);
    assert_refused("\n= \n runner ={{\n", problem, NULL);
    assert_refused("\n=", problem, NULL);
}

TEST(quotes_and_backslashes_can_be_written)
{
    struct config *config = accept("state_dir = \"/a\\\"b\\\\c'd\"");
    ck_assert_str_eq(config->state_dir, "/a\"b\\c'd");
    config_release(config);
    config = accept("state_dir = '/a\\'b\"c'");
    ck_assert_str_eq(config->state_dir, "/a'b\"c");
    config_release(config);
    assert_refused("state_dir = \"/a\\n\"", "w.conf:1: invalid \\ in a string", NULL);
    assert_refused("state_dir = \"/a\\x41\"", "w.conf:1: invalid \\ in a string", NULL);
}

TEST(every_key_given_twice_is_refused)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key_info *info = &config_keys[i].info;
        char *once = setting(info, info->default_text);
        char *text = memory_format("%s\n%s", once, once);
        char *line = memory_format("w.conf:3: %s%s%s: already set on line 1", info->section,
                                   info->section[0] ? "." : "", info->name);
        assert_refused(text, line, NULL);
        free(line);
        free(text);
        free(once);
    }
}

TEST(key_given_twice_in_one_section_is_refused)
{
    assert_refused("hooks {\nmax_body = 1MiB\nmax_body = 2MiB\nmax_body = x\n}",
                   "w.conf:3: hooks.max_body: already set on line 2",
                   "w.conf:4: hooks.max_body: already set on line 2", NULL);
    assert_refused("runner { readable = {}\nreadable = { \"/a\" }\n}",
                   "w.conf:2: runner.readable: already set on line 1", NULL);
    assert_refused("runner { readable = { \"/a\" }\nreadable = {}\n}",
                   "w.conf:2: runner.readable: already set on line 1", NULL);
}

TEST(unknown_keys_and_sections_are_all_reported)
{
    assert_refused("colour = red\n"
                   "hooks { max_bdy = \"1MiB\"\n max_body = \"2MB\" socket = {} }\n"
                   "listen = \"127.0.0.1:80\"\n"
                   "runner { nice = 20 hooks { } }\n",
                   "w.conf:1: colour: unknown key or section; expected one of: state_dir, store,",
                   "w.conf:2: hooks.max_bdy: unknown key; expected one of: listen, public_url,",
                   "w.conf:3: hooks.max_body: \"2MB\" is not a size",
                   "w.conf:3: hooks.socket: unknown", "w.conf:4: listen: unknown",
                   "w.conf:5: runner.nice: \"20\" is out of range; allowed: 0 to 19",
                   "w.conf:5: runner.hooks: unknown", NULL);
    assert_refused("web { a = 1 }", "w.conf:1: web: unknown", NULL);
    assert_refused("flet \"a/b/c\" { user = x }", "w.conf:1: flet: unknown", NULL);
    assert_refused("include(\"/etc/passwd\")", "w.conf:1: unexpected \"(\"",
                   "w.conf:1: include: unknown", NULL);
}

TEST(key_cannot_be_set_through_a_path)
{
    assert_refused("\"hooks|max_body\" = \"1MiB\"", "w.conf:1: max_body: unknown key", NULL);
    assert_refused("hooks|max_body = \"1MiB\"", "w.conf:1: unexpected \"|\"", NULL);
    assert_refused("\"\" = 1", "w.conf:1: ", NULL);
}

TEST(a_missing_value_is_reported_at_its_key)
{
    assert_refused("store = x\nlog_format=\n\nhooks {\n}", "w.conf:1: store: \"x\"",
                   "w.conf:2: log_format: the value is missing", NULL);
    assert_refused("log_format =\n\"log_level\" = info", "w.conf:1: log_format: the value is miss",
                   NULL);
    assert_refused("log_format = # c\nfleet \"a/b/c\" { }", "w.conf:1: log_format: the value is",
                   NULL);
    assert_refused("hooks {\n listen = }", "w.conf:2: listen: the value is missing", NULL);
    assert_refused("log_format =", "w.conf:1: log_format: the value is missing", NULL);
    assert_accepted("log_format =\n json\nlog_level =\n \"info\"\nhooks { }\n"
                    "runner { readable =\n { \"/a\" }\n writable = { } }");
}

TEST(report_of_many_unknown_keys_is_bounded)
{
    struct buffer text = BUFFER_INIT;
    for (int i = 0; i < 500; i++)
        buffer_append_format(&text, "key_%d = 1\n", i);
    struct config_report report = {0};
    ck_assert_ptr_null(parse(buffer_text(&text), &report));
    ck_assert_uint_ge(report.count, 20);
    ck_assert_uint_le(report.count, 102);
    config_report_free(&report);
    buffer_reset(&text);
    for (int i = 0; i < 500; i++)
        buffer_append_text(&text, "store = 1\n");
    ck_assert_ptr_null(parse(buffer_text(&text), &report));
    ck_assert_uint_eq(report.count, 101);
    config_report_free(&report);
    buffer_free(&text);
}

TEST(quoted_text_stays_on_one_line)
{
    assert_refused("hooks { public_url = \"http:/\t\" }", "w.conf:1: hooks.public_url: \"http:/?\"",
                   NULL);
    assert_refused("fleet \"a/b/\t\" { sandbox = \"x\" }", "w.conf:1: fleet \"a/b/?\"", NULL);
}

TEST(syntax_errors_name_their_line_and_preceding_lines_are_still_checked)
{
    assert_refused("store = x\n\nhooks {\n listen = \"\n}", "w.conf:1: store: \"x\"",
                   "w.conf:4: unterminated string", NULL);
    assert_refused("# c\nhooks {\n max_body = 1\n", "w.conf:2: { without a matching }",
                   "w.conf:3: hooks.max_body: ", NULL);
    assert_refused("runner { readable = { \"/a\" }", "w.conf:1: { without a matching }", NULL);
    assert_refused("runner { readable = { \"a\"", "w.conf:1: runner.readable: \"a\"",
                   "w.conf:1: { without a matching }", NULL);
    assert_refused("/* a\nb", "w.conf:1: unterminated comment", NULL);
    assert_refused("\n}", "w.conf:2: } without a matching {", NULL);
    assert_refused("store", "w.conf:1: syntax error: premature end of file", NULL);
    assert_refused("store \"x\"", "w.conf:1: syntax error: missing equal sign", NULL);
    assert_refused("store = { \"x\" }", "w.conf:1: syntax error: unexpected token '{'", NULL);
    assert_refused("hooks = 1", "w.conf:1: \"hooks\" is a section: write hooks { … }", NULL);
    assert_refused("\nhooks \"x\" { }", "w.conf:2: \"hooks\" is a section: write hooks { … }",
                   NULL);
    assert_refused("store = = x", "w.conf:1: syntax error: unexpected token '='", NULL);
    assert_refused("runner { readable = \"/a\" }",
                   "w.conf:1: runner.readable: must be a list of absolute paths in braces: "
                   "{ \"…\", \"…\" }",
                   NULL);
    assert_refused("runner { readable += { \"/a\" } }", "w.conf:1: unexpected \"+\"", NULL);
    assert_refused("runner { readable = { \"/a\" \"/b\" } }", "w.conf:1: syntax error: unexpected",
                   NULL);
    assert_refused("hooks { max_body = 32*MiB }", "w.conf:1: hooks.max_body",
                   "w.conf:1: unexpected \"*\"", NULL);
}

TEST(comments_and_line_ends_do_not_shift_line_numbers)
{
    assert_refused("# one\n// two\n/* three */\r\n/* four\nfive */ /* again */\nstore = x\n",
                   "w.conf:6: store: ", NULL);
    assert_refused("\r\n\r\nhooks { # c\r\n\tmax_body = 1MB // c\r\n}\r\n",
                   "w.conf:4: hooks.max_body: ", NULL);
    struct config *config = accept("\xef\xbb\xbfstore = \"sqlite:a#b/*c\"# c");
    ck_assert_str_eq(config->store, "sqlite:a#b/*c");
    config_release(config);
}

/* Such a comment would silently shorten the value. */
TEST(comment_inside_a_word_is_refused)
{
    assert_refused("\nstate_dir = /var//lib/x", "w.conf:2: \"//\" inside a word: put a value",
                   NULL);
    assert_refused("hooks { public_url = http://h }", "w.conf:1: \"//\" inside a word", NULL);
    assert_refused("state_dir = /srv/#1", "w.conf:1: \"#\" inside a word", NULL);
    assert_refused("min_free = 5MiB/* c */", "w.conf:1: \"/*\" inside a word", NULL);
    struct config *config = accept("state_dir = /var/lib/x # c\nmin_free = 5MiB /* c */");
    ck_assert_str_eq(config->state_dir, "/var/lib/x");
    config_release(config);
}

TEST(damaged_text_is_refused_with_its_line)
{
    struct config_report report = {0};
    static const char nul[] = "store = x\n\0store = \"sqlite:y\"";
    ck_assert_ptr_null(config_parse(nul, sizeof(nul) - 1, "w.conf", &report));
    ck_assert_uint_eq(report.count, 1);
    ck_assert_str_eq(report.lines[0], "w.conf:2: NUL byte: not a text file");
    config_report_free(&report);
    assert_refused("\n\nstore = \"\xff\"", "w.conf:3: invalid UTF-8", NULL);
    assert_refused("store = \"\xc3", "w.conf:1: invalid UTF-8", NULL);
    assert_refused("store = \"a\x1b[0m\"", "w.conf:1: control character U+001B is not allowed",
                   NULL);
    assert_refused("store = \"a\x01\"", "w.conf:1: control character U+0001 is not allowed", NULL);
    assert_refused("a\rb", "w.conf:1: control character U+000D is not allowed", NULL);
    struct config *nothing = config_parse(NULL, 0, "w.conf", &report);
    ck_assert_ptr_nonnull(nothing);
    config_release(nothing);
}

TEST(valid_file_is_read_after_any_invalid_one)
{
    static const char *const bad[] = {"store = \"",
                                      "store = '",
                                      "/*",
                                      "store = \"\\777\"",
                                      "#",
                                      "{",
                                      "store = \"\\",
                                      "${",
                                      "hooks { listen",
                                      "fleet \"a",
                                      "runner { readable = {"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct config_report report = {0};
        config_release(parse(bad[i], &report));
        config_report_free(&report);
        struct config *config = accept("log_level = \"debug\"");
        ck_assert_int_eq(config->log_level, LOG_LEVEL_DEBUG);
        config_release(config);
    }
}

TEST(truncated_files_and_flipped_bits_do_no_harm)
{
    char *example = read_text("webhookd.conf.example");
    size_t bytes = strlen(example);
    for (size_t end = 0; end <= bytes; end += 7) {
        struct config_report report = {0};
        config_release(config_parse(example, end, "w.conf", &report));
        config_report_free(&report);
    }
    for (size_t at = 0; at < bytes; at += 5) {
        struct config_report report = {0};
        char saved = example[at];
        example[at] = (char)(saved ^ (1 << at % 8));
        struct config *config = config_parse(example, bytes, "w.conf", &report);
        ck_assert((!config) == (report.count > 0));
        config_release(config);
        config_report_free(&report);
        example[at] = saved;
    }
    free(example);
}

/* ---- fleets ---- */

TEST(fleet_sections_are_read)
{
    struct config *config = accept("fleet \"org/project/one\" { sandbox = \"off\" }\n"
                                   "fleet \"org/project/t w\xc3\xb6\" { user = \"deploy\" }\n"
                                   "fleet \"a/b/c\" { }\n");
    ck_assert_uint_eq(config->fleet_count, 3);
    ck_assert_str_eq(config->fleets[0].name, "org/project/one");
    ck_assert(config->fleets[0].has_sandbox);
    ck_assert_int_eq(config->fleets[0].sandbox, CONFIG_SANDBOX_OFF);
    ck_assert_str_eq(config->fleets[0].user, "");
    ck_assert_str_eq(config->fleets[1].name, "org/project/t w\xc3\xb6");
    ck_assert(!config->fleets[1].has_sandbox);
    ck_assert_str_eq(config->fleets[1].user, "deploy");
    ck_assert_str_eq(config->fleets[2].name, "a/b/c");
    config_release(config);
}

TEST(invalid_fleet_sections_are_refused)
{
    assert_refused("fleet \"one\" { sandbox = \"off\" }",
                   "w.conf:1: fleet \"one\": the title is not", NULL);
    assert_refused("fleet \"a/b\" { }", "w.conf:1: fleet \"a/b\": ", NULL);
    assert_refused("fleet \"a/b/c/d\" { }", "w.conf:1: fleet ", NULL);
    assert_refused("fleet \"a//c\" { }", "w.conf:1: fleet ", NULL);
    assert_refused("fleet \"a/b/\" { }", "w.conf:1: fleet ", NULL);
    assert_refused("fleet \"a/b/0198c8a4-0000-7000-8000-000000000000\" { }", "w.conf:1: fleet ",
                   NULL);
    assert_refused("fleet { user = \"x\" }",
                   "w.conf:1: \"fleet\" is a section with a title: write fleet \"", NULL);
    assert_refused("fleet \"a/b/c\" { user = \"\" sandbox = \"x\" colour = 1 }",
                   "w.conf:1: fleet \"a/b/c\": user: ", "w.conf:1: fleet \"a/b/c\": sandbox: ",
                   "w.conf:1: fleet \"a/b/c\": colour: unknown key; expected one of: sandbox, user",
                   NULL);
    assert_refused("fleet \"a/b/c\" { user = x\nuser = y }",
                   "w.conf:2: fleet \"a/b/c\": user: already set on line 1", NULL);
    assert_refused("fleet \"a/b/c\" { }\nfleet \"a/b/d\" { }\nfleet \"a/b/c\" { }",
                   "w.conf:3: fleet \"a/b/c\": already described above; keep one of the sections",
                   NULL);
}

static void *parse_and_release(void *shared)
{
    for (int i = 0; i < 50; i++) {
        struct config *config = config_hold(shared);
        assert_refused("a = 1\nstore = x", "w.conf:1: a: unknown", "w.conf:2: store: ", NULL);
        config_release(accept(config->hooks.listen[0] ? "store = 'sqlite:a'" : ""));
        config_release(config);
    }
    return NULL;
}

TEST(threads_may_hold_and_parse_concurrently)
{
    struct config *shared = accept("");
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, parse_and_release, config_hold(shared)),
                         0);
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        pthread_join(threads[i], NULL);
        config_release(shared);
    }
    config_release(shared);
}
