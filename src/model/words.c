/* The words for the enums of a definition, and lookups in such lists. The functions are called by
 * the rest of model/ only; the runner reads WORDS_LANGUAGE; pure. */
#include "model/words.h"

#include <string.h>

#include "model/definition.h"

const char *const WORDS_LANGUAGE[] = {
    [LANGUAGE_BASH] = "BASH", [LANGUAGE_PYTHON] = "PYTHON", [LANGUAGE_NODE] = "NODE", NULL};
const char *const WORDS_CONDITION[] = {
    [PATH_SUCCESS] = "SUCCESS", [PATH_ERRORED] = "ERRORED", [PATH_COMPLETED] = "COMPLETED", NULL};
const char *const WORDS_INTERRUPT[] = {
    [INTERRUPT_FAIL] = "FAIL", [INTERRUPT_RERUN] = "RERUN", NULL};
const char *const WORDS_KIND[] = {[VESSEL_CODE] = "CODE", [VESSEL_STUB] = "STUB", NULL};

int words_find(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

const char *words_at(const char *const *words, int place)
{
    for (int i = 0; words[i]; i++)
        if (i == place)
            return words[i];
    return "unknown";
}
