/* The words that stand for a definition's enums in fleet files and in the canonical JSON. */
#ifndef WEBHOOKD_MODEL_DEFINITION_WORDS_H
#define WEBHOOKD_MODEL_DEFINITION_WORDS_H

/* Each list ends with NULL and is in the order of its enum. */
extern const char *const WORDS_LANGUAGE[];
extern const char *const WORDS_CONDITION[];
extern const char *const WORDS_INTERRUPT[];
extern const char *const WORDS_KIND[];

/* The word's place in the list, or -1. */
int words_find(const char *const *words, const char *word);

#endif
