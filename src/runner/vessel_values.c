/* See vessel_values.h. Called by launch.c.
 *
 * Only values of the definition are examined. Nothing of a request ever is: a query string or an
 * override that looks like a reference stays what it is. */
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

struct opener {
    const struct run *run;
    const char *what; /* for messages */
    struct secret_key key;
    size_t bytes; /* of the values so far */
    struct buffer *into;
    struct error *error;
};

static int read_key(struct opener *opener, struct error *error)
{
    struct error why = ERROR_INIT;
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

/* ---- opening the overrides of the run ---- */

struct override_opener {
    const struct opener *opener;
    struct overrides overrides; /* with values */
    struct error *error;
};

static int damaged(struct error *error)
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
        return damaged(opener->error);
    size_t bytes = stored->sealed_bytes - SECRET_SEAL_BYTES;
    char *form = malloc(bytes + 1);
    struct error damage = ERROR_INIT;
    if (!form)
        return error_set(opener->error, ERROR_UNAVAILABLE, "no memory for a run's overrides");
    if (secret_open(&opener->opener->key, place, stored->sealed, stored->sealed_bytes, form) != 0 ||
        overrides_form_read(form, bytes, true, &opener->overrides, &damage) != 0)
        damaged(opener->error);
    secret_wipe(form, bytes);
    free(form);
    return 0;
}

/* Reads the overrides with their values, which the caller wipes. */
static int read_overrides(const struct opener *opener, struct overrides *overrides,
                          struct error *error)
{
    const struct run *run = opener->run;
    struct override_opener what = {.opener = opener, .error = error};
    int result = store_get_overrides(run->runner->store, &run->work->ids.run_id, open_overrides,
                                     &what, error);
    *overrides = what.overrides;
    if (result == 0 && !error_is_set(error) && !overrides_have_values(overrides))
        damaged(error);
    return error_is_set(error) ? -1 : 0;
}

/* ---- values ---- */

/* Returns the value with its references replaced, or NULL. Makes room for all of it at first, so
 * that no part of a secret stays behind in memory. */
static char *expand(struct opener *opener, const char *value, struct error *error)
{
    struct reference_reader reader = {.at = value};
    struct buffer text = {.limit = MAX_VALUE_BYTES - 1};
    enum reference_piece piece;
    if (buffer_reserve(&text, reference_may_be_in(value) ? MAX_VALUE_BYTES - 1 : strlen(value)) !=
        0)
        error_set(error, ERROR_UNAVAILABLE, "no memory for the values of a vessel");
    while (!error_is_set(error) && (piece = reference_next(&reader)) != REFERENCE_END) {
        if (piece == REFERENCE_NAME)
            (void)append_credential(opener, &text, &reader.reference, error);
        else
            (void)buffer_append(&text, reader.text, reader.bytes);
    }
    if (text.failed)
        error_set(error, ERROR_INVALID,
                  "with its credentials, a value is longer than 128 KiB: pass them one by one");
    opener->bytes += text.bytes;
    if (opener->bytes > MAX_BYTES)
        error_set(error, ERROR_INVALID,
                  "with its credentials, the vessel's values are longer than 1 MiB together: keep "
                  "large values in a file");
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

static int add_argument(struct vessel_values *values, char *value)
{
    if (!value)
        return -1;
    values->arguments[values->argument_count++] = value;
    return 0;
}

static int add_variable(struct vessel_values *values, const char *name, char *value)
{
    if (!value)
        return -1;
    values->environment[values->environment_count++] =
        (struct environment_entry){.name = memory_string(name), .value = value};
    return 0;
}

static bool is_defined(const struct definition_vessel *vessel, const char *name)
{
    for (size_t i = 0; i < vessel->environment_count; i++)
        if (strcmp(vessel->environment[i].name, name) == 0)
            return true;
    return false;
}

static int fill_arguments(struct opener *opener, const struct definition_vessel *vessel,
                          const struct vessel_override *override, struct vessel_values *values,
                          struct error *error)
{
    bool is_overridden = override && override->has_arguments;
    size_t count = is_overridden ? override->argument_count : vessel->argument_count;
    values->arguments = memory_alloc((count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        char *value = is_overridden ? memory_string(override->arguments[i])
                                    : expand(opener, vessel->arguments[i], error);
        if (add_argument(values, value) != 0)
            return -1;
    }
    return 0;
}

/* `hidden` has the opened values of hidden variables. The overridden value of a variable is not
 * even expanded: its credential may be gone. */
static int fill_environment(struct opener *opener, const struct definition_vessel *vessel,
                            const struct vessel_override *override, char *const *hidden,
                            struct vessel_values *values, struct error *error)
{
    size_t more = override ? override->variable_count : 0;
    values->environment =
        memory_alloc((vessel->environment_count + more + 1) * sizeof(*values->environment));
    for (size_t i = 0; i < vessel->environment_count; i++) {
        const struct environment_entry *entry = &vessel->environment[i];
        const struct environment_entry *set = overrides_variable(override, entry->name);
        const char *own = entry->hidden ? hidden[i] : entry->value;
        char *value = set ? memory_string(set->value) : expand(opener, own, error);
        if (add_variable(values, entry->name, value) != 0)
            return -1;
    }
    for (size_t i = 0; i < more; i++) {
        const struct environment_entry *set = &override->variables[i];
        if (!is_defined(vessel, set->name))
            add_variable(values, set->name, memory_string(set->value));
    }
    return 0;
}

static int fill_environment_with_hidden(struct opener *opener,
                                        const struct definition_vessel *vessel,
                                        const struct vessel_override *override,
                                        struct vessel_values *values, struct error *error)
{
    size_t count = vessel->environment_count;
    char **hidden = memory_alloc((count + 1) * sizeof(*hidden));
    int result = hidden_values_open(opener->run, vessel, &opener->key, hidden, error);
    if (result == 0)
        result = fill_environment(opener, vessel, override, hidden, values, error);
    for (size_t i = 0; i < count; i++)
        store_free_hidden(hidden[i]);
    free(hidden);
    return result;
}

/* Fills in as many values as can be had; the counts say how many. */
static int fill(struct opener *opener, const struct definition_vessel *vessel, bool is_overridden,
                struct vessel_values *values, struct error *error)
{
    struct overrides overrides = {NULL, 0};
    int result = read_key(opener, error);
    if (result == 0 && is_overridden)
        result = read_overrides(opener, &overrides, error);
    const struct vessel_override *override = overrides_find(&overrides, vessel->name);
    if (result == 0)
        result = fill_arguments(opener, vessel, override, values, error);
    if (result == 0)
        result = fill_environment_with_hidden(opener, vessel, override, values, error);
    overrides_wipe(&overrides);
    return result;
}

int vessel_values_open(const struct run *run, const struct definition_vessel *vessel,
                       struct vessel_values *values, struct error *error)
{
    const struct run_work *work = run->work;
    bool is_overridden = overrides_has_values(overrides_find(&work->overrides, vessel->name));
    if (work->overrides_are_damaged)
        return damaged(error);
    if (!is_overridden && !has_secret(vessel)) {
        *values = (struct vessel_values){vessel->arguments, vessel->argument_count,
                                         vessel->environment, vessel->environment_count, false};
        return 0;
    }
    struct opener opener = {.run = run,
                            .what = is_overridden ? "overrides" : "credentials and hidden values"};
    *values = (struct vessel_values){.are_secret = true};
    int result = fill(&opener, vessel, is_overridden, values, error);
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
