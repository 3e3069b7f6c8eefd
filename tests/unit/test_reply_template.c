#include "http/reply_template.h"

#include <jansson.h>

#include "support/suite.h"

static const char *const names[] = {"fleet_id", "run_id"};

static struct id written_in(const json_t *object, const char *name)
{
    struct id id;
    ck_assert_int_eq(id_parse(json_string_value(json_object_get(object, name)), &id), 0);
    return id;
}

TEST(a_form_is_an_envelope_with_each_id_in_its_place)
{
    struct http_reply_template *form = http_reply_template_new(names, 2);
    for (int i = 0; i < 2; i++) { /* a form can be filled in repeatedly */
        struct id request = id_random(), fleet = id_random(), run = id_random();
        const struct id *const ids[] = {&fleet, &run};
        char text[HTTP_REPLY_TEMPLATE_BYTES];
        size_t bytes = http_reply_template_write(form, &request, ids, text);
        json_t *envelope = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(envelope, "invalid JSON: %.*s", (int)bytes, text);
        ck_assert_uint_eq(json_object_size(envelope), 2);
        const json_t *data = json_object_get(envelope, "data");
        ck_assert_uint_eq(json_object_size(data), 2);
        struct id found = written_in(json_object_get(envelope, "request"), "id");
        ck_assert(id_equal(&found, &request));
        found = written_in(data, "fleet_id");
        ck_assert(id_equal(&found, &fleet));
        found = written_in(data, "run_id");
        ck_assert(id_equal(&found, &run));
        json_decref(envelope);
    }
    http_reply_template_free(form);
}

TEST(a_form_equals_the_output_of_jansson)
{
    struct http_reply_template *form = http_reply_template_new(names, 2);
    struct id request = id_random(), fleet = id_random(), run = id_random();
    const struct id *const ids[] = {&fleet, &run};
    char text[HTTP_REPLY_TEMPLATE_BYTES], request_text[ID_TEXT_BYTES], fleet_text[ID_TEXT_BYTES],
        run_text[ID_TEXT_BYTES];
    size_t bytes = http_reply_template_write(form, &request, ids, text);
    json_t *envelope = json_pack(
        "{s:{s:s}, s:{s:s, s:s}}", "request", "id", id_format(&request, request_text), "data",
        "fleet_id", id_format(&fleet, fleet_text), "run_id", id_format(&run, run_text));
    char *expected = json_dumps(envelope, JSON_COMPACT);
    ck_assert_uint_eq(bytes, strlen(expected));
    ck_assert_mem_eq(text, expected, bytes);
    free(expected);
    json_decref(envelope);
    http_reply_template_free(form);
}
