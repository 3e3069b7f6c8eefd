/* The query of a request target: "name=value&name=value". Pure; for any thread. */
#ifndef WEBHOOKD_HTTP_QUERY_H
#define WEBHOOKD_HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>

/* One parameter, still encoded as it was sent. Borrows from the query. */
struct query_parameter {
    const char *name, *value; /* value is "" if there is no "=" */
    size_t name_bytes, value_bytes;
};

/* Sets *parameter to the parameter at *at and moves *at past it. Skips empty parameters ("&&").
 * Returns false at the end of the query. */
bool query_next(const char **at, struct query_parameter *parameter);
bool query_is_named(const struct query_parameter *parameter, const char *name);
/* Decodes the value (application/x-www-form-urlencoded) into text. Returns 0, or -1 if the value
 * does not fit or contains a NUL or a "%" without two hex digits. */
int query_decode(const struct query_parameter *parameter, char *text, size_t text_bytes);

#endif
