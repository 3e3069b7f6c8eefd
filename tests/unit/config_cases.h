/* Shared by the tests of config/: texts that must be accepted, or refused with given lines. */
#ifndef WEBHOOKD_TESTS_UNIT_CONFIG_CASES_H
#define WEBHOOKD_TESTS_UNIT_CONFIG_CASES_H

#include <check.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/config.h"
#include "config/keys.h"

static inline struct config *parse(const char *text, struct config_report *report)
{
    return config_parse(text, strlen(text), "w.conf", report);
}

static inline struct config *accept(const char *text)
{
    struct config_report report = {0};
    struct config *config = parse(text, &report);
    ck_assert_msg(config, "refused: %s: %s", text, report.count ? report.lines[0] : "no message");
    ck_assert_uint_eq(report.count, 0);
    return config;
}

static inline void assert_accepted(const char *text)
{
    config_release(accept(text));
}

/* Expects the text to be refused with exactly as many lines as given (NULL ends them), each of
 * which must begin with the given text. */
static inline void assert_refused(const char *text, ...)
{
    struct config_report report = {0};
    struct config *config = parse(text, &report);
    ck_assert_msg(!config, "accepted: %s", text);
    va_list lines;
    va_start(lines, text);
    size_t count = 0;
    for (const char *line; (line = va_arg(lines, const char *)); count++) {
        ck_assert_msg(count < report.count, "%s: missing line \"%s\"", text, line);
        ck_assert_msg(strncmp(report.lines[count], line, strlen(line)) == 0,
                      "%s: \"%s\" does not begin with \"%s\"", text, report.lines[count], line);
    }
    va_end(lines);
    ck_assert_msg(report.count == count, "%s: unexpected line \"%s\"", text,
                  report.count > count ? report.lines[count] : "");
    config_report_free(&report);
}

/* Returns "section { name = value }", or the same without the section. */
static inline char *setting(const struct config_key_info *info, const char *value)
{
    return info->section[0] == '\0'
               ? memory_format("%s = %s\n", info->name, value)
               : memory_format("%s { %s = %s }\n", info->section, info->name, value);
}

static inline char *read_text(const char *path)
{
    struct buffer text = BUFFER_INIT;
    struct error error = ERROR_INIT;
    ck_assert_msg(file_read(AT_FDCWD, path, 1 << 20, &text, &error) == 0, "%s", error.message);
    return buffer_take(&text);
}

static inline bool has_line(const struct config_report *report, const char *part)
{
    for (size_t i = 0; i < report->count; i++)
        if (strstr(report->lines[i], part))
            return true;
    return false;
}

#endif
