/* Follows pages of the documentation word for word: what they save, type and expect to read.
 *
 * In a page, "Save this as `PATH`" in the text names the file for the next block. In a block of the
 * kind "console", a line "$ COMMAND" is typed (a backslash at its end continues it), and the other
 * lines are its output. "…" in the output stands for any text within a line. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/list.h"
#include "base/memory.h"
#include "support/daemon.h"
#include "support/janitor.h"
#include "support/packages.h"
#include "support/suite.h"

#define SAVE_AS   "Save this as `"
#define ANY       "…"
#define SEPARATOR '\036' /* the session prints it before each command and each status */

struct command {
    char *line, *expected;
    unsigned at; /* the line of the page */
};

struct page {
    const char *path;
    char folder[64];
    struct buffer session;
    struct command commands[64];
    size_t count, files;
};

/* ---- reading the page ---- */

static char *next_line(char **rest)
{
    return strsep(rest, "\n");
}

static void add_file(struct page *page, const char *path, const char *text)
{
    char *name = memory_format("%s/file-%zu", page->folder, page->files++);
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
    buffer_append_format(&page->session, "install -D -m 644 '%s' '%s'\n", name, path);
    free(name);
}

static void add_command(struct page *page, char *line, char *expected, unsigned at)
{
    ck_assert_uint_lt(page->count, ARRAY_COUNT(page->commands));
    page->commands[page->count++] = (struct command){line, expected, at};
    buffer_append_format(&page->session, "printf '%c'\n%s\nprintf '%c%%d' \"$?\"\n", SEPARATOR,
                         line, SEPARATOR);
}

/* Reads a block of the kind "console" whose text is given, its first line being line `at`. */
static void add_commands(struct page *page, char *text, unsigned at)
{
    char *rest = text, *line = next_line(&rest);
    while (line && rest) {
        struct buffer command = BUFFER_INIT, expected = BUFFER_INIT;
        unsigned start = at;
        ck_assert_msg(strncmp(line, "$ ", 2) == 0, "%s:%u: output before the first command",
                      page->path, at);
        buffer_append_text(&command, line + 2);
        while (line[0] != '\0' && line[strlen(line) - 1] == '\\' && rest) {
            line = next_line(&rest);
            at++;
            buffer_append_format(&command, "\n%s", line);
        }
        while (line = next_line(&rest), at++, line && rest && strncmp(line, "$ ", 2) != 0)
            buffer_append_format(&expected, "%s\n", line);
        add_command(page, buffer_take(&command), buffer_take(&expected), start);
    }
}

/* Adds a block of code of this kind. `path` is the file that the text above names, or NULL. */
static void add_block(struct page *page, const char *kind, const char *path, const char *text,
                      unsigned at)
{
    char *copy = memory_string(text);
    if (strcmp(kind, "console") == 0)
        add_commands(page, copy, at);
    else if (path)
        add_file(page, path, copy);
    free(copy);
}

/* Reads the page from this heading to the next one, or the whole page if it is NULL. */
static void read_page(struct page *page, const char *heading)
{
    struct buffer text = BUFFER_INIT, block = BUFFER_INIT;
    struct error error = ERROR_INIT;
    ck_assert_msg(file_read(AT_FDCWD, page->path, 1 << 20, &text, &error) == 0, "%s",
                  error.message);
    char *whole = buffer_take(&text), *rest = whole, *path = NULL, kind[16] = "";
    bool is_wanted = heading == NULL, is_block = false;
    unsigned at = 0, first = 0;
    for (char *line; (line = next_line(&rest));) {
        at++;
        bool is_fence = strncmp(line, "```", 3) == 0;
        if (is_fence && !is_block) {
            first = at + 1;
            snprintf(kind, sizeof(kind), "%s", line + 3);
            buffer_reset(&block);
        } else if (is_fence && is_wanted) {
            add_block(page, kind, path, buffer_text(&block), first);
            path = NULL;
        } else if (is_block) {
            buffer_append_format(&block, "%s\n", line);
        } else if (heading && strncmp(line, "## ", 3) == 0) {
            is_wanted = strcmp(line + 3, heading) == 0;
        } else if (strstr(line, SAVE_AS)) {
            path = strstr(line, SAVE_AS) + strlen(SAVE_AS);
            path[strcspn(path, "`")] = '\0';
        }
        is_block ^= is_fence;
    }
    buffer_free(&block);
    free(whole);
}

/* ---- comparing ---- */

/* Whether the line is what is expected, with "…" for any text. */
static bool line_matches(const char *expected, const char *line)
{
    const char *any = strstr(expected, ANY);
    if (!any)
        return strcmp(expected, line) == 0;
    size_t bytes = (size_t)(any - expected);
    if (strncmp(expected, line, bytes) != 0)
        return false;
    for (line += bytes;; line++) {
        if (line_matches(any + strlen(ANY), line))
            return true;
        if (line[0] == '\0')
            return false;
    }
}

/* What curl writes does not end with a newline. */
static char *without_last_newline(const char *text)
{
    size_t bytes = strlen(text);
    return memory_string_n(text, bytes > 0 && text[bytes - 1] == '\n' ? bytes - 1 : bytes);
}

static bool output_matches(const char *expected, const char *output)
{
    char *left = without_last_newline(expected), *right = without_last_newline(output);
    char *left_rest = left, *right_rest = right, *a, *b;
    bool matches = true;
    do {
        a = next_line(&left_rest);
        b = next_line(&right_rest);
        matches = a && b ? line_matches(a, b) : a == b;
    } while (matches && a);
    free(left);
    free(right);
    return matches;
}

/* A command fails the test unless it succeeds. `webhookctl run wait` fails with the run. */
static void check_command(const struct page *page, const struct command *command, char *output,
                          int status)
{
    ck_assert_msg(output_matches(command->expected, output),
                  "%s:%u: %s\n--- the page says\n%s--- but it is\n%s", page->path, command->at,
                  command->line, command->expected, output);
    ck_assert_msg(status == 0 || strstr(command->line, "run wait"), "%s:%u: %s: status %d",
                  page->path, command->at, command->line, status);
}

static void check_output(struct page *page)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    char *path = memory_format("%s/output", page->folder);
    ck_assert_msg(file_read(AT_FDCWD, path, 1 << 20, &text, &error) == 0, "%s", error.message);
    char *whole = buffer_take(&text), *rest = whole;
    const char separator[] = {SEPARATOR, '\0'};
    char *before = strsep(&rest, separator);
    ck_assert_msg(before[0] == '\0', "%s: %s", page->path, before);
    for (size_t i = 0; i < page->count; i++) {
        char *output = strsep(&rest, separator), *status = strsep(&rest, separator);
        ck_assert_msg(output && status, "%s:%u: %s: the session ended: %s", page->path,
                      page->commands[i].at, page->commands[i].line, output ? output : "");
        check_command(page, &page->commands[i], output, atoi(status));
    }
    free(whole);
    free(path);
}

/* ---- following it ---- */

static void follow(const char *path, const char *heading, const char *prepare)
{
    struct page page = {.path = path, .folder = "/tmp/webhookd-guide-XXXXXX"};
    if (geteuid() != 0) {
        test_skip("only root can have a machine of its own");
        return;
    }
    ck_assert_ptr_nonnull(mkdtemp(page.folder));
    janitor_watch(page.folder);
    ck_assert_int_eq(chmod(page.folder, 0755), 0);
    read_page(&page, heading);
    ck_assert_uint_gt(page.count, 3);
    ck_assert_uint_gt(page.files, 0);

    char *session = memory_format("%s/session.sh", page.folder);
    FILE *file = fopen(session, "w");
    ck_assert_ptr_nonnull(file);
    fputs(buffer_text(&page.session), file);
    ck_assert_int_eq(fclose(file), 0);
    char *program = daemon_program("webhookd"), *build = realpath(program, NULL);
    ck_assert_ptr_nonnull(build);
    *strrchr(build, '/') = '\0';
    char *command = memory_format(
        "unshare --mount --net --pid --fork --kill-child --mount-proc sh "
        "tests/system/guide-machine "
        "%s %s %s >%s/complaints 2>&1 </dev/null || { cat %s/complaints %s/log; false; }",
        page.folder, build, prepare, page.folder, page.folder, page.folder);
    int status = system(command);
    ck_assert_msg(status == 0, "%s: the machine failed: %d", path, status);
    check_output(&page);

    for (size_t i = 0; i < page.count; i++) {
        free(page.commands[i].line);
        free(page.commands[i].expected);
    }
    buffer_free(&page.session);
    free(command);
    free(build);
    free(program);
    free(session);
}

TEST(readme_leads_to_a_first_webhook)
{
    follow("README.md", "Your first webhook", "demo");
}

TEST(guide_to_deploying_from_GitHub_works_word_for_word)
{
    follow("docs/guides/github-deploy.md", NULL, "service");
}

TEST(guide_to_pulling_over_ssh_works_word_for_word)
{
    if (access("/usr/sbin/sshd", X_OK) != 0)
        test_skip("there is no sshd (package openssh-server)");
    else
        follow("docs/guides/git-over-ssh.md", NULL, "ssh");
}

TEST(guide_to_background_work_works_word_for_word)
{
    follow("docs/guides/background-work.md", NULL, "service");
}

TEST(guide_to_blueprints_works_word_for_word)
{
    follow("docs/guides/blueprints.md", NULL, "service");
}

TEST(guide_to_starting_fleets_by_API_works_word_for_word)
{
    follow("docs/guides/trigger-by-api.md", NULL, "service");
}

TEST(guide_to_packages_works_word_for_word)
{
    if (packages_have_pip())
        follow("docs/guides/packages.md", NULL, "service");
}
