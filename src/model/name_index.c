/* A sorted list of names. Called by the YAML reader and by the validation of a fleet file; pure. */
#include "model/name_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare_entries(const void *a, const void *b)
{
    const struct name_entry *left = a;
    const struct name_entry *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

void name_index_init(struct name_index *index, size_t capacity)
{
    index->entries = memory_array(NULL, capacity + 1, sizeof(index->entries[0]));
    index->count = 0;
}

void name_index_add(struct name_index *index, const char *name, size_t place)
{
    index->entries[index->count++] = (struct name_entry){.name = name, .place = place};
}

void name_index_sort(struct name_index *index)
{
    qsort(index->entries, index->count, sizeof(index->entries[0]), compare_entries);
}

size_t name_index_find(const struct name_index *index, const char *name)
{
    size_t low = 0;
    size_t high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index->count || strcmp(index->entries[low].name, name) != 0)
        return NAME_INDEX_NONE;
    return index->entries[low].place;
}

void name_index_free(struct name_index *index)
{
    free(index->entries);
    *index = (struct name_index){0};
}
