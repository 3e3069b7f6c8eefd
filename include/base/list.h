/* Doubly linked lists. A node is part of the item that it links, so putting an item in or taking it
 * out allocates nothing. A zeroed list is empty, and a list can be moved by assignment. An item can
 * be in as many lists as it has nodes.
 *
 *     struct job {
 *         struct list_node waiting;
 *         …
 *     };
 *     list_append(&waiting_jobs, &job->waiting);
 *     LIST_EACH(struct job, job, &waiting_jobs, waiting)
 *         …
 * The caller does the locking. */
#ifndef WEBHOOKD_BASE_LIST_H
#define WEBHOOKD_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *next, *previous;
};

struct list {
    struct list_node *first, *last;
};

static inline bool list_is_empty(const struct list *list)
{
    return !list->first;
}

static inline void list_append(struct list *list, struct list_node *node)
{
    *node = (struct list_node){.previous = list->last};
    if (list->last)
        list->last->next = node;
    else
        list->first = node;
    list->last = node;
}

static inline void list_prepend(struct list *list, struct list_node *node)
{
    *node = (struct list_node){.next = list->first};
    if (list->first)
        list->first->previous = node;
    else
        list->last = node;
    list->first = node;
}

/* The node must be in this list. */
static inline void list_remove(struct list *list, struct list_node *node)
{
    if (node->previous)
        node->previous->next = node->next;
    else
        list->first = node->next;
    if (node->next)
        node->next->previous = node->previous;
    else
        list->last = node->previous;
    *node = (struct list_node){NULL, NULL};
}

static inline struct list_node *list_take_first(struct list *list)
{
    struct list_node *node = list->first;
    if (node)
        list_remove(list, node);
    return node;
}

/* Returns the item that holds the node at this offset; NULL for NULL. */
static inline void *list_item(struct list_node *node, size_t offset)
{
    return node ? (char *)node - offset : NULL;
}

/* Items of type `type *` whose node is `member`; NULL if there is no such item. */
#define LIST_FIRST(list, type, member) ((type *)list_item((list)->first, offsetof(type, member)))
#define LIST_LAST(list, type, member)  ((type *)list_item((list)->last, offsetof(type, member)))
#define LIST_NEXT(item, type, member)                                                              \
    ((type *)list_item((item)->member.next, offsetof(type, member)))
/* Like LIST_FIRST, and removes the item. */
#define LIST_TAKE_FIRST(list, type, member)                                                        \
    ((type *)list_item(list_take_first(list), offsetof(type, member)))

/* Declares `item`. The body may remove and free it, but no other item. */
#define LIST_EACH(type, item, list, member)                                                        \
    for (type *item = LIST_FIRST(list, type, member), *item##_next;                                \
         item && (item##_next = LIST_NEXT(item, type, member), true); item = item##_next)

#endif
