/* The roles of API keys, and how long a key is valid. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_API_KEY_H
#define WEBHOOKD_MODEL_API_KEY_H

#include <stdint.h>

/* The numbers are stored: never reuse one. admin/role.h says what each role may do. */
enum api_key_role {
    ROLE_NONE = 0, /* nobody was authenticated; never stored */
    ROLE_OWNER = 1,
    ROLE_TRIGGER = 2,
};

/* Returns "owner", "trigger"; "unknown" for any other number. */
const char *api_key_role_name(enum api_key_role role);
/* Returns 0, or -1 if no role has this name. */
int api_key_role_parse(const char *name, enum api_key_role *role);

#define API_KEY_MIN_EXPIRY_S 1
#define API_KEY_MAX_EXPIRY_S (3650 * INT64_C(86400))

/* A clock that is corrected by up to this much does not stop a new key from working. */
#define API_KEY_CLOCK_SLACK_MS (24 * INT64_C(3600000))

struct api_key_life {
    int64_t created_ms, expires_ms; /* wall clock; expires_ms: 0 = never */
};

enum api_key_age {
    API_KEY_VALID,
    API_KEY_EXPIRED,
    /* The clock shows a time before the key existed, so it cannot tell whether the key has expired.
     */
    API_KEY_UNCERTAIN,
};

/* Of a key that expires. Because of API_KEY_UNCERTAIN, a clock that steps back gives an expired key
 * at most its lifetime and API_KEY_CLOCK_SLACK_MS once more. A key that never expires is always
 * valid. */
enum api_key_age api_key_age_at(const struct api_key_life *life, int64_t now_ms);

#endif
