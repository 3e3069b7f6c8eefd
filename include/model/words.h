/* Lists of words that name the members of an enum in fleet files, in the canonical JSON and in the
 * API. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_WORDS_H
#define WEBHOOKD_MODEL_WORDS_H

/* Each list is in the order of its enum and ends with NULL. */
extern const char *const WORDS_LANGUAGE[];
extern const char *const WORDS_CONDITION[];
extern const char *const WORDS_INTERRUPT[];
extern const char *const WORDS_KIND[];
extern const char *const WORDS_INPUT_TYPE[];
extern const char *const WORDS_VISIBILITY[];

/* Returns the word's index in the list, or -1. */
int words_find(const char *const *words, const char *word);
/* Returns the word at this index, or "unknown" if the list has none there. */
const char *words_at(const char *const *words, int place);

#endif
