/* What organizations, projects, fleets and vessels may be called. */
#ifndef WEBHOOKD_MODEL_NAME_H
#define WEBHOOKD_MODEL_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_MAX_BYTES 255

/* NULL if the name is fine: 1 to 255 bytes of UTF-8, no control characters, no "/", not shaped like a UUID. Else what is wrong with it. */
const char *name_problem(const char *name);
bool name_is_utf8(const char *text, size_t bytes);

/* How many bytes the character takes that the text begins with (RFC 3629: no surrogates, no overlong forms); 0 if it begins with none. */
size_t name_utf8_char(const char *text, size_t bytes);
/* Whether that character, of `bytes` bytes, is a control character: U+0000 to U+001F, U+007F to U+009F. */
bool name_is_control(const char *character, size_t bytes);

#endif
