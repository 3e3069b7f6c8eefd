/* Hidden values: seals and opens them, the same for every engine. Any thread. */
#include "store/hidden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/engine.h"

_Static_assert(STORE_HIDDEN_PLACE_BYTES <= SECRET_PLACE_MAX_CHARS, "a place is cut nowhere");

char *store_hidden_place(const struct hidden_place *place, char text[STORE_HIDDEN_PLACE_BYTES])
{
    char fleet[ID_TEXT_BYTES], vessel[ID_TEXT_BYTES];
    snprintf(text, STORE_HIDDEN_PLACE_BYTES, "hidden/%s/%s/%s", id_format(&place->fleet_id, fleet),
             id_format(&place->vessel_id, vessel), place->name);
    return text;
}

struct sealed_value store_seal_hidden(const struct secret_key *key,
                                      const struct hidden_place *place, const char *value)
{
    char text[STORE_HIDDEN_PLACE_BYTES];
    size_t bytes = strlen(value);
    struct sealed_value sealed = {.bytes = memory_alloc(SECRET_SEAL_BYTES + bytes),
                                  .count = SECRET_SEAL_BYTES + bytes};
    secret_seal(key, store_hidden_place(place, text), value, bytes, sealed.bytes);
    return sealed;
}

char *store_open_hidden(const struct secret_key *key, const struct hidden_place *place,
                        const struct sealed_value *sealed)
{
    char text[STORE_HIDDEN_PLACE_BYTES];
    if (sealed->count < SECRET_SEAL_BYTES)
        return NULL;
    char *value = memory_alloc(sealed->count - SECRET_SEAL_BYTES + 1);
    if (secret_open(key, store_hidden_place(place, text), sealed->bytes, sealed->count, value) == 0)
        return value;
    free(value);
    return NULL;
}

void store_free_hidden(char *value)
{
    if (value)
        secret_wipe(value, strlen(value));
    free(value);
}

int store_list_hidden(struct store *store, const struct hidden_version *version,
                      int (*each)(void *, const struct hidden_row *), void *context,
                      struct error *error)
{
    return store->engine->list_hidden(store, version, each, context, error);
}
