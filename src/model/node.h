/* The tree that YAML and JSON both become: texts, lists and mappings, with the line that each was written on. A value is the
 * characters that were written; no type is guessed. Made and freed within one call of fleet_file_parse. */
#ifndef WEBHOOKD_MODEL_NODE_H
#define WEBHOOKD_MODEL_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "model/report.h"

#define NODE_MAX_DEPTH 64
#define NODE_MAX_COUNT 200000u /* a fleet of 1,000 vessels with 100 values each has room to spare */

enum node_kind {
    NODE_ABSENT, /* a key with nothing behind it */
    NODE_TEXT,
    NODE_LIST,
    NODE_MAP,
    NODE_BROKEN, /* a problem with it was reported already: say nothing more about it */
};

struct node {
    enum node_kind kind;
    int line;   /* of the key if there is one, else of the value; 0 = unknown */
    char *key;  /* in a mapping, else NULL */
    char *text; /* of a NODE_TEXT: UTF-8 without NUL */
    struct node *items;
    uint32_t count, capacity;
};

struct node_tree {
    struct node root;
    size_t count; /* of nodes */
};

/* Fill a zeroed tree. 0, also when some problems were added but the tree can be looked at; -1 when it cannot. node_tree_free
 * in both cases. The text holds no NUL and is UTF-8. */
int node_yaml_read(const char *text, size_t bytes, struct node_tree *tree, struct report *problems);
int node_json_read(const char *text, size_t bytes, struct node_tree *tree, struct report *problems);
void node_tree_free(struct node_tree *tree);

/* A new child of a list or mapping, zeroed but for the line; the pointer is good until the parent gets its next child. The key, if any,
 * becomes the tree's on success. NULL when memory is gone or there are too many nodes. */
struct node *node_add(struct node_tree *tree, struct node *parent, char *key, int line);
/* Makes it a NODE_TEXT with a copy. 0, or -1 when memory is gone. */
int node_set_text(struct node *node, const char *text, size_t bytes);
/* The value of a key, NULL if there is none or it is absent. */
const struct node *node_get(const struct node *map, const char *key);

/* Where in the file something is: "vessels.fetch.source.arguments[0]", cut when it gets too long. */
struct node_path {
    char text[300];
    size_t bytes;
};

/* Return the length before, for node_path_leave. */
size_t node_path_enter(struct node_path *path, const char *key);
size_t node_path_enter_item(struct node_path *path, size_t index);
void node_path_leave(struct node_path *path, size_t mark);

#endif
