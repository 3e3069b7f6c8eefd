/* Units, ranges and the typed fields. Called by parse.c, config.c and snapshot.c, on the caller's
 * thread. */
#include "config/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/duration.h"
#include "base/memory.h"
#include "config/findings.h"

/* ---- quantities ---- */

static int read_size(const char *text, int64_t *bytes)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    const char *unit = decimal_read(text, 0, bytes);
    for (size_t i = 0; unit && i < ARRAY_COUNT(units); i++)
        if (strcmp(unit, units[i].name) == 0)
            return __builtin_mul_overflow(*bytes, units[i].bytes, bytes) ? -1 : 0;
    return -1;
}

static int read_duration(const char *text, int64_t *ms)
{
    static const struct duration_form form = {.largest = DURATION_D, .smallest = DURATION_MS};
    *ms = 0;
    return strcmp(text, "0") == 0 ? 0 : duration_parse(text, &form, ms);
}

static int read_number(const char *text, int64_t *number)
{
    const char *behind = decimal_read(text, 0, number);
    return behind && *behind == '\0' ? 0 : -1;
}

/* Reads a number, a size or a duration. Returns NULL, or what to say after the
 * text: "is not a size". */
static const char *read_quantity(enum config_type type, const char *text, int64_t *value)
{
    if (type == CONFIG_SIZE)
        return read_size(text, value) == 0
                   ? NULL
                   : "is not a size: a whole number of bytes, or one with KiB, MiB or GiB";
    if (type == CONFIG_DURATION)
        return read_duration(text, value) == 0
                   ? NULL
                   : "is not a duration: whole numbers with ms, s, m, h or d, such as 1h30m";
    return read_number(text, value) == 0 ? NULL : "is not a whole number";
}

static int64_t known_quantity(enum config_type type, const char *text)
{
    int64_t value = 0;
    const char *problem = read_quantity(type, text, &value);
    assert(!problem);
    (void)problem;
    return value;
}

/* ---- fields ---- */

/* `range` may be NULL. */
static char *refuse(const char *text, const char *problem, const char *range)
{
    char *excerpt = config_excerpt(text);
    char *message = range ? memory_format("\"%s\" %s; allowed: %s", excerpt, problem, range)
                          : memory_format("\"%s\" %s", excerpt, problem);
    free(excerpt);
    return message;
}

/* Whether the text is a quantity that no range contains: a negative one, or more digits than an
 * int64_t can hold. */
static bool is_beyond(enum config_type type, const char *text)
{
    int64_t ignored = 0;
    return text[0] == '-' ? !read_quantity(type, text + 1, &ignored)
                          : type != CONFIG_DURATION && text[0] != '\0' &&
                                text[strspn(text, "0123456789")] == '\0';
}

static char *set_quantity(const struct config_key *key, int64_t *field, const char *text)
{
    int64_t value = 0;
    const char *problem = read_quantity(key->type, text, &value);
    if (problem && !is_beyond(key->type, text))
        return refuse(text, problem, key->info.range_text);
    if (problem || value < known_quantity(key->type, key->lowest) ||
        value > known_quantity(key->type, key->highest))
        return refuse(text, "is out of range", key->info.range_text);
    *field = value;
    return NULL;
}

static char *set_choice(const struct config_key *key, void *field, const char *text)
{
    for (unsigned i = 0; key->choices[i]; i++) {
        if (strcmp(key->choices[i], text) == 0) {
            memcpy(field, &i, sizeof(i)); /* the field is an enumeration of these names */
            return NULL;
        }
    }
    char *excerpt = config_excerpt(text);
    char *message = memory_format("\"%s\" is not one of %s", excerpt, key->info.range_text);
    free(excerpt);
    return message;
}

static char *set_bool(bool *field, const char *text)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0)
        return refuse(text, "is not true or false", NULL);
    *field = is_true;
    return NULL;
}

static char *set_text(const struct config_key *key, char **field, const char *text)
{
    const char *problem = key->check(text);
    if (problem)
        return refuse(text, problem, NULL);
    free(*field);
    *field = memory_string(text);
    return NULL;
}

static char *add_item(const struct config_key *key, struct config_list *list, const char *text)
{
    const char *problem = key->check(text);
    if (problem)
        return refuse(text, problem, NULL);
    list->items = memory_array(list->items, list->count + 1, sizeof(*list->items));
    list->items[list->count++] = memory_string(text);
    return NULL;
}

char *config_value_set(const struct config_key *key, void *base, const char *text)
{
    void *field = (char *)base + key->offset;
    switch (key->type) {
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        return set_quantity(key, field, text);
    case CONFIG_BOOL:
        return set_bool(field, text);
    case CONFIG_CHOICE:
        return set_choice(key, field, text);
    case CONFIG_TEXT:
        return set_text(key, field, text);
    case CONFIG_LIST:
        return add_item(key, field, text);
    }
    return NULL;
}

void config_value_set_default(const struct config_key *key, void *base)
{
    if (key->type == CONFIG_LIST)
        return; /* the default is always {}, and fields are zeroed at first */
    const char *text = key->info.default_text;
    size_t quote = text[0] == '"' ? 1 : 0;
    char *bare = memory_string_n(text + quote, strlen(text) - 2 * quote);
    char *problem = config_value_set(key, base, bare);
    assert(!problem);
    free(problem);
    free(bare);
}

static bool lists_equal(const struct config_list *a, const struct config_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

bool config_value_equal(const struct config_key *key, const void *a, const void *b)
{
    const void *left = (const char *)a + key->offset;
    const void *right = (const char *)b + key->offset;
    switch (key->type) {
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        return *(const int64_t *)left == *(const int64_t *)right;
    case CONFIG_BOOL:
        return *(const bool *)left == *(const bool *)right;
    case CONFIG_CHOICE:
        return memcmp(left, right, sizeof(unsigned)) == 0;
    case CONFIG_TEXT:
        return strcmp(*(char *const *)left, *(char *const *)right) == 0;
    case CONFIG_LIST:
        return lists_equal(left, right);
    }
    return false;
}

static void copy_list(struct config_list *to, const struct config_list *from)
{
    *to = (struct config_list){memory_array(NULL, from->count, sizeof(*to->items)), from->count};
    for (size_t i = 0; i < from->count; i++)
        to->items[i] = memory_string(from->items[i]);
}

void config_value_copy(const struct config_key *key, void *to, const void *from)
{
    void *left = (char *)to + key->offset;
    const void *right = (const char *)from + key->offset;
    config_value_free(key, to);
    switch (key->type) {
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        memcpy(left, right, sizeof(int64_t));
        return;
    case CONFIG_BOOL:
        memcpy(left, right, sizeof(bool));
        return;
    case CONFIG_CHOICE:
        memcpy(left, right, sizeof(unsigned));
        return;
    case CONFIG_TEXT:
        *(char **)left = memory_string(*(char *const *)right);
        return;
    case CONFIG_LIST:
        copy_list(left, right);
        return;
    }
}

void config_value_free(const struct config_key *key, void *base)
{
    void *field = (char *)base + key->offset;
    if (key->type == CONFIG_TEXT)
        free(*(char **)field);
    if (key->type == CONFIG_LIST) {
        struct config_list *list = field;
        for (size_t i = 0; i < list->count; i++)
            free(list->items[i]);
        free(list->items);
    }
}
