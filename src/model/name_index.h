/* A sorted list of names with their places, in which a name is found quickly and duplicate names
 * are adjacent. Each is owned by one function. */
#ifndef WEBHOOKD_MODEL_NAME_INDEX_H
#define WEBHOOKD_MODEL_NAME_INDEX_H

#include <stddef.h>

struct name_entry {
    const char *name; /* borrowed */
    size_t place;
};

struct name_index {
    struct name_entry *entries; /* after name_index_sort: by name, then by place */
    size_t count;
};

#define NAME_INDEX_NONE ((size_t)-1)

void name_index_init(struct name_index *index, size_t capacity);
/* May be called `capacity` times at most. */
void name_index_add(struct name_index *index, const char *name, size_t place);
void name_index_sort(struct name_index *index);
/* Returns the first place of the name, or NAME_INDEX_NONE. The index must be sorted. */
size_t name_index_find(const struct name_index *index, const char *name);
void name_index_free(struct name_index *index);

#endif
