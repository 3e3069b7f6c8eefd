/* The tree of a fleet file, and paths into it. Called by the two readers and by the validation;
 * pure. */
#include "model/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/utf8.h"

/* The depth of the tree is bounded, so the recursion is bounded too. */
static void free_node(struct node *node)
{
    for (uint32_t i = 0; i < node->count; i++)
        free_node(&node->items[i]);
    free(node->items);
    free(node->key);
    if (node->text)
        secret_wipe(node->text, strlen(node->text));
    free(node->text);
}

void node_tree_free(struct node_tree *tree)
{
    free_node(&tree->root);
    *tree = (struct node_tree){0};
}

struct node *node_add(struct node_tree *tree, struct node *parent, char *key, int line)
{
    if (tree->count >= NODE_MAX_COUNT)
        return NULL;
    if (parent->count == parent->capacity) {
        /* Starts with 1, not 8: a file of NODE_MAX_COUNT tiny lists must not take much memory. */
        uint32_t capacity = parent->capacity == 0 ? 1 : 2 * parent->capacity;
        struct node *items = reallocarray(parent->items, capacity, sizeof(*items));
        if (!items)
            return NULL;
        parent->items = items;
        parent->capacity = capacity;
    }
    struct node *node = &parent->items[parent->count++];
    *node = (struct node){.key = key, .line = line};
    tree->count++;
    return node;
}

int node_set_text(struct node *node, const char *text, size_t bytes)
{
    node->text = strndup(text, bytes);
    node->kind = NODE_TEXT;
    return !node->text ? -1 : 0;
}

const struct node *node_get(const struct node *map, const char *key)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return map->items[i].kind == NODE_ABSENT ? NULL : &map->items[i];
    return NULL;
}

size_t node_path_enter(struct node_path *path, const char *key)
{
    size_t mark = path->bytes;
    size_t room = sizeof(path->text) - 1;
    if (mark > 0 && mark < room)
        path->text[path->bytes++] = '.';
    size_t bytes = strnlen(key, sizeof(path->text));
    for (size_t at = 0; at < bytes;) {
        uint32_t code_point;
        size_t length = utf8_decode_n(key + at, bytes - at, &code_point);
        if (length == 0 || path->bytes + length > room)
            break;
        memcpy(path->text + path->bytes, key + at, length);
        path->bytes += length;
        at += length;
    }
    path->text[path->bytes] = '\0';
    return mark;
}

size_t node_path_enter_item(struct node_path *path, size_t index)
{
    size_t mark = path->bytes;
    char item[32];
    int length = snprintf(item, sizeof(item), "[%zu]", index);
    if (length > 0 && mark + (size_t)length < sizeof(path->text)) {
        memcpy(path->text + mark, item, (size_t)length + 1);
        path->bytes += (size_t)length;
    }
    return mark;
}

void node_path_leave(struct node_path *path, size_t mark)
{
    path->bytes = mark;
    path->text[mark] = '\0';
}
