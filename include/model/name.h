/* What organizations, projects, fleets and vessels may be called. */
#ifndef WEBHOOKD_MODEL_NAME_H
#define WEBHOOKD_MODEL_NAME_H

#define NAME_MAX_BYTES 255

/* NULL if the name is fine: 1 to 255 bytes of UTF-8, no control characters, no "/", not shaped like a UUID. Else what is wrong with it. */
const char *name_problem(const char *name);

#endif
