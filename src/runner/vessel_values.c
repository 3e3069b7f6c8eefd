/* See vessel_values.h. Called by launch.c.
 *
 * Only values of the definition are examined. Nothing of a request ever is: a query string that
 * looks like a reference stays what it is. */
#include "runner/vessel_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/state_dir.h"
#include "queue/commit.h"
#include "runner/hidden_values.h"
#include "store/credentials.h"
#include "store/hidden.h"

#define TOUCH_MS        60000
#define MAX_VALUE_BYTES (128 * 1024) /* the kernel's MAX_ARG_STRLEN: execve(2) */

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

struct opener {
    const struct run *run;
    struct secret_key key;
    const struct reference *name;
    struct buffer *into;
    struct error *error;
};

static int read_key(struct opener *opener, struct error *error)
{
    struct error why = ERROR_INIT;
    int state_fd = opener->run->runner->options.state_fd;
    if (secret_key_read(state_fd, STATE_DIR_SECRET, &opener->key, &why) != 0)
        return error_set(error, error_may_pass(&why) ? why.kind : ERROR_INVALID,
                         "credentials and hidden values cannot be opened: %s", why.message);
    if (!opener->key.present)
        return error_set(error, ERROR_INVALID,
                         "credentials and hidden values cannot be opened: " STATE_DIR_SECRET
                         " is missing from the state folder");
    return 0;
}

static int append_opened(void *context, const struct credential_row *row)
{
    struct opener *opener = context;
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

static int append_credential(struct opener *opener, struct buffer *into,
                             const struct reference *name, struct error *error)
{
    struct error why = ERROR_INIT;
    const struct run *run = opener->run;
    opener->into = into;
    opener->error = error;
    if (store_find_credential(run->runner->store, &run->work->ids.org_id, name, append_opened,
                              opener, &why) == 0)
        return error_is_set(error) ? -1 : 0;
    return error_set(error, why.kind == ERROR_NOT_FOUND ? ERROR_INVALID : why.kind, "%s",
                     why.message);
}

/* ---- values ---- */

/* Returns the value with its references replaced, or NULL. Makes room for all of it at first, so
 * that no part of a secret stays behind in memory. */
static char *expand(struct opener *opener, const char *value, struct error *error)
{
    struct reference_reader reader = {.at = value};
    struct buffer text = {.limit = MAX_VALUE_BYTES - 1};
    enum reference_piece piece;
    (void)buffer_reserve(&text, reference_may_be_in(value) ? MAX_VALUE_BYTES - 1 : strlen(value));
    while (!error_is_set(error) && (piece = reference_next(&reader)) != REFERENCE_END) {
        if (piece == REFERENCE_NAME)
            (void)append_credential(opener, &text, &reader.reference, error);
        else
            (void)buffer_append(&text, reader.text, reader.bytes);
    }
    if (text.failed)
        error_set(error, ERROR_INVALID,
                  "with its credentials, a value is longer than 128 KiB: pass them one by one");
    char *result = error_is_set(error) ? NULL : memory_string(buffer_text(&text));
    buffer_wipe(&text);
    return result;
}

static bool has_secret(const struct definition_vessel *vessel)
{
    for (size_t i = 0; i < vessel->argument_count; i++)
        if (reference_may_be_in(vessel->arguments[i]))
            return true;
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (vessel->environment[i].hidden || reference_may_be_in(vessel->environment[i].value))
            return true;
    return false;
}

/* Fills in as many values as can be had; the counts say how many. `hidden` has the opened values of
 * hidden variables. */
static int expand_all(struct opener *opener, const struct definition_vessel *vessel,
                      char *const *hidden, struct vessel_values *values, struct error *error)
{
    values->arguments = memory_alloc((vessel->argument_count + 1) * sizeof(char *));
    values->environment =
        memory_alloc((vessel->environment_count + 1) * sizeof(*values->environment));
    for (size_t i = 0; i < vessel->argument_count; i++) {
        char *value = expand(opener, vessel->arguments[i], error);
        if (!value)
            return -1;
        values->arguments[values->argument_count++] = value;
    }
    for (size_t i = 0; i < vessel->environment_count; i++) {
        const struct environment_entry *entry = &vessel->environment[i];
        char *value = expand(opener, entry->hidden ? hidden[i] : entry->value, error);
        if (!value)
            return -1;
        values->environment[values->environment_count++] =
            (struct environment_entry){memory_string(entry->name), value, entry->hidden};
    }
    return 0;
}

static int open_all(struct opener *opener, const struct definition_vessel *vessel,
                    struct vessel_values *values, struct error *error)
{
    if (read_key(opener, error) != 0)
        return -1;
    size_t count = vessel->environment_count;
    char **hidden = memory_alloc((count + 1) * sizeof(*hidden));
    int result = hidden_values_open(opener->run, vessel, &opener->key, hidden, error);
    if (result == 0)
        result = expand_all(opener, vessel, hidden, values, error);
    for (size_t i = 0; i < count; i++)
        store_free_hidden(hidden[i]);
    free(hidden);
    return result;
}

int vessel_values_open(const struct run *run, const struct definition_vessel *vessel,
                       struct vessel_values *values, struct error *error)
{
    if (!has_secret(vessel)) {
        *values = (struct vessel_values){vessel->arguments, vessel->argument_count,
                                         vessel->environment, vessel->environment_count, false};
        return 0;
    }
    struct opener opener = {.run = run};
    *values = (struct vessel_values){.are_secret = true};
    int result = open_all(&opener, vessel, values, error);
    secret_wipe(&opener.key, sizeof(opener.key));
    if (result != 0)
        vessel_values_free(values);
    return result;
}

static void wipe_and_free(char *text)
{
    secret_wipe(text, strlen(text));
    free(text);
}

void vessel_values_free(struct vessel_values *values)
{
    if (!values->are_secret)
        return;
    for (size_t i = 0; i < values->argument_count; i++)
        wipe_and_free(values->arguments[i]);
    for (size_t i = 0; i < values->environment_count; i++) {
        free(values->environment[i].name);
        wipe_and_free(values->environment[i].value);
    }
    free(values->arguments);
    free(values->environment);
    *values = (struct vessel_values){NULL, 0, NULL, 0, false};
}
