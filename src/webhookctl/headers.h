/* The option --header. One thread. */
#ifndef WEBHOOKCTL_HEADERS_H
#define WEBHOOKCTL_HEADERS_H

#include "webhookctl/ctl.h"

/* Sets *line to the request header that passes all --header options to the API
 * ("X-Webhookd-Headers: {…}"), or to NULL if there is none. The caller frees it. Returns 0, or
 * CTL_MISTAKE and *error. */
int headers_line(const struct options *options, char **line, struct error *error);

#endif
