/* The file's text in the form that libconfuse reads as it is written. */
#ifndef WEBHOOKD_CONFIG_TEXT_H
#define WEBHOOKD_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "config/findings.h"

/* What every list begins with in the plain text: it cannot be written in a file. libconfuse calls back for items only, so without
 * it an empty list, and a list given twice, would go unseen. */
#define CONFIG_LIST_START "\001"

/* Rewrites text (any bytes) into plain: every word and string in double quotes with nothing left to expand, no comments, the same
 * lines. True if all of it could be read; otherwise a finding says why, and plain holds what precedes. */
bool config_text_plain(const char *text, size_t bytes, struct buffer *plain,
                       struct config_findings *findings);

#endif
