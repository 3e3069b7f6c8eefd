/* The forms in which overrides are stored: texts that end with NUL, each after a character that
 * says what it is. A form is read in place, so that reading it leaves no copies of values but those
 * in the struct. Called by the admin API and by the runner; pure.
 *
 *     "1"             the format
 *     "V<name>"       begins a vessel
 *     "s" or "e"      its status: success or errored
 *     "N<name>"       a variable; with values, "<value>" follows
 *     "R"             its arguments are replaced; with values, each follows as "A<argument>"
 */
#include "model/overrides.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/fleet_values.h"

#define FORMAT "1"

/* ---- writing ---- */

static bool is_worth_storing(const struct vessel_override *override)
{
    return override->status != OVERRIDE_RUN || overrides_has_values(override);
}

/* Returns the length of the form, and writes it if the buffer is not NULL. */
static size_t put(struct buffer *buffer, const char *kind, const char *text)
{
    size_t kind_bytes = strlen(kind), text_bytes = strlen(text);
    if (buffer) {
        buffer_append(buffer, kind, kind_bytes);
        buffer_append(buffer, text, text_bytes + 1);
    }
    return kind_bytes + text_bytes + 1;
}

static size_t put_vessel(struct buffer *buffer, const struct vessel_override *override,
                         bool with_values)
{
    size_t bytes = put(buffer, "V", override->vessel);
    if (override->status != OVERRIDE_RUN)
        bytes += put(buffer, override->status == OVERRIDE_SUCCESS ? "s" : "e", "");
    for (size_t i = 0; i < override->variable_count; i++) {
        bytes += put(buffer, "N", override->variables[i].name);
        if (with_values)
            bytes += put(buffer, "", override->variables[i].value);
    }
    if (override->has_arguments)
        bytes += put(buffer, "R", "");
    for (size_t i = 0; with_values && i < override->argument_count; i++)
        bytes += put(buffer, "A", override->arguments[i]);
    return bytes;
}

static size_t put_all(struct buffer *buffer, const struct overrides *overrides, bool with_values)
{
    size_t bytes = put(buffer, FORMAT, "");
    for (size_t i = 0; i < overrides->vessel_count; i++)
        if (is_worth_storing(&overrides->vessels[i]))
            bytes += put_vessel(buffer, &overrides->vessels[i], with_values);
    return bytes;
}

int overrides_form_write(const struct overrides *overrides, bool with_values, struct buffer *buffer)
{
    (void)buffer_reserve(buffer, buffer->bytes + put_all(NULL, overrides, with_values));
    put_all(buffer, overrides, with_values);
    return buffer->failed ? -1 : 0;
}

/* ---- reading ---- */

struct form_reader {
    const char *at, *end;
    bool with_values;
    bool is_damaged;
};

/* Returns the next text, or NULL at the end. Every text of a form ends with NUL: checked before. */
static const char *next_text(struct form_reader *reader)
{
    if (reader->at == reader->end)
        return NULL;
    const char *text = reader->at;
    reader->at += strlen(text) + 1;
    return text;
}

/* Makes room for one more entry: the capacity is the next power of two. */
static void *grow(void *entries, size_t count, size_t size)
{
    bool is_full = (count & (count - 1)) == 0;
    return is_full ? memory_array(entries, count == 0 ? 1 : 2 * count, size) : entries;
}

static void read_variable(struct form_reader *reader, const char *name,
                          struct vessel_override *override)
{
    const char *value = reader->with_values ? next_text(reader) : NULL;
    reader->is_damaged |=
        fleet_values_variable_problem(name) != NULL || (reader->with_values && !value);
    override->variables =
        grow(override->variables, override->variable_count, sizeof(*override->variables));
    override->variables[override->variable_count++] =
        (struct environment_entry){.name = memory_string(name), .value = memory_string(value)};
}

static void read_argument(struct form_reader *reader, const char *text,
                          struct vessel_override *override)
{
    reader->is_damaged |= !reader->with_values || !override->has_arguments;
    override->arguments =
        grow(override->arguments, override->argument_count, sizeof(*override->arguments));
    override->arguments[override->argument_count++] = memory_string(text);
}

static void read_detail(struct form_reader *reader, const char *text,
                        struct vessel_override *override)
{
    const char *rest = text + 1;
    switch (text[0]) {
    case 's':
        override->status = OVERRIDE_SUCCESS;
        reader->is_damaged |= *rest != '\0';
        return;
    case 'e':
        override->status = OVERRIDE_ERRORED;
        reader->is_damaged |= *rest != '\0';
        return;
    case 'N':
        read_variable(reader, rest, override);
        return;
    case 'R':
        override->has_arguments = true;
        reader->is_damaged |= *rest != '\0';
        return;
    case 'A':
        read_argument(reader, rest, override);
        return;
    default:
        reader->is_damaged = true;
    }
}

static void read_all(struct form_reader *reader, struct overrides *overrides)
{
    const char *text = next_text(reader);
    reader->is_damaged = !text || strcmp(text, FORMAT) != 0;
    while (!reader->is_damaged && (text = next_text(reader))) {
        if (text[0] == 'V') {
            overrides->vessels =
                grow(overrides->vessels, overrides->vessel_count, sizeof(*overrides->vessels));
            overrides->vessels[overrides->vessel_count++] =
                (struct vessel_override){.vessel = memory_string(text + 1)};
        } else if (overrides->vessel_count == 0) {
            reader->is_damaged = true;
        } else {
            read_detail(reader, text, &overrides->vessels[overrides->vessel_count - 1]);
        }
    }
}

int overrides_form_read(const void *form, size_t bytes, bool with_values,
                        struct overrides *overrides, struct error *error)
{
    const char *text = form;
    struct form_reader reader = {.at = text, .end = text + bytes, .with_values = with_values};
    *overrides = (struct overrides){NULL, 0};
    if (bytes > 0 && text[bytes - 1] == '\0')
        read_all(&reader, overrides);
    else
        reader.is_damaged = true;
    if (!reader.is_damaged)
        return 0;
    overrides_wipe(overrides);
    return error_set(error, ERROR_INVALID, "the stored overrides are damaged");
}
