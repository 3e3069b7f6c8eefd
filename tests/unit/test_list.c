/* Lists: insertion and removal at both ends and in the middle, checked in both directions. */
#include <stdlib.h>

#include "base/list.h"
#include "support/suite.h"

struct item {
    char name;
    struct list_node node;
    struct list_node other; /* in a second list at the same time */
};

static struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};

/* Returns the names in the list's order, after checking the links between the items. */
static const char *names(const struct list *list)
{
    static char text[16];
    size_t count = 0;
    const struct list_node *previous = NULL;
    LIST_EACH(struct item, item, list, node) {
        ck_assert_ptr_eq(item->node.previous, previous);
        previous = &item->node;
        text[count++] = item->name;
    }
    ck_assert_ptr_eq(list->last, previous);
    text[count] = '\0';
    return text;
}

static struct list three(void)
{
    struct list list = {NULL, NULL};
    list_append(&list, &a.node);
    list_append(&list, &b.node);
    list_append(&list, &c.node);
    return list;
}

TEST(a_zeroed_list_is_empty)
{
    struct list list = {NULL, NULL};
    ck_assert(list_is_empty(&list));
    ck_assert_str_eq(names(&list), "");
    ck_assert_ptr_null(list_take_first(&list));
    ck_assert_ptr_null(LIST_FIRST(&list, struct item, node));
    ck_assert_ptr_null(LIST_LAST(&list, struct item, node));
    ck_assert_ptr_null(LIST_TAKE_FIRST(&list, struct item, node));
}

TEST(items_are_inserted_at_both_ends)
{
    struct list list = {NULL, NULL};
    list_append(&list, &b.node);
    ck_assert_str_eq(names(&list), "b");
    list_append(&list, &c.node);
    list_prepend(&list, &a.node);
    ck_assert(!list_is_empty(&list));
    ck_assert_str_eq(names(&list), "abc");
    ck_assert_ptr_eq(LIST_FIRST(&list, struct item, node), &a);
    ck_assert_ptr_eq(LIST_NEXT(&a, struct item, node), &b);
    ck_assert_ptr_eq(LIST_LAST(&list, struct item, node), &c);
    ck_assert_ptr_null(LIST_NEXT(&c, struct item, node));
    struct list front = {NULL, NULL};
    list_prepend(&front, &a.node);
    ck_assert_str_eq(names(&front), "a");
}

TEST(items_are_removed_from_anywhere)
{
    struct list list = three();
    list_remove(&list, &b.node);
    ck_assert_ptr_null(b.node.next);
    ck_assert_ptr_null(b.node.previous);
    ck_assert_str_eq(names(&list), "ac");
    list_remove(&list, &a.node);
    ck_assert_str_eq(names(&list), "c");
    list_remove(&list, &c.node);
    ck_assert(list_is_empty(&list));
    list = three();
    list_remove(&list, &c.node);
    ck_assert_str_eq(names(&list), "ab");
    list_append(&list, &c.node);
    ck_assert_str_eq(names(&list), "abc");
}

TEST(items_are_taken_in_the_order_of_insertion)
{
    struct list list = three();
    const char *expected = "abc";
    struct item *item;
    while ((item = LIST_TAKE_FIRST(&list, struct item, node)))
        ck_assert_int_eq(item->name, *expected++);
    ck_assert_int_eq(*expected, '\0');
    ck_assert(list_is_empty(&list));
}

TEST(an_item_may_be_removed_and_freed_while_the_list_is_walked)
{
    struct list list = {NULL, NULL};
    for (int i = 0; i < 6; i++) {
        struct item *item = calloc(1, sizeof(*item));
        item->name = (char)('0' + i);
        list_append(&list, &item->node);
    }
    LIST_EACH(struct item, item, &list, node) {
        if (item->name % 2 == 0) {
            list_remove(&list, &item->node);
            free(item);
        }
    }
    ck_assert_str_eq(names(&list), "135");
    LIST_EACH(struct item, item, &list, node)
        free(item);
}

TEST(an_item_can_be_in_one_list_per_node)
{
    struct list list = three(), other = {NULL, NULL};
    list_prepend(&other, &a.other);
    list_prepend(&other, &c.other);
    list_remove(&list, &a.node);
    ck_assert_str_eq(names(&list), "bc");
    ck_assert_ptr_eq(LIST_FIRST(&other, struct item, other), &c);
    ck_assert_ptr_eq(LIST_LAST(&other, struct item, other), &a);
}

TEST(a_list_is_moved_by_assignment)
{
    struct list list = three(), moved = list;
    list = (struct list){NULL, NULL};
    ck_assert(list_is_empty(&list));
    ck_assert_str_eq(names(&moved), "abc");
    list_remove(&moved, &a.node);
    list_append(&list, &a.node);
    ck_assert_str_eq(names(&moved), "bc");
    ck_assert_str_eq(names(&list), "a");
}
