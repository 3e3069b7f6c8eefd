/* The typed inputs of a blueprint: what a vessel that uses the blueprint may set. Pure; any
 * thread. */
#ifndef WEBHOOKD_MODEL_INPUTS_H
#define WEBHOOKD_MODEL_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/definition.h"
#include "model/fleet_file.h"

#define INPUTS_MAX_COUNT         100
#define INPUTS_MAX_OPTIONS       100  /* of one input */
#define INPUTS_MAX_TEXT_BYTES    1024 /* of a placeholder or a tooltip */
#define INPUTS_MAX_DEFAULT_BYTES (16 * 1024)

enum input_type {
    INPUT_ALPHANUMERIC,
    INPUT_INTEGER, /* 64 bits, signed */
    INPUT_FLOAT,
    INPUT_BOOLEAN, /* the code gets TRUE or FALSE */
    INPUT_DATE,    /* YYYY-MM-DD */
    INPUT_SELECT,  /* one of the options */
    INPUT_PASSWORD /* a hidden value, or a reference to a credential */
};

struct input_option {
    char *name, *value;
};

struct input {
    char *key;  /* its reference name: the name of the variable that the code reads */
    char *name; /* for people */
    enum input_type type;
    bool required, multiline; /* multiline: of ALPHANUMERIC, PASSWORD */
    /* NULL if there are none: */
    char *default_value, *placeholder, *tooltip;
    struct input_option *options;
    size_t option_count;
};

/* Zeroed: none. */
struct inputs {
    struct input *items; /* in the order of the blueprint's file */
    size_t count;
};

void inputs_free(struct inputs *inputs); /* frees what the struct holds, and zeroes it */

#define INPUTS_NONE ((size_t)-1)
/* Returns the place of the input with this reference name, or INPUTS_NONE. */
size_t inputs_find(const struct inputs *inputs, const char *key, size_t key_bytes);

/* Returns NULL if a literal value suits the input, otherwise what is wrong with it; the message
 * never quotes the value. An empty value stands for none. */
const char *inputs_problem(const struct input *input, const char *value);
/* Returns what the code gets for a value: TRUE or FALSE for a BOOLEAN, else the value itself. */
const char *inputs_normal_form(const struct input *input, const char *value);

/* Whether a value has references, so that it is known only when an attempt starts. */
bool inputs_value_refers(const char *value);

/* Adds a problem for each input of a vessel (kind VESSEL_BLUEPRINT) that the inputs do not allow:
 * unknown, missing though required, or of another type. `path`: of the vessel. */
void inputs_check_vessel(const struct inputs *inputs, const struct definition_vessel *vessel,
                         const char *path, struct fleet_problems *problems);

/* The canonical form, as text that the caller frees; never NULL. */
char *inputs_json_write(const struct inputs *inputs);
/* Reads what inputs_json_write has written into zeroed inputs. Returns 0, or -1 with *error if it
 * is damaged. */
int inputs_json_read(const char *json, size_t bytes, struct inputs *inputs, struct error *error);

#endif
