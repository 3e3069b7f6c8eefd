/* The canonical form of a blueprint's inputs: a list, because their order counts. The store keeps
 * it beside each version of a blueprint. Called by the admin API and by blueprint_json.c; pure. */
#include "model/inputs.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/inputs_form.h"
#include "model/words.h"

/* ---- writing ---- */

/* Every text was checked to be UTF-8 when it was read, so jansson can fail only if memory runs
 * out. */
static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        abort();
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        put(object, key, json_string(text));
}

static void append(json_t *list, json_t *value)
{
    if (json_array_append_new(list, value) != 0)
        abort();
}

static json_t *options_json(const struct input *input)
{
    json_t *options = json_array();
    for (size_t i = 0; i < input->option_count; i++) {
        json_t *option = json_object();
        put_text(option, "name", input->options[i].name);
        put_text(option, "value", input->options[i].value);
        append(options, option);
    }
    return options;
}

static json_t *input_json(const struct input *input)
{
    json_t *json = json_object();
    put_text(json, "reference_name", input->key);
    put_text(json, "name", input->name);
    put_text(json, "type", WORDS_INPUT_TYPE[input->type]);
    put(json, "required", json_boolean(input->required));
    put(json, "multiline", json_boolean(input->multiline));
    put_text(json, "default", input->default_value);
    put_text(json, "placeholder", input->placeholder);
    put_text(json, "tooltip", input->tooltip);
    if (input->type == INPUT_SELECT)
        put(json, "options", options_json(input));
    return json;
}

json_t *inputs_json_of(const struct inputs *inputs)
{
    json_t *list = json_array();
    for (size_t i = 0; i < inputs->count; i++)
        append(list, input_json(&inputs->items[i]));
    return list;
}

char *inputs_json_write(const struct inputs *inputs)
{
    json_t *list = inputs_json_of(inputs);
    char *text = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(list);
    if (!text)
        abort();
    return text;
}

/* ---- reading ---- */

/* Returns a copy of a text, or NULL. */
static char *text_at(const json_t *object, const char *key)
{
    return memory_string(json_string_value(json_object_get(object, key)));
}

static bool read_options(const json_t *list, struct input *input)
{
    size_t count = json_array_size(list);
    if (count > INPUTS_MAX_OPTIONS)
        return false;
    input->options = memory_alloc((count + 1) * sizeof(input->options[0]));
    for (size_t i = 0; i < count; i++) {
        struct input_option *option = &input->options[input->option_count++];
        option->name = text_at(json_array_get(list, i), "name");
        option->value = text_at(json_array_get(list, i), "value");
        if (!option->name || !option->value)
            return false;
    }
    return true;
}

static bool read_input(const json_t *json, struct input *input)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    int place = type ? words_find(WORDS_INPUT_TYPE, type) : -1;
    input->key = text_at(json, "reference_name");
    input->name = text_at(json, "name");
    input->required = json_is_true(json_object_get(json, "required"));
    input->multiline = json_is_true(json_object_get(json, "multiline"));
    input->default_value = text_at(json, "default");
    input->placeholder = text_at(json, "placeholder");
    input->tooltip = text_at(json, "tooltip");
    if (place < 0 || !input->key || !input->name)
        return false;
    input->type = (enum input_type)place;
    return read_options(json_object_get(json, "options"), input);
}

int inputs_json_from(const json_t *list, struct inputs *inputs)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > INPUTS_MAX_COUNT)
        return -1;
    inputs->items = memory_alloc((count + 1) * sizeof(inputs->items[0]));
    for (size_t i = 0; i < count; i++)
        if (!read_input(json_array_get(list, i), &inputs->items[inputs->count++]))
            return -1;
    return 0;
}

int inputs_json_read(const char *text, size_t bytes, struct inputs *inputs, struct error *error)
{
    json_t *list = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    int result = inputs_json_from(list, inputs);
    json_decref(list);
    if (result == 0)
        return 0;
    inputs_free(inputs);
    return error_set(error, ERROR_INTERNAL, "the stored inputs of a blueprint are damaged");
}
