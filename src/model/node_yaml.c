/* Reads YAML into a tree, from libyaml's events. No value is interpreted: what YAML defines as a
 * number or a date is read as its characters; only null counts as absent, as in JSON. Refuses
 * aliases, with which a small file can expand to a large one, and tags, which change the meaning of
 * what is written. Called by fleet_file.c; pure. */
#include "model/node.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/name_index.h"

#define MAX_BLANKS 4096

struct yaml_reader {
    yaml_parser_t parser;
    const char *text;
    size_t bytes;
    struct node_tree *tree;
    struct report *problems;
    struct node *open[NODE_MAX_DEPTH]; /* the lists and mappings that contain the next event */
    bool is_broken[NODE_MAX_DEPTH];    /* whether each of them has a tag that is refused */
    size_t depth;
    char *key; /* of the innermost mapping, until its value is read; owned */
    int key_line;
    bool has_document;
    struct {
        size_t characters, bytes;
    } place; /* in the text: libyaml's marks count characters */
};

static int line_of(yaml_mark_t mark)
{
    return mark.line < INT_MAX ? (int)mark.line + 1 : INT_MAX;
}

/* Returns the path of the node that was placed last, or of the value that `key` belongs to. */
static struct node_path path_here(const struct yaml_reader *reader)
{
    struct node_path path = {0};
    for (size_t i = 0; i < reader->depth; i++) {
        const struct node *parent = reader->open[i];
        bool innermost = i + 1 == reader->depth;
        if (innermost && reader->key)
            node_path_enter(&path, reader->key);
        else if (parent->count > 0 && parent->kind == NODE_LIST)
            node_path_enter_item(&path, parent->count - 1);
        else if (parent->count > 0)
            node_path_enter(&path, parent->items[parent->count - 1].key);
    }
    return path;
}

static int out_of_room(struct yaml_reader *reader, int line)
{
    if (reader->tree->count >= NODE_MAX_COUNT)
        report_add(reader->problems, line, "", "the file has more than %u values", NODE_MAX_COUNT);
    else
        report_add(reader->problems, line, "", "not enough memory to read the file");
    return -1;
}

/* Returns the node for the value that begins on this line, or NULL after reporting. */
static struct node *place(struct yaml_reader *reader, int line)
{
    if (reader->depth == 0) {
        reader->tree->root.line = line;
        return &reader->tree->root;
    }
    struct node *parent = reader->open[reader->depth - 1];
    if (parent->kind == NODE_MAP && !reader->key) {
        report_add(reader->problems, line, path_here(reader).text,
                   "a key must be a single value, not a list, a mapping or an alias");
        return NULL;
    }
    struct node *node =
        node_add(reader->tree, parent, reader->key, reader->key ? reader->key_line : line);
    if (!node)
        out_of_room(reader, line);
    else
        reader->key = NULL;
    return node;
}

/* Whether the tag only repeats what the syntax says. */
static bool tag_is_harmless(const char *tag, enum node_kind kind)
{
    if (!tag || strcmp(tag, "!") == 0)
        return true;
    if (kind == NODE_LIST)
        return strcmp(tag, YAML_SEQ_TAG) == 0;
    if (kind == NODE_MAP)
        return strcmp(tag, YAML_MAP_TAG) == 0;
    return strcmp(tag, YAML_STR_TAG) == 0;
}

/* Returns false, after reporting, if the node that was just placed, or the key without a value yet,
 * has an anchor or a tag that is refused. */
static bool has_plain_properties(struct yaml_reader *reader, const yaml_char_t *anchor,
                                 const yaml_char_t *tag, enum node_kind kind, int line)
{
    if (anchor)
        report_add(reader->problems, line, path_here(reader).text,
                   "anchors and aliases are not accepted (&%.60s): write the value out, or put it "
                   "in quotes if it begins with \"&\"",
                   (const char *)anchor);
    bool harmless = tag_is_harmless((const char *)tag, kind);
    if (!harmless)
        report_add(reader->problems, line, path_here(reader).text,
                   "the tag \"%.60s\" is not accepted: every value is read as text; put a value "
                   "that begins with \"!\" in quotes",
                   (const char *)tag);
    return !anchor && harmless;
}

/* Whether a plain scalar counts as absent, as null does in JSON: no text at all, or null as the
 * core schema writes it (YAML 1.2.2, section 10.3.2). */
static bool is_null(const char *text, size_t bytes)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (strlen(words[i]) == bytes && memcmp(text, words[i], bytes) == 0)
            return true;
    return false;
}

/* Returns a copy of the scalar's text, or NULL after reporting. */
static char *scalar_text(struct yaml_reader *reader, const yaml_event_t *event, int line)
{
    const char *value = (const char *)event->data.scalar.value;
    if (memchr(value, '\0', event->data.scalar.length)) {
        report_add(reader->problems, line, path_here(reader).text,
                   "a value must not contain the character NUL");
        return NULL;
    }
    char *text = strndup(value, event->data.scalar.length);
    if (!text)
        out_of_room(reader, line);
    return text;
}

/* Returns the offset of a mark in bytes. Quick if marks come in the order of the text. */
static uint32_t offset_of(struct yaml_reader *reader, yaml_mark_t mark)
{
    if (mark.index < reader->place.characters)
        reader->place.characters = reader->place.bytes = 0;
    while (reader->place.characters < mark.index && reader->place.bytes < reader->bytes) {
        uint32_t code_point;
        reader->place.bytes += utf8_decode_n(reader->text + reader->place.bytes,
                                             reader->bytes - reader->place.bytes, &code_point);
        reader->place.characters++;
    }
    return (uint32_t)reader->place.bytes;
}

static int take_scalar(struct yaml_reader *reader, const yaml_event_t *event)
{
    int line = line_of(event->start_mark);
    const struct node *parent = reader->depth > 0 ? reader->open[reader->depth - 1] : NULL;
    if (parent && parent->kind == NODE_MAP && !reader->key) {
        reader->key = scalar_text(reader, event, line);
        reader->key_line = line;
        if (!reader->key)
            return -1;
        has_plain_properties(reader, event->data.scalar.anchor, event->data.scalar.tag, NODE_TEXT,
                             line);
        return 0;
    }
    struct node *node = place(reader, line);
    if (!node)
        return -1;
    if (!has_plain_properties(reader, event->data.scalar.anchor, event->data.scalar.tag, NODE_TEXT,
                              line)) {
        node->kind = NODE_BROKEN;
        return 0;
    }
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag &&
        is_null((const char *)event->data.scalar.value, event->data.scalar.length)) {
        node->kind = NODE_ABSENT;
        return 0;
    }
    node->text = scalar_text(reader, event, line);
    node->kind = NODE_TEXT;
    node->begin = offset_of(reader, event->start_mark);
    node->end = offset_of(reader, event->end_mark);
    return !node->text ? -1 : 0;
}

static int open_collection(struct yaml_reader *reader, enum node_kind kind,
                           const yaml_char_t *anchor, const yaml_char_t *tag, int line)
{
    if (reader->depth == NODE_MAX_DEPTH) {
        report_add(reader->problems, line, path_here(reader).text,
                   "lists and mappings are nested more than %d levels deep", NODE_MAX_DEPTH);
        return -1;
    }
    struct node *node = place(reader, line);
    if (!node)
        return -1;
    has_plain_properties(reader, anchor, tag, kind, line);
    node->kind = kind;
    reader->is_broken[reader->depth] = !tag_is_harmless((const char *)tag, kind);
    reader->open[reader->depth++] = node;
    return 0;
}

/* Reports every repeated key, and marks its value as broken. */
static void refuse_twins(struct yaml_reader *reader, struct node *map)
{
    if (map->count < 2)
        return;
    struct name_index index;
    name_index_init(&index, map->count);
    for (uint32_t i = 0; i < map->count; i++)
        name_index_add(&index, map->items[i].key, i);
    name_index_sort(&index);
    size_t first = 0;
    for (size_t i = 1; i < index.count; i++) {
        if (strcmp(index.entries[i].name, index.entries[first].name) != 0) {
            first = i;
            continue;
        }
        struct node *twin = &map->items[index.entries[i].place];
        reader->depth--; /* the path of the mapping, without the value placed in it last */
        struct node_path path = path_here(reader);
        reader->depth++;
        node_path_enter(&path, twin->key);
        report_add(reader->problems, twin->line, path.text,
                   "\"%.100s\" is given twice, first on line %d", twin->key,
                   map->items[index.entries[first].place].line);
        twin->kind = NODE_BROKEN;
    }
    name_index_free(&index);
}

static int take_alias(struct yaml_reader *reader, const yaml_event_t *event)
{
    int line = line_of(event->start_mark);
    struct node *node = place(reader, line);
    if (!node)
        return -1;
    node->kind = NODE_BROKEN;
    report_add(reader->problems, line, path_here(reader).text,
               "anchors and aliases are not accepted (*%.60s): write the value out, or put it in "
               "quotes if it begins with \"*\"",
               (const char *)event->data.alias.anchor);
    return 0;
}

static void close_collection(struct yaml_reader *reader)
{
    struct node *node = reader->open[reader->depth - 1];
    if (node->kind == NODE_MAP)
        refuse_twins(reader, node);
    reader->depth--;
    if (reader->is_broken[reader->depth])
        node->kind = NODE_BROKEN;
}

static int take_event(struct yaml_reader *reader, const yaml_event_t *event)
{
    int line = line_of(event->start_mark);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->has_document) {
            report_add(reader->problems, line, "",
                       "a fleet file must contain only one fleet: a second document begins here");
            return -1;
        }
        reader->has_document = true;
        return 0;
    case YAML_ALIAS_EVENT:
        return take_alias(reader, event);
    case YAML_SCALAR_EVENT:
        return take_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_collection(reader, NODE_LIST, event->data.sequence_start.anchor,
                               event->data.sequence_start.tag, line);
    case YAML_MAPPING_START_EVENT:
        return open_collection(reader, NODE_MAP, event->data.mapping_start.anchor,
                               event->data.mapping_start.tag, line);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_collection(reader);
        return 0;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return 0;
    }
    return 0;
}

/* Returns the text of a line, from 1; its end in *end. */
static const char *find_line(const struct yaml_reader *reader, int line, const char **end)
{
    const char *at = reader->text, *last = reader->text + reader->bytes;
    while (line-- > 1 && at < last) {
        const char *newline = memchr(at, '\n', (size_t)(last - at));
        at = newline ? newline + 1 : last;
    }
    const char *newline = memchr(at, '\n', (size_t)(last - at));
    *end = newline ? newline : last;
    return at;
}

/* libyaml does not name the usual cause of a syntax error: a tab where only spaces may be. */
static bool is_indented_by_tab(const struct yaml_reader *reader, int line)
{
    const char *end, *at = find_line(reader, line, &end);
    while (at < end && *at == ' ')
        at++;
    return at < end && *at == '\t';
}

static int report_syntax(struct yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *why = parser->problem ? parser->problem : "the parser gave no reason";
    int line = line_of(parser->problem_mark);
    if (parser->error == YAML_MEMORY_ERROR)
        return out_of_room(reader, 0);
    if (parser->error == YAML_READER_ERROR) {
        /* libyaml's reader runs ahead of the marks and knows only the byte's offset. */
        line = 1;
        for (size_t i = 0; i < parser->problem_offset && i < reader->bytes; i++)
            line += reader->text[i] == '\n';
    }
    if (is_indented_by_tab(reader, line))
        report_add(reader->problems, line, "",
                   "invalid YAML: the line is indented with a tab; use spaces");
    else
        report_add(reader->problems, line, "", "invalid YAML: %s%s%s",
                   parser->context ? parser->context : "", parser->context ? ": " : "", why);
    return -1;
}

static int read_events(struct yaml_reader *reader)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event))
            return report_syntax(reader);
        done = event.type == YAML_STREAM_END_EVENT;
        int result = take_event(reader, &event);
        yaml_event_delete(&event);
        if (result != 0)
            return -1;
    }
    return 0;
}

/* ---- input that costs libyaml far more than its size ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Returns the beginning of the next line, or `end`. */
static const char *next_line(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    return newline ? newline + 1 : end;
}

/* libyaml compares every %TAG with all earlier ones. Directives come before a document, or after
 * "..." has ended one. %YAML is allowed once for each document and is harmless. */
static int refuse_directives(const struct yaml_reader *reader)
{
    const char *end = reader->text + reader->bytes;
    bool in_document = false;
    int number = 1;
    for (const char *line = reader->text; line < end; line = next_line(line, end), number++) {
        size_t bytes = (size_t)(end - line);
        if (bytes >= 3 && memcmp(line, "...", 3) == 0 && (bytes == 3 || is_blank(line[3])))
            in_document = false;
        else if (!in_document && line[0] == '%' && (bytes < 6 || memcmp(line, "%YAML ", 6) != 0)) {
            size_t word = 1;
            while (word < bytes && word < 60 && !is_blank(line[word]))
                word++;
            report_add(reader->problems, number, "",
                       "the directive \"%.*s\" is not accepted: remove the line", (int)word, line);
            return -1;
        } else if (!is_blank(line[0]) && line[0] != '#' && line[0] != '%') {
            in_document = true;
        }
    }
    return 0;
}

/* libyaml keeps a run of white space, and clears as many bytes again at each gap between words of
 * the same value. */
static int refuse_long_blanks(const struct yaml_reader *reader)
{
    size_t run = 0;
    int line = 1;
    for (size_t i = 0; i < reader->bytes; i++) {
        run = is_blank(reader->text[i]) ? run + 1 : 0;
        if (run > MAX_BLANKS) {
            report_add(reader->problems, line, "",
                       "more than %d consecutive white-space characters are not accepted: shorten "
                       "the gap",
                       MAX_BLANKS);
            return -1;
        }
        line += reader->text[i] == '\n';
    }
    return 0;
}

/* libyaml reads these characters as ends of lines, and so changes a text that contains them. */
static int refuse_odd_line_ends(const struct yaml_reader *reader)
{
    static const struct {
        const char *bytes, *name, *escape;
    } odd[] = {{"\xc2\x85", "U+0085", "\\N"},
               {"\xe2\x80\xa8", "U+2028", "\\L"},
               {"\xe2\x80\xa9", "U+2029", "\\P"}};
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        const char *at = memmem(reader->text, reader->bytes, odd[i].bytes, strlen(odd[i].bytes));
        if (!at)
            continue;
        int line = 1;
        for (const char *c = reader->text; c < at; c++)
            line += *c == '\n';
        report_add(reader->problems, line, "",
                   "the character %s ends a line in YAML: write it as %s in double quotes",
                   odd[i].name, odd[i].escape);
        return -1;
    }
    return 0;
}

int node_yaml_read(const char *text, size_t bytes, struct node_tree *tree, struct report *problems)
{
    struct yaml_reader reader = {.text = text, .bytes = bytes, .tree = tree, .problems = problems};
    if (refuse_directives(&reader) != 0 || refuse_long_blanks(&reader) != 0 ||
        refuse_odd_line_ends(&reader) != 0)
        return -1;
    if (!yaml_parser_initialize(&reader.parser))
        return out_of_room(&reader, 0);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, bytes);
    int result = read_events(&reader);
    yaml_parser_delete(&reader.parser);
    free(reader.key);
    return result;
}
