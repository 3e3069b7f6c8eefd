/* See model/api_key.h. Called by the store's engine and the admin API; any thread. */
#include "model/api_key.h"

#include <stddef.h>

#include "model/words.h"

/* From ROLE_OWNER on. The store's numbers come from a disk. A number that the enum does not have is
 * shown as "unknown". */
static const char *const NAMES[] = {"owner", "trigger", NULL};

const char *api_key_role_name(enum api_key_role role)
{
    return words_at(NAMES, (int)role - ROLE_OWNER);
}

int api_key_role_parse(const char *name, enum api_key_role *role)
{
    int place = words_find(NAMES, name);
    if (place < 0)
        return -1;
    *role = (enum api_key_role)(place + ROLE_OWNER);
    return 0;
}

enum api_key_age api_key_age_at(const struct api_key_life *life, int64_t now_ms)
{
    if (life->expires_ms == 0)
        return API_KEY_VALID;
    if (now_ms >= life->expires_ms)
        return API_KEY_EXPIRED;
    return now_ms < life->created_ms - API_KEY_CLOCK_SLACK_MS ? API_KEY_UNCERTAIN : API_KEY_VALID;
}
