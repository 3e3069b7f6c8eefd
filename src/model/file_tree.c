/* Chooses the reader of a file by its first character. Called by fleet_file.c and blueprint_file.c;
 * pure. */
#include "model/file_tree.h"

#include <string.h>

#include "base/utf8.h"

static int line_at(const char *text, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* Refuses NUL characters and anything other than UTF-8, so the two readers, and the code that uses
 * their trees, need not handle them. */
static int check_bytes(const struct file_kind *kind, const char *text, size_t bytes,
                       struct report *problems)
{
    if (bytes > kind->max_bytes) {
        report_add(problems, 0, "", "the %s is larger than %zu MiB", kind->name,
                   kind->max_bytes >> 20);
        return -1;
    }
    const char *nul = bytes == 0 ? NULL : memchr(text, '\0', bytes);
    if (nul) {
        report_add(problems, line_at(text, (size_t)(nul - text)), "",
                   "the file contains the character NUL: it is not a text file");
        return -1;
    }
    for (size_t at = 0; at < bytes;) {
        uint32_t code_point;
        size_t length = utf8_decode_n(text + at, bytes - at, &code_point);
        if (length == 0) {
            report_add(problems, line_at(text, at), "", "the file is not UTF-8");
            return -1;
        }
        at += length;
    }
    return 0;
}

int file_tree_read(const struct file_kind *kind, const char *text, size_t bytes,
                   struct node_tree *tree, struct report *problems)
{
    if (check_bytes(kind, text, bytes, problems) != 0)
        return -1;
    /* A byte order mark has no meaning in UTF-8. */
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        tree->offset = 3;
        text += tree->offset;
        bytes -= tree->offset;
    }
    size_t at = 0;
    while (at < bytes && strchr(" \t\r\n", text[at]))
        at++;
    if (at == bytes) {
        report_add(problems, 0, "", "the file is empty");
        return -1;
    }
    tree->is_json = text[at] == '{';
    int result = tree->is_json ? node_json_read(text, bytes, tree, problems)
                               : node_yaml_read(text, bytes, tree, problems);
    if (result == 0 && tree->root.kind == NODE_BROKEN)
        return -1;
    if (result == 0 && tree->root.kind != NODE_MAP) {
        report_add(problems, tree->root.line, "", "a %s must be a mapping: %s", kind->name,
                   kind->keys);
        return -1;
    }
    return result;
}
