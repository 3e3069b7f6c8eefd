/* Measures a tree of folders that others may be changing: by descriptor, without following links or
 * leaving the mount, in pieces of bounded work. A walk counts each entry at most once. An entry
 * that is created, removed or moved while the walk goes on may or may not be counted. */
#ifndef WEBHOOKD_BASE_TREE_WALK_H
#define WEBHOOKD_BASE_TREE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* A walk holds one descriptor and 2 KiB for each level that it is in. */
#define TREE_WALK_LEVELS 128

/* The folder at the top counts, too. */
struct tree_size {
    /* Allocated on the disk. So a hole counts nothing, and each of the n links of a file counts as
     * one n-th of it. */
    int64_t bytes;
    int64_t names;
};

enum tree_walk_progress {
    TREE_WALK_GOES_ON, /* the budget is used up */
    TREE_WALK_DONE,
    TREE_WALK_TOO_DEEP, /* there are more than TREE_WALK_LEVELS levels */
    TREE_WALK_FAILED,   /* no memory or descriptor is free; the next walk may succeed */
};

struct tree_level;

/* A zeroed walk has not begun. One thread at a time. */
struct tree_walk {
    struct tree_level *innermost;
    int depth;
    struct tree_size size; /* so far */
    uint32_t device_major, device_minor;
    uint64_t mount_id;
};

/* Begins a walk. The previous one must be over. If there is no such folder, the tree is empty. */
enum tree_walk_progress tree_walk_begin(struct tree_walk *walk, int dir_fd, const char *name);
/* Goes on with a walk that goes on. Takes one from *budget for each entry, and returns when it is
 * used up. A walk that does not go on holds nothing any more. */
enum tree_walk_progress tree_walk_go_on(struct tree_walk *walk, int64_t *budget);
/* Ends a walk wherever it is; walk->size stays. */
void tree_walk_end(struct tree_walk *walk);

#endif
