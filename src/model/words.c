/* The words for the enums of a definition, and lookups in such lists. The functions are called by
 * the rest of model/ only; the runner reads WORDS_LANGUAGE; pure. */
#include "model/words.h"

#include <string.h>

#include "model/blueprint.h"
#include "model/definition.h"
#include "model/inputs.h"

const char *const WORDS_LANGUAGE[] = {
    [LANGUAGE_BASH] = "BASH", [LANGUAGE_PYTHON] = "PYTHON", [LANGUAGE_NODE] = "NODE", NULL};
const char *const WORDS_CONDITION[] = {
    [PATH_SUCCESS] = "SUCCESS", [PATH_ERRORED] = "ERRORED", [PATH_COMPLETED] = "COMPLETED", NULL};
const char *const WORDS_INTERRUPT[] = {
    [INTERRUPT_FAIL] = "FAIL", [INTERRUPT_RERUN] = "RERUN", NULL};
const char *const WORDS_KIND[] = {
    [VESSEL_CODE] = "CODE", [VESSEL_STUB] = "STUB", [VESSEL_BLUEPRINT] = "BLUEPRINT", NULL};
const char *const WORDS_INPUT_TYPE[] = {[INPUT_ALPHANUMERIC] = "ALPHANUMERIC",
                                        [INPUT_INTEGER] = "INTEGER",
                                        [INPUT_FLOAT] = "FLOAT",
                                        [INPUT_BOOLEAN] = "BOOLEAN",
                                        [INPUT_DATE] = "DATE",
                                        [INPUT_SELECT] = "SELECT",
                                        [INPUT_PASSWORD] = "PASSWORD",
                                        NULL};
const char *const WORDS_VISIBILITY[] = {[VISIBLE_TO_EVERYONE] = "EVERYONE",
                                        [VISIBLE_TO_EDITORS] = "EDITORS",
                                        [VISIBLE_TO_NOBODY] = "HIDDEN",
                                        NULL};

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
