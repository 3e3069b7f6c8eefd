/* See value_opener.h. Called by vessel_values.c and blueprint_values.c.
 *
 * Only values of the definition and of a blueprint are examined, each once. Nothing of a request
 * ever is: a query string or an override that looks like a reference stays what it is. */
#include "runner/value_opener.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/state_dir.h"
#include "queue/commit.h"
#include "store/credentials.h"

#define TOUCH_MS        60000
#define MAX_VALUE_BYTES (128 * 1024)  /* the kernel's MAX_ARG_STRLEN: execve(2) */
#define MAX_BYTES       (1024 * 1024) /* of all values; the bound that a fleet file has, too */

/* ---- the last use: stored without waiting, and lost on failure ---- */

struct use {
    struct commit_op op;
    struct id org_id;
    struct reference name;
    int64_t now_ms;
};

static int apply_use(void *context, struct store *store, struct error *error)
{
    const struct use *use = context;
    return store_touch_credential(store, &use->org_id, &use->name, use->now_ms, error);
}

static void describe_use(struct commit_op *op, struct store_item *item)
{
    *item = (struct store_item){.kind = STORE_CALL,
                                .call = {apply_use, CONTAINER_OF(op, struct use, op)}};
}

static void use_is_stored(struct commit_op *op, const struct error *error)
{
    (void)error;
    free(CONTAINER_OF(op, struct use, op));
}

static const struct commit_kind use_kind = {.name = "use of a credential",
                                            .class = COMMIT_REQUEST,
                                            .describe = describe_use,
                                            .done = use_is_stored};

static void note_use(const struct run *run, const struct reference *name, int64_t last_used_ms)
{
    struct error error = ERROR_INIT;
    int64_t now_ms = clock_wall_ms();
    if (llabs(now_ms - last_used_ms) < TOUCH_MS)
        return;
    struct use *use = memory_alloc(sizeof(*use));
    *use = (struct use){.op = {.kind = &use_kind, .bytes = sizeof(*use)},
                        .org_id = run->work->ids.org_id,
                        .name = *name,
                        .now_ms = now_ms};
    if (commit_submit(run->runner->options.queue, &use->op, &error) != 0)
        free(use);
}

/* ---- opening a credential ---- */

int value_opener_key(struct value_opener *opener, struct error *error)
{
    struct error why = ERROR_INIT;
    if (opener->key.present)
        return 0;
    int state_fd = opener->run->runner->options.state_fd;
    if (secret_key_read(state_fd, STATE_DIR_SECRET, &opener->key, &why) != 0)
        return error_set(error, error_may_pass(&why) ? why.kind : ERROR_INVALID,
                         "%s cannot be opened: %s", opener->what, why.message);
    if (!opener->key.present)
        return error_set(error, ERROR_INVALID,
                         "%s cannot be opened: " STATE_DIR_SECRET
                         " is missing from the state folder",
                         opener->what);
    return 0;
}

static int append_opened(void *context, const struct credential_row *row)
{
    struct value_opener *opener = context;
    char place[STORE_CREDENTIAL_PLACE_BYTES], name[REFERENCE_TEXT_BYTES];
    const struct run *run = opener->run;
    if (row->sealed_bytes < SECRET_SEAL_BYTES || row->sealed_bytes > STORE_CREDENTIAL_SEAL_BYTES)
        return error_set(opener->error, ERROR_INVALID, "credential %s is damaged: set it again",
                         reference_format(&row->name, name));
    size_t bytes = row->sealed_bytes - SECRET_SEAL_BYTES;
    char *value = memory_alloc(bytes + 1);
    if (secret_open(&opener->key, store_credential_place(&run->work->ids.org_id, &row->name, place),
                    row->sealed, row->sealed_bytes, value) == 0) {
        (void)buffer_append(opener->into, value, bytes);
        note_use(run, &row->name, row->last_used_ms);
    } else {
        error_set(opener->error, ERROR_INVALID,
                  "credential %s cannot be opened: it is damaged, or " STATE_DIR_SECRET
                  " is not the key that sealed it",
                  reference_format(&row->name, name));
    }
    secret_wipe(value, bytes);
    free(value);
    return 0;
}

static int append_credential(struct value_opener *opener, struct buffer *into,
                             const struct reference *name, struct error *error)
{
    struct error why = ERROR_INIT;
    const struct run *run = opener->run;
    opener->into = into;
    opener->error = error;
    if (value_opener_key(opener, error) != 0)
        return -1;
    if (store_find_credential(run->runner->store, &run->work->ids.org_id, name, append_opened,
                              opener, &why) == 0)
        return error_is_set(error) ? -1 : 0;
    return error_set(error, why.kind == ERROR_NOT_FOUND ? ERROR_INVALID : why.kind, "%s",
                     why.message);
}

/* ---- opening the overrides of the run ---- */

struct override_opener {
    const struct value_opener *opener;
    struct overrides overrides; /* with values */
    struct error *error;
};

int value_opener_damaged(struct error *error)
{
    return error_set(error, ERROR_INVALID,
                     "overrides cannot be opened: they are damaged, or " STATE_DIR_SECRET
                     " is not the key that sealed them");
}

static int open_overrides(void *context, const struct run_overrides *stored)
{
    struct override_opener *opener = context;
    char place[STORE_OVERRIDES_PLACE_BYTES];
    store_overrides_place(&opener->opener->run->work->request_id, place);
    if (!stored->sealed || stored->sealed_bytes < SECRET_SEAL_BYTES)
        return value_opener_damaged(opener->error);
    size_t bytes = stored->sealed_bytes - SECRET_SEAL_BYTES;
    char *form = malloc(bytes + 1);
    struct error damage = ERROR_INIT;
    if (!form)
        return error_set(opener->error, ERROR_UNAVAILABLE, "no memory for a run's overrides");
    if (secret_open(&opener->opener->key, place, stored->sealed, stored->sealed_bytes, form) != 0 ||
        overrides_form_read(form, bytes, true, &opener->overrides, &damage) != 0)
        value_opener_damaged(opener->error);
    secret_wipe(form, bytes);
    free(form);
    return 0;
}

int value_opener_overrides(struct value_opener *opener, struct overrides *overrides,
                           struct error *error)
{
    const struct run *run = opener->run;
    struct override_opener what = {.opener = opener, .error = error};
    *overrides = (struct overrides){NULL, 0};
    if (value_opener_key(opener, error) != 0)
        return -1;
    int result = store_get_overrides(run->runner->store, &run->work->ids.run_id, open_overrides,
                                     &what, error);
    *overrides = what.overrides;
    if (result == 0 && !error_is_set(error) && !overrides_have_values(overrides))
        value_opener_damaged(error);
    return error_is_set(error) ? -1 : 0;
}

/* ---- values ---- */

static void append_input(struct value_opener *opener, struct buffer *text,
                         const struct reference_reader *reader, struct error *error)
{
    const char *value = opener->input(opener->input_context, reader->text, reader->bytes, error);
    if (value)
        (void)buffer_append_text(text, value);
}

/* Whether other texts are put into the value, so that its length is not known before. */
static bool is_open_ended(const struct value_opener *opener, const char *value)
{
    return reference_may_be_in(value) || (opener->input && strstr(value, "${"));
}

char *value_opener_expand(struct value_opener *opener, const char *value, struct error *error)
{
    struct reference_reader reader = {.at = value, .reads_inputs = opener->input != NULL};
    struct buffer text = {.limit = MAX_VALUE_BYTES - 1};
    enum reference_piece piece;
    if (buffer_reserve(&text, is_open_ended(opener, value) ? MAX_VALUE_BYTES - 1 : strlen(value)) !=
        0)
        error_set(error, ERROR_UNAVAILABLE, "no memory for the values of a vessel");
    while (!error_is_set(error) && !text.failed &&
           (piece = reference_next(&reader)) != REFERENCE_END) {
        if (piece == REFERENCE_NAME)
            (void)append_credential(opener, &text, &reader.reference, error);
        else if (piece == REFERENCE_INPUT)
            append_input(opener, &text, &reader, error);
        else
            (void)buffer_append(&text, reader.text, reader.bytes);
    }
    if (text.failed)
        error_set(error, ERROR_INVALID,
                  "with what it refers to, a value is longer than 128 KiB: pass the parts one by "
                  "one");
    opener->bytes += text.bytes;
    if (opener->bytes > MAX_BYTES)
        error_set(error, ERROR_INVALID,
                  "with what they refer to, the vessel's values are longer than 1 MiB together: "
                  "keep large values in a file");
    char *result = error_is_set(error) ? NULL : memory_string(buffer_text(&text));
    buffer_wipe(&text);
    return result;
}
