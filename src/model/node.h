/* The tree into which both YAML and JSON are read: texts, lists and mappings, each with its line. A
 * value is its characters as written; its type is not guessed. A tree is created and freed within
 * one call of fleet_file_parse. Pure. */
#ifndef WEBHOOKD_MODEL_NODE_H
#define WEBHOOKD_MODEL_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/report.h"

#define NODE_MAX_DEPTH 64
#define NODE_MAX_COUNT 200000u /* twice the values of a fleet of 1,000 vessels with 100 each */

enum node_kind {
    NODE_ABSENT, /* a key without a value; null in JSON */
    NODE_TEXT,
    NODE_LIST,
    NODE_MAP,
    NODE_BROKEN, /* a problem with it was already reported; no other is reported */
};

struct node {
    enum node_kind kind;
    int line;   /* of the key if it has one, otherwise of the value; 0 = unknown */
    char *key;  /* in a mapping, otherwise NULL */
    char *text; /* of a NODE_TEXT: UTF-8 without NUL characters */
    /* Where a NODE_TEXT is written, in bytes of the text that was read: with its quotes, its tag,
     * or the indicator and all lines of a block scalar. */
    uint32_t begin, end;
    struct node *items;
    uint32_t count, capacity;
};

struct node_tree {
    struct node root;
    size_t count; /* of nodes */
    bool is_json;
    size_t offset; /* of the text that was read in the file: the length of its byte order mark */
};

/* Fill a zeroed tree from text that must be UTF-8 without NUL characters. Return 0 if the tree can
 * be used, even if problems were added; otherwise -1. The caller calls node_tree_free in both
 * cases. */
int node_yaml_read(const char *text, size_t bytes, struct node_tree *tree, struct report *problems);
int node_json_read(const char *text, size_t bytes, struct node_tree *tree, struct report *problems);
/* Wipes all texts, because some may be secret. (libyaml and jansson free their own copies
 * unwiped.) */
void node_tree_free(struct node_tree *tree);

/* Adds a child with this key and line, otherwise zeroed, to a list or mapping. The pointer is valid
 * until the parent gets its next child. On success the tree owns the key, which may be NULL.
 * Returns NULL if memory runs out or there are too many nodes. */
struct node *node_add(struct node_tree *tree, struct node *parent, char *key, int line);
/* Turns the node into a NODE_TEXT with a copy of the text. Returns 0, or -1 if memory runs out. */
int node_set_text(struct node *node, const char *text, size_t bytes);
/* Returns the value of a key; NULL if the mapping does not have the key, or the key has no
 * value. */
const struct node *node_get(const struct node *map, const char *key);

/* A place in the file: "vessels.fetch.source.arguments[0]". Cut if it gets too long. */
struct node_path {
    char text[300];
    size_t bytes;
};

/* Return the previous length, for node_path_leave. */
size_t node_path_enter(struct node_path *path, const char *key);
size_t node_path_enter_item(struct node_path *path, size_t index);
void node_path_leave(struct node_path *path, size_t mark);

#endif
