/* Reads JSON into a tree, with jansson. A number is its characters as written, as in YAML (3.10 is
 * a version, not 3.1), but jansson keeps only its value. So numbers are put in quotes before
 * jansson parses the text, but only those that RFC 8259 allows, and only as values. All others are
 * left as they are, so that jansson refuses them. true and false are read as text; null is an
 * absent value. Called by fleet_file.c; pure. */
#include "model/node.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '+' || c == '-';
}

static size_t skip_digits(const char *text, size_t bytes, size_t at)
{
    while (at < bytes && text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/* number = [ "-" ] int [ frac ] [ exp ], RFC 8259, section 6. */
static bool is_number(const char *text, size_t bytes)
{
    size_t at = bytes > 0 && text[0] == '-' ? 1 : 0;
    size_t end = skip_digits(text, bytes, at);
    if (end == at || (text[at] == '0' && end > at + 1))
        return false;
    at = end;
    if (at < bytes && text[at] == '.') {
        end = skip_digits(text, bytes, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    if (at < bytes && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < bytes && (text[at] == '+' || text[at] == '-'))
            at++;
        end = skip_digits(text, bytes, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == bytes;
}

/* Whether a colon follows. Such numbers are not quoted, because that would turn {1: 2} into valid
 * JSON. */
static bool is_before_colon(const char *text, size_t bytes, size_t at)
{
    while (at < bytes && strchr(" \t\r\n", text[at]) && text[at] != '\0')
        at++;
    return at < bytes && text[at] == ':';
}

static size_t string_end(const char *text, size_t bytes, size_t at)
{
    for (at++; at < bytes && text[at] != '"'; at++)
        if (text[at] == '\\' && at + 1 < bytes)
            at++;
    return at < bytes ? at + 1 : bytes;
}

/* Returns a copy with quoted numbers, or NULL if memory runs out. Two numbers are never adjacent,
 * so the copy is at most twice as long plus two bytes. Sets *marks to the number of characters `,`,
 * `:`, `[` and `{` outside of strings: every value comes with at least one. */
static char *quote_numbers(const char *text, size_t bytes, size_t *quoted_bytes, size_t *marks)
{
    char *quoted = malloc(2 * bytes + 2);
    if (!quoted)
        return NULL;
    size_t to = 0;
    *marks = 0;
    for (size_t at = 0; at < bytes;) {
        size_t end = at + 1;
        bool is_quoted = false;
        *marks += text[at] == ',' || text[at] == ':' || text[at] == '[' || text[at] == '{';
        if (text[at] == '"') {
            end = string_end(text, bytes, at);
        } else if (is_word(text[at])) {
            while (end < bytes && is_word(text[end]))
                end++;
            is_quoted = is_number(text + at, end - at) && !is_before_colon(text, bytes, end);
        }
        if (is_quoted)
            quoted[to++] = '"';
        memcpy(quoted + to, text + at, end - at);
        to += end - at;
        if (is_quoted)
            quoted[to++] = '"';
        at = end;
    }
    *quoted_bytes = to;
    return quoted;
}

/* ---- from jansson's values to a tree ---- */

struct json_reader {
    const char *text; /* as written */
    size_t bytes, at; /* `at`: behind the single value that was converted last */
    struct node_tree *tree;
    const char *why; /* what failed */
};

/* Returns the end of the string, number or word that begins at `at`. */
static size_t single_end(const char *text, size_t bytes, size_t at)
{
    if (at < bytes && text[at] == '"')
        return string_end(text, bytes, at);
    while (at < bytes && is_word(text[at]))
        at++;
    return at;
}

/* Sets where the next single value that is not a key is written. Both this and the conversion
 * follow the order of the text. */
static void find_place(struct json_reader *reader, struct node *node)
{
    const char *text = reader->text;
    size_t begin, end = reader->at;
    do {
        for (begin = end; begin < reader->bytes && text[begin] != '"' && !is_word(text[begin]);)
            begin++;
        end = single_end(text, reader->bytes, begin);
    } while (is_before_colon(text, reader->bytes, end));
    reader->at = end;
    node->begin = (uint32_t)begin;
    node->end = (uint32_t)end;
}

static int set_single(struct json_reader *reader, struct node *node, const char *text, size_t bytes)
{
    find_place(reader, node);
    return node_set_text(node, text, bytes);
}

static void report_count(struct report *problems)
{
    report_add(problems, 0, "", "the file has more than %u values", NODE_MAX_COUNT);
}

/* Returns 0, or -1 and sets reader->why to the bound that was exceeded. NODE_MAX_DEPTH bounds the
 * recursion. */
static int convert(struct json_reader *reader, json_t *json, struct node *node, size_t depth)
{
    if (depth > NODE_MAX_DEPTH) {
        reader->why = "objects and arrays are nested more than 64 levels deep";
        return -1;
    }
    reader->why = "not enough memory to read the file";
    switch (json_typeof(json)) {
    case JSON_OBJECT: {
        node->kind = NODE_MAP;
        const char *key;
        json_t *value;
        json_object_foreach(json, key, value)
        {
            char *copy = strdup(key);
            struct node *child = !copy ? NULL : node_add(reader->tree, node, copy, 0);
            if (!child) {
                free(copy);
                return -1;
            }
            if (convert(reader, value, child, depth + 1) != 0)
                return -1;
        }
        return 0;
    }
    case JSON_ARRAY:
        node->kind = NODE_LIST;
        for (size_t i = 0; i < json_array_size(json); i++) {
            struct node *child = node_add(reader->tree, node, NULL, 0);
            if (!child)
                return -1;
            if (convert(reader, json_array_get(json, i), child, depth + 1) != 0)
                return -1;
        }
        return 0;
    case JSON_STRING:
        return set_single(reader, node, json_string_value(json), json_string_length(json));
    case JSON_TRUE:
        return set_single(reader, node, "true", 4);
    case JSON_FALSE:
        return set_single(reader, node, "false", 5);
    case JSON_NULL:
        find_place(reader, node);
        node->kind = NODE_ABSENT;
        return 0;
    case JSON_INTEGER:
    case JSON_REAL:
        break; /* cannot occur: all numbers are in quotes */
    }
    return -1;
}

int node_json_read(const char *text, size_t bytes, struct node_tree *tree, struct report *problems)
{
    size_t quoted_bytes = 0, marks = 0;
    char *quoted = quote_numbers(text, bytes, &quoted_bytes, &marks);
    if (!quoted) {
        report_add(problems, 0, "", "not enough memory to read the file");
        return -1;
    }
    /* Checked before jansson creates all values, each many times as large as its text. A key and
     * its value have two marks. */
    if (marks > 2 * NODE_MAX_COUNT) {
        report_count(problems);
        free(quoted);
        return -1;
    }
    json_error_t error;
    json_t *json = json_loadb(quoted, quoted_bytes, JSON_REJECT_DUPLICATES, &error);
    secret_wipe(quoted, quoted_bytes);
    free(quoted);
    if (!json) {
        bool is_nul = json_error_code(&error) == json_error_null_character ||
                      json_error_code(&error) == json_error_null_byte_in_key;
        report_add(problems, error.line > 0 ? error.line : 0, "", "invalid JSON: %s",
                   is_nul ? "a value must not contain the character NUL" : error.text);
        return -1;
    }
    struct json_reader reader = {.text = text, .bytes = bytes, .tree = tree};
    int result = convert(&reader, json, &tree->root, 1);
    if (result != 0 && tree->count >= NODE_MAX_COUNT)
        report_count(problems);
    else if (result != 0)
        report_add(problems, 0, "", "%s", reader.why);
    json_decref(json);
    return result;
}
