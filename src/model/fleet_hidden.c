/* See fleet_hidden.h. fleet_file.c finds the places while it reads the file; this replaces them.
 * Called by the admin API on its workers' threads; pure. */
#include "model/fleet_hidden.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "model/report.h"

void fleet_hidden_free(struct fleet_hidden_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
    *list = (struct fleet_hidden_list){0};
}

/* ---- one value ---- */

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Returns where the value begins behind its tag: YAML allows blanks, comments and ends of lines
 * between the two. */
static const char *skip_tag(const char *at, const char *end)
{
    if (at == end || *at != '!')
        return at;
    while (at < end && *at != ' ' && *at != '\t' && !is_line_end(*at))
        at++;
    for (bool in_comment = false; at < end; at++) {
        in_comment = (in_comment || *at == '#') && !is_line_end(*at);
        if (!in_comment && *at != ' ' && *at != '\t' && !is_line_end(*at))
            break;
    }
    return at;
}

/* Returns where the empty lines begin that follow the last line of a block scalar. They are no
 * secret, and may separate it from what comes next. */
static const char *last_lines(const char *begin, const char *end)
{
    const char *at = end;
    while (at > begin && is_line_end(at[-1]))
        at--;
    if (at < end && *at == '\r')
        at++;
    if (at < end && *at == '\n')
        at++;
    return at;
}

/* Replaces a block scalar. The rest of the line of its indicator, which may be a comment, stays. */
static void mask_block(const char *at, const char *end, struct buffer *masked)
{
    const char *rest =
        at + 1; /* behind the indicators for indentation and for the last line ends */
    while (rest < end && (*rest == '+' || *rest == '-' || (*rest >= '0' && *rest <= '9')))
        rest++;
    const char *content = rest;
    while (content < end && !is_line_end(*content))
        content++;
    if (content < end && *content == '\r')
        content++;
    if (content < end && *content == '\n')
        content++;
    const char *after = last_lines(content, end);
    buffer_append_text(masked, DEFINITION_HIDDEN);
    buffer_append(masked, rest, (size_t)(content - rest));
    buffer_append(masked, after, (size_t)(end - after));
}

/* A value in quotes stays in quotes of the same kind. */
static void mask_value(const char *at, const char *end, bool is_json, struct buffer *masked)
{
    if (!is_json) {
        at = skip_tag(at, end);
        if (at < end && (*at == '|' || *at == '>')) {
            mask_block(at, end, masked);
            return;
        }
    }
    const char *quote = is_json || (at < end && *at == '"') ? "\"" : "";
    if (!is_json && at < end && *at == '\'')
        quote = "'";
    buffer_append_format(masked, "%s%s%s", quote, DEFINITION_HIDDEN, quote);
}

/* ---- the file ---- */

/* Whether the file is read as the definition, but for the hidden values. */
static bool means_the_same(const struct fleet_hidden_list *list, const char *text, size_t bytes,
                           const struct definition *definition)
{
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    struct definition *other = fleet_file_parse(text, bytes, &list->options, &problems, &notes);
    bool same = false;
    if (other) {
        char *one_json = definition_json_write(definition, true);
        char *other_json = definition_json_write(other, true);
        same = strcmp(one_json, other_json) == 0;
        free(one_json);
        free(other_json);
    }
    definition_free(other);
    report_free_problems(&problems);
    report_free_problems(&notes);
    return same;
}

char *fleet_hidden_mask(const struct fleet_hidden_list *list, const struct definition *definition,
                        size_t *bytes, struct error *error)
{
    struct buffer masked = BUFFER_INIT;
    size_t from = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct fleet_hidden *hidden = &list->items[i];
        size_t begin = list->offset + hidden->begin, end = list->offset + hidden->end;
        if (definition_lacks_value(&definition->vessels[hidden->vessel].environment[hidden->entry]))
            continue;
        buffer_append(&masked, list->text + from, begin - from);
        mask_value(list->text + begin, list->text + end, list->is_json, &masked);
        from = end;
    }
    buffer_append(&masked, list->text + from, list->bytes - from);
    *bytes = masked.bytes;
    char *text = masked.failed ? NULL : buffer_take(&masked);
    if (!text) {
        error_set(error, ERROR_UNAVAILABLE, "not enough memory to hide the values of the file");
    } else if (!means_the_same(list, text, *bytes, definition)) {
        free(text);
        text = NULL;
        error_set(error, ERROR_INVALID,
                  "the hidden values cannot be left out of the stored file: write each in double "
                  "quotes on one line");
    }
    buffer_free(&masked);
    return text;
}

void fleet_hidden_refuse(const struct fleet_hidden_list *list, size_t vessel, size_t entry,
                         struct fleet_problems *problems)
{
    struct report report = {.list = problems, .count = problems->count};
    for (size_t i = 0; i < list->count; i++) {
        const struct fleet_hidden *hidden = &list->items[i];
        if (hidden->vessel == vessel && hidden->entry == entry)
            report_add(&report, hidden->line, hidden->path,
                       "there is no stored value to keep: write the real one, or `#{GROUP.ITEM}`");
    }
}
