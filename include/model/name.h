/* The rules for the names of organizations, projects, fleets and vessels. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_NAME_H
#define WEBHOOKD_MODEL_NAME_H

#define NAME_MAX_BYTES 255

/* Returns NULL if the name is valid: 1 to 255 bytes of UTF-8, without control characters and "/",
 * and not in the form of a UUID. Otherwise returns a message that says which rule it breaks. */
const char *name_problem(const char *name);

#endif
