/* Lists of words that stand for an enum's members: in fleet files, in the canonical JSON, in the
 * API. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_WORDS_H
#define WEBHOOKD_MODEL_WORDS_H

/* Each list ends with NULL and is in the order of its enum. */
extern const char *const WORDS_LANGUAGE[];
extern const char *const WORDS_CONDITION[];
extern const char *const WORDS_INTERRUPT[];
extern const char *const WORDS_KIND[];

/* The word's place in the list, or -1. */
int words_find(const char *const *words, const char *word);
/* The word at this place, or "unknown" if the list has none there. */
const char *words_at(const char *const *words, int place);

#endif
