/* Converts values from the file's text into the fields of struct config or struct config_fleet, by
 * a row of the table of keys. Any thread. */
#ifndef WEBHOOKD_CONFIG_VALUE_H
#define WEBHOOKD_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/keys.h"

/* Sets the field of `key` in `base`, or adds to it if it is a list. Returns NULL, or a description
 * of the error, which the caller frees. */
char *config_value_set(const struct config_key *key, void *base, const char *text);
/* The same with the key's default, which is always valid. */
void config_value_set_default(const struct config_key *key, void *base);

bool config_value_equal(const struct config_key *key, const void *a, const void *b);
/* Replaces the value in `to` with a copy of the one in `from`. */
void config_value_copy(const struct config_key *key, void *to, const void *from);
void config_value_free(const struct config_key *key, void *base);

#endif
