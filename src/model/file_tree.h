/* From the bytes of a file (YAML or JSON) to its tree. Pure. */
#ifndef WEBHOOKD_MODEL_FILE_TREE_H
#define WEBHOOKD_MODEL_FILE_TREE_H

#include "model/node.h"
#include "model/report.h"

/* The kind of file, for messages. */
struct file_kind {
    const char *name; /* "fleet file" */
    const char *keys; /* "name, vessels, connections" */
    size_t max_bytes; /* whole MiB */
};

/* Reads the tree of a file, whose root is a mapping. The file is read as JSON if its first
 * character other than white space is '{'. Returns 0, or -1 after adding a problem. The caller
 * calls node_tree_free in both cases. */
int file_tree_read(const struct file_kind *kind, const char *text, size_t bytes,
                   struct node_tree *tree, struct report *problems);

#endif
