/* How pip and npm are read: their reports, and their words for a failure. */
#include "packages/tool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "support/suite.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char folder[] = "/tmp/webhookd-tool-XXXXXX";
static int folder_fd;

static void open_folder(void)
{
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void close_folder(void)
{
    struct error error = ERROR_INIT;
    close(folder_fd);
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, folder, &error), 0);
}

/* Expects this lock of the text that the tool has left, or a refusal that contains `lock`. */
static void expect_lock(const struct tool *tool, const char *name, const char *text,
                        const char *lock, bool is_refused)
{
    struct error error = ERROR_INIT;
    ck_assert_int_eq(tool_write_file(folder_fd, name, text, &error), 0);
    char *found = tool->read_lock(folder_fd, &error);
    if (is_refused) {
        ck_assert_msg(!found && strstr(error.message, lock), "%s", found ? found : error.message);
    } else {
        ck_assert_msg(found != NULL, "%s", error.message);
        ck_assert_str_eq(found, lock);
    }
    free(found);
}

#define ITEM(name, version, download)                                                              \
    "{\"metadata\":{\"name\":\"" name "\",\"version\":\"" version "\"},\"download_info\":"         \
    "{" download "}}"
#define REPORT(items) "{\"version\":\"0\",\"install\":[" items "]}"
#define HASHES        "\"archive_info\":{\"hashes\":{\"sha256\":\"" SHA "\"}}"
#define HASH          "\"archive_info\":{\"hash\":\"sha256=" SHA "\"}"

TEST(a_report_of_pip_becomes_sorted_requirements_with_hashes)
{
    open_folder();
    expect_lock(&tool_python, "report.json",
                REPORT(ITEM("Zope.Interface", "5.4", HASH) "," ITEM("httpx", "0.27.0", HASHES)),
                "httpx==0.27.0 --hash=sha256:" SHA "\nzope-interface==5.4 --hash=sha256:" SHA "\n",
                false);
    close_folder();
}

TEST(a_report_of_pip_that_cannot_be_locked_is_refused)
{
    static const char *const reports[] = {
        REPORT(ITEM("httpx", "1", "\"vcs_info\":{}")),
        REPORT(ITEM("httpx", "1", "\"archive_info\":{\"hash\":\"md5=00\"}")),
        REPORT(ITEM("httpx", "1", "\"archive_info\":{\"hashes\":{\"sha256\":\"00\"}}")),
        REPORT(ITEM("httpx", "1 --index-url=http://evil", HASH)),
        REPORT(ITEM("../other", "1", HASH)),
        REPORT(ITEM("a\\nb", "1", HASH)),
        REPORT("{}"),
    };
    open_folder();
    for (size_t i = 0; i < ARRAY_COUNT(reports); i++)
        expect_lock(&tool_python, "report.json", reports[i], "pip reports no version and SHA-256",
                    true);
    expect_lock(&tool_python, "report.json", REPORT(""), "pip reports no packages", true);
    expect_lock(&tool_python, "report.json", "{", "cannot be read", true);
    close_folder();
}

TEST(a_file_that_a_tool_has_left_is_not_read_through_a_link)
{
    struct error error = ERROR_INIT;
    open_folder();
    ck_assert_int_eq(symlinkat("/etc/passwd", folder_fd, "report.json"), 0);
    ck_assert_ptr_null(tool_python.read_lock(folder_fd, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "the tool left no file \"report.json\""));
    close_folder();
}

TEST(a_lock_of_npm_in_which_a_package_has_no_hash_is_refused)
{
    static const char good[] =
        "{\"packages\":{\"\":{\"dependencies\":{\"a\":\"1\"}},\"node_modules/a\":{\"version\":"
        "\"1\",\"integrity\":\"sha512-x\"},\"node_modules/a/node_modules/b\":{\"inBundle\":true}}}";
    open_folder();
    expect_lock(&tool_node, "package-lock.json", good, good, false);
    expect_lock(&tool_node, "package-lock.json",
                "{\"packages\":{\"\":{},\"node_modules/a\":{\"resolved\":\"git+ssh://h/a\"}}}",
                "\"node_modules/a\" has no hash", true);
    expect_lock(&tool_node, "package-lock.json", "{}", "names no packages", true);
    close_folder();
}

TEST(a_package_json_has_the_dependencies_of_its_lock)
{
    struct error error = ERROR_INIT;
    open_folder();
    ck_assert_int_eq(tool_node.write_lock(folder_fd,
                                          "{\"packages\":{\"\":{\"dependencies\":{\"a\":\"^1\"}}}}",
                                          &error),
                     0);
    char *text = tool_read_file(folder_fd, "package.json", &error);
    ck_assert_ptr_nonnull(strstr(text, "\"a\": \"^1\""));
    free(text);
    close_folder();
}

TEST(a_request_names_packages_in_a_file)
{
    struct error error = ERROR_INIT;
    struct package_list packages = {NULL, 0};
    open_folder();
    packages_add(&packages, "httpx[http2]", ">=0.27,<1");
    packages_add(&packages, "flask", "3.0");
    packages_add(&packages, "attrs", "");
    ck_assert_int_eq(tool_python.write_request(folder_fd, &packages, NULL, &error), 0);
    char *text = tool_read_file(folder_fd, "requirements.in", &error);
    ck_assert_str_eq(text, "httpx[http2]>=0.27,<1\nflask==3.0\nattrs\n");
    free(text);
    /* For another interpreter, the versions stay. */
    ck_assert_int_eq(tool_python.write_request(folder_fd, &packages,
                                               "attrs==1 --hash=sha256:0\nflask==2 --hash=x\n",
                                               &error),
                     0);
    text = tool_read_file(folder_fd, "requirements.in", &error);
    ck_assert_str_eq(text, "attrs==1\nflask==2\n");
    free(text);
    packages_free(&packages);
    close_folder();
}

TEST(the_words_for_a_failure_are_the_tools_own)
{
    ck_assert_str_eq(tool_python.find_reason("ERROR: No matching distribution found for a"),
                     "No matching distribution found for a");
    ck_assert_ptr_null(tool_python.find_reason("Looking in links: /srv"));
    ck_assert_ptr_nonnull(
        strstr(tool_python.find_reason("/usr/bin/python3: No module named pip"), "python3-pip"));
    ck_assert_ptr_null(tool_node.find_reason("npm error code ETARGET"));
    ck_assert_ptr_null(tool_node.find_reason("npm ERR! errno 1"));
    ck_assert_str_eq(tool_node.find_reason("npm ERR! notarget No matching version found for a@9."),
                     "No matching version found for a@9.");
    ck_assert_ptr_nonnull(
        strstr(tool_node.find_reason("tool.sh: line 3: npm: not found"), "apt-get install npm"));
}
