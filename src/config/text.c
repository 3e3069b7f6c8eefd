/* Prepares the text of a configuration file for libconfuse 3.3. Without this, libconfuse would
 * expand ${VAR} in words and strings, stop at a NUL, accept a section that is never closed,
 * silently skip bytes that do not belong anywhere, count one line too many for every C comment,
 * and, after an unterminated string or comment, start reading the next file (a reload!) inside it.
 * Called by parse.c, on the caller's thread. */
#include "config/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

/* A list in a section has depth 2. */
#define DEPTH_MAX 8

/* Where a word or a string begins. */
struct place {
    const char *at;
    size_t plain_bytes; /* of the plain text before it */
    int line;
};

struct scanner {
    const char *at; /* NUL-terminated UTF-8; its only control characters are tabs and line ends */
    int line;
    struct buffer *plain;
    struct config_findings *findings;
    bool after_equals; /* the last token was "=" */
    struct place word; /* the last word or string */
    struct place key;  /* the one before the last "=" */
    /* The last token follows a "=" but is on a later line than the key, or is a title after such a
     * token. It may be the next key or section, because the value was forgotten. */
    bool value_is_far;
    int depth;
    int opened[DEPTH_MAX]; /* the line of each open brace */
};

static bool is_line_end(char c)
{
    return c == '\0' || c == '\n' || (c == '\r');
}

static bool starts_comment(const char *at)
{
    return at[0] == '#' || (at[0] == '/' && (at[1] == '/' || at[1] == '*'));
}

static bool is_word_char(char c)
{
    return c != '\0' && ((unsigned char)c >= 0x80 || strchr("0123456789"
                                                            "abcdefghijklmnopqrstuvwxyz"
                                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                            "_-./:%@[]~$",
                                                            c));
}

/* Appends one character of a string, escaped so that libconfuse takes it literally. */
static void put(struct scanner *scanner, char c)
{
    if (c == '"' || c == '\\' || c == '$')
        buffer_append_char(scanner->plain, '\\');
    buffer_append_char(scanner->plain, c);
}

static void take_line_end(struct scanner *scanner)
{
    buffer_append_char(scanner->plain, '\n');
    scanner->line++;
    scanner->at++;
}

static bool skip_comment(struct scanner *scanner)
{
    if (scanner->at[0] == '#' || scanner->at[1] == '/') {
        scanner->at += strcspn(scanner->at, "\n");
        return true;
    }
    int opened = scanner->line;
    scanner->at += 2;
    while (scanner->at[0] != '\0' && !(scanner->at[0] == '*' && scanner->at[1] == '/')) {
        if (scanner->at[0] == '\n')
            take_line_end(scanner);
        else
            scanner->at++;
    }
    if (scanner->at[0] == '\0') {
        config_findings_add(scanner->findings, opened, "unterminated comment: */ is missing");
        return false;
    }
    scanner->at += 2;
    return true;
}

static bool take_string(struct scanner *scanner)
{
    char quote = *scanner->at++;
    buffer_append_char(scanner->plain, '"');
    while (!is_line_end(*scanner->at) && *scanner->at != quote) {
        if (*scanner->at == '\\') {
            scanner->at++;
            if (is_line_end(*scanner->at) || !strchr("\\\"'", *scanner->at)) {
                config_findings_add(
                    scanner->findings, scanner->line,
                    "invalid \\ in a string: only another \\ or a quote may follow it");
                return false;
            }
        }
        put(scanner, *scanner->at++);
    }
    buffer_append_char(scanner->plain, '"');
    if (*scanner->at != quote) {
        config_findings_add(scanner->findings, scanner->line,
                            "unterminated string: the closing %c must be on the same line", quote);
        return false;
    }
    scanner->at++;
    return true;
}

/* Returns the length in bytes of a "${…}" in a word, which is kept as written; else 0. */
static size_t reference_bytes(const char *at)
{
    if (at[0] != '$' || at[1] != '{')
        return 0;
    size_t bytes = 2 + strcspn(at + 2, "{}\"' \t\r\n");
    return at[bytes] == '}' ? bytes + 1 : 0;
}

/* A comment begins after white space, never inside a word: "/var//lib" or "http://host" without
 * quotes must not become a shorter value. */
static bool take_word(struct scanner *scanner)
{
    buffer_append_char(scanner->plain, '"');
    while (is_word_char(*scanner->at) && !starts_comment(scanner->at)) {
        size_t bytes = reference_bytes(scanner->at);
        for (size_t i = bytes > 0 ? bytes : 1; i > 0; i--)
            put(scanner, *scanner->at++);
    }
    buffer_append_char(scanner->plain, '"');
    if (!starts_comment(scanner->at))
        return true;
    config_findings_add(scanner->findings, scanner->line,
                        "\"%.*s\" inside a word: put a value that contains it in double quotes, "
                        "or a space before a comment",
                        scanner->at[0] == '#' ? 1 : 2, scanner->at);
    return false;
}

static bool open_brace(struct scanner *scanner)
{
    if (scanner->depth == DEPTH_MAX) {
        config_findings_add(scanner->findings, scanner->line, "braces are nested too deeply");
        return false;
    }
    scanner->opened[scanner->depth++] = scanner->line;
    buffer_append_text(scanner->plain, scanner->after_equals ? "{\"" CONFIG_LIST_START "\"," : "{");
    return true;
}

static bool take_mark(struct scanner *scanner)
{
    char mark = *scanner->at++;
    if (mark == '{')
        return open_brace(scanner);
    if (mark == '}' && scanner->depth == 0) {
        config_findings_add(scanner->findings, scanner->line, "} without a matching {");
        return false;
    }
    if (mark == '}')
        scanner->depth--;
    buffer_append_char(scanner->plain, mark);
    return true;
}

static bool take_unexpected(struct scanner *scanner)
{
    config_findings_add(scanner->findings, scanner->line,
                        "unexpected \"%c\": a value that contains it must be in double quotes",
                        *scanner->at);
    return false;
}

/* An "=" before the first word of the file belongs to no key. */
static bool refuse_lone_equals(struct scanner *scanner)
{
    config_findings_add(scanner->findings, scanner->line,
                        "unexpected \"=\": a key must precede it");
    return false;
}

/* Notes a word or a string that is about to be taken. */
static void note_word(struct scanner *scanner)
{
    struct place here = {scanner->at, scanner->plain->bytes, scanner->line};
    bool is_quoted = *scanner->at == '"' || *scanner->at == '\'';
    scanner->value_is_far = scanner->after_equals ? here.line > scanner->key.line
                                                  : scanner->value_is_far && is_quoted &&
                                                        here.line == scanner->word.line;
    scanner->word = here;
}

/* Whether a key has no value, as the next character shows: after "=" comes } or the end; or { or =
 * follows the word on a later line that looked like the value, so it is a section or a key. */
static bool misses_value(const struct scanner *scanner)
{
    char next = *scanner->at;
    return scanner->after_equals ? next == '}' || next == '\0'
                                 : scanner->value_is_far && (next == '{' || next == '=');
}

/* Drops the key from the plain text. Returns false. */
static bool refuse_key(struct scanner *scanner)
{
    const char *name = scanner->key.at + strspn(scanner->key.at, "\"'");
    config_findings_add(scanner->findings, scanner->key.line, "%.*s: the value is missing",
                        (int)strcspn(name, "\"'= \t\r\n"), name);
    scanner->plain->bytes = scanner->key.plain_bytes;
    return false;
}

/* Takes a word, a string or a mark, and appends a space to it. */
static bool take_token(struct scanner *scanner)
{
    bool is_equals = *scanner->at == '=';
    bool taken = true;
    if (strchr("={},", *scanner->at)) {
        scanner->value_is_far = false;
        scanner->key = is_equals ? scanner->word : scanner->key;
    } else {
        note_word(scanner);
    }
    if (*scanner->at == '"' || *scanner->at == '\'')
        taken = take_string(scanner);
    else if (is_equals && !scanner->key.at)
        taken = refuse_lone_equals(scanner);
    else if (strchr("={},", *scanner->at))
        taken = take_mark(scanner);
    else if (is_word_char(*scanner->at))
        taken = take_word(scanner);
    else
        taken = take_unexpected(scanner);
    scanner->after_equals = is_equals;
    buffer_append_char(scanner->plain, ' ');
    return taken;
}

static bool scan(struct scanner *scanner)
{
    while (*scanner->at != '\0') {
        size_t plain_bytes = scanner->plain->bytes;
        bool taken = true;
        if (misses_value(scanner))
            return refuse_key(scanner);
        if (*scanner->at == '\n')
            take_line_end(scanner);
        else if (strchr(" \t\r", *scanner->at))
            scanner->at++;
        else if (starts_comment(scanner->at))
            taken = skip_comment(scanner);
        else
            taken = take_token(scanner);
        if (!taken) {
            scanner->plain->bytes = plain_bytes; /* drop the incomplete token */
            return false;
        }
    }
    if (misses_value(scanner))
        return refuse_key(scanner);
    if (scanner->depth > 0) {
        config_findings_add(scanner->findings, scanner->opened[scanner->depth - 1],
                            "{ without a matching }");
        return false;
    }
    return true;
}

/* The text contains no NUL. */
static bool check_characters(const char *text, struct config_findings *findings)
{
    int line = 1;
    while (*text != '\0') {
        uint32_t code_point = 0;
        size_t bytes = utf8_decode(text, &code_point);
        if (bytes == 0) {
            config_findings_add(findings, line, "invalid UTF-8");
            return false;
        }
        if (code_point == '\n')
            line++;
        else if (code_point != '\t' && !(code_point == '\r' && text[1] == '\n') &&
                 utf8_is_control(code_point)) {
            config_findings_add(findings, line, "control character U+%04X is not allowed",
                                (unsigned)code_point);
            return false;
        }
        text += bytes;
    }
    return true;
}

static int count_lines(const char *text, size_t bytes)
{
    int lines = 1;
    for (size_t i = 0; i < bytes; i++)
        lines += text[i] == '\n';
    return lines;
}

bool config_text_plain(const char *text, size_t bytes, struct buffer *plain,
                       struct config_findings *findings)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    const char *nul = bytes > 0 ? memchr(text, '\0', bytes) : NULL;
    if (nul) {
        config_findings_add(findings, count_lines(text, (size_t)(nul - text)),
                            "NUL byte: not a text file");
        return false;
    }
    char *copy = memory_string_n(bytes > 0 ? text : "", bytes);
    bool has_mark = strncmp(copy, byte_order_mark, strlen(byte_order_mark)) == 0;
    struct scanner scanner = {
        .at = copy + (has_mark ? strlen(byte_order_mark) : 0),
        .line = 1,
        .plain = plain,
        .findings = findings,
    };
    bool all = check_characters(scanner.at, findings) && scan(&scanner);
    free(copy);
    return all;
}
