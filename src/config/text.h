/* Rewrites a file's text so that libconfuse reads exactly what is written. Any thread. */
#ifndef WEBHOOKD_CONFIG_TEXT_H
#define WEBHOOKD_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "config/findings.h"

/* The first item of every list in the plain text; no file can contain it. libconfuse calls back for
 * items only, so without it an empty list, and a list that is set twice, would go unnoticed. */
#define CONFIG_LIST_START "\001"

/* Rewrites text (any bytes) into plain: every word and string in double quotes with nothing left to
 * expand, no comments, the same line numbers. Returns true if it could read all of the text;
 * otherwise adds a finding, and plain holds everything before the error. */
bool config_text_plain(const char *text, size_t bytes, struct buffer *plain,
                       struct config_findings *findings);

#endif
