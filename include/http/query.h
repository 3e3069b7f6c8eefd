/* The query of a request target: "name=value&name=value". Pure, any thread. */
#ifndef WEBHOOKD_HTTP_QUERY_H
#define WEBHOOKD_HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>

/* As it was sent, borrowed from the query. */
struct query_parameter {
    const char *name, *value; /* the value is "" without a "=" */
    size_t name_bytes, value_bytes;
};

/* Takes the parameter at *at and moves behind it; empty ones ("&&") are passed by. False at the
 * query's end. */
bool query_next(const char **at, struct query_parameter *parameter);
bool query_is_named(const struct query_parameter *parameter, const char *name);
/* Decodes the value (application/x-www-form-urlencoded) into text. 0, or -1 if it does not fit or
 * holds a NUL or a "%" without two digits. */
int query_decode(const struct query_parameter *parameter, char *text, size_t text_bytes);

#endif
