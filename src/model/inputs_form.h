/* The parts of a blueprint's inputs that other files of model/ use: reading them from a file, and
 * their place in the canonical form of the whole blueprint. Pure. */
#ifndef WEBHOOKD_MODEL_INPUTS_FORM_H
#define WEBHOOKD_MODEL_INPUTS_FORM_H

#include "model/checker.h"
#include "model/inputs.h"

struct json_t; /* from jansson */

/* Fills zeroed inputs from "inputs" of a blueprint file, and reports problems. */
void inputs_read(struct checker *checker, const struct node *blueprint, struct inputs *inputs);

struct json_t *inputs_json_of(const struct inputs *inputs);
/* Fills zeroed inputs. Returns -1 if the form is damaged; the caller frees them in any case. */
int inputs_json_from(const struct json_t *list, struct inputs *inputs);

#endif
