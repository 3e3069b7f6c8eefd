/* Values: from the file's text into the fields of struct config (or struct config_fleet), by a row of the table. */
#ifndef WEBHOOKD_CONFIG_VALUE_H
#define WEBHOOKD_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/keys.h"

/* Sets the field of `key` in `base`, or adds to it if it is a list. NULL, or what is wrong with the text: a fresh string. */
char *config_value_set(const struct config_key *key, void *base, const char *text);
/* The same with the key's default, which is good. */
void config_value_set_default(const struct config_key *key, void *base);

bool config_value_equal(const struct config_key *key, const void *a, const void *b);
/* Puts a copy of one's value in the place of the other's. */
void config_value_copy(const struct config_key *key, void *to, const void *from);
void config_value_free(const struct config_key *key, void *base);

#endif
