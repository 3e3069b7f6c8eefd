/* Names and their places, sorted: finds a name quickly, and puts names that occur twice side by side. Owned by one function at a time. */
#ifndef WEBHOOKD_MODEL_NAME_INDEX_H
#define WEBHOOKD_MODEL_NAME_INDEX_H

#include <stddef.h>

struct name_entry {
    const char *name; /* borrowed */
    size_t place;
};

struct name_index {
    struct name_entry *entries; /* by name, then by place, once sorted */
    size_t count;
};

#define NAME_INDEX_NONE ((size_t)-1)

void name_index_init(struct name_index *index, size_t capacity);
void name_index_add(struct name_index *index, const char *name,
                    size_t place); /* at most `capacity` times */
void name_index_sort(struct name_index *index);
/* The first place of the name, or NAME_INDEX_NONE; after sorting. */
size_t name_index_find(const struct name_index *index, const char *name);
void name_index_free(struct name_index *index);

#endif
