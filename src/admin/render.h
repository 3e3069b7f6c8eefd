/* The API's objects as JSON, one function per object; none returns NULL. Pure, any thread. */
#ifndef WEBHOOKD_ADMIN_RENDER_H
#define WEBHOOKD_ADMIN_RENDER_H

#include <jansson.h>
#include <stdint.h>

#include "base/id.h"
#include "model/fleet_file.h"
#include "store/credentials.h"
#include "store/fleets.h"
#include "store/runs.h"
#include "store/webhooks.h"

/* Set object[key], or append to the list, and take ownership of value. They abort if memory runs
 * out, so no object is ever sent with a key missing. */
void render_set(json_t *object, const char *key, json_t *value);
void render_append(json_t *list, json_t *value);
/* Returns {key: value}. Takes ownership of value. */
json_t *render_one(const char *key, json_t *value);

/* RFC 3339 in UTC with milliseconds. 0 (not happened) becomes null. */
json_t *render_time(int64_t wall_ms);
json_t *render_id(const struct id *id);
/* Bytes that are not UTF-8 are read as ISO-8859-1. */
json_t *render_text(const char *text);
/* The same, but NULL and "" become null. */
json_t *render_optional(const char *text);

json_t *render_org(const struct org_row *row);
json_t *render_project(const struct project_row *row);
json_t *render_fleet(const struct fleet_row *row);
/* Adds "file" and "definition" to a version, each unless it is NULL. */
void render_file(json_t *version, const char *file, size_t file_bytes, const char *definition_json);
/* With "file" and "definition" if the row has them. */
json_t *render_version(const struct version_row *row);
/* A NULL url becomes null. */
json_t *render_webhook(const struct webhook_row *row, const char *url);
/* A run in the shortest form: which one, when, and what became of it. */
json_t *render_outcome(const struct run_row *row);
/* Takes ownership of vessels, a list. */
json_t *render_run(const struct run_row *row, json_t *vessels);
/* Adds to a run what lists do not show. */
void render_origin(json_t *run, const struct run_origin *origin);
json_t *render_vessel(const struct vessel_row *row);
/* Adds to a vessel run how often it is tried, and when next. */
void render_retries(json_t *vessel, const struct vessel_row *row,
                    const struct guardrails *guardrails);
/* A fleet that uses something, with a list of those of its vessels that do. Takes ownership of
 * vessels; adds nothing to `fleets` if it is empty. */
void render_user(json_t *fleets, const struct definition_row *row, json_t *vessels);
/* A list of {message, path, line}. */
json_t *render_problems(const struct fleet_problems *problems);

#endif
