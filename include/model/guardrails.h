/* Guardrails: how long a vessel may run, and when it is tried again. They have two forms: that of a
 * fleet file ("retry_wait: 5s"), and that of the canonical JSON in the store
 * ("retry_wait_ms":5000). Pure. */
#ifndef WEBHOOKD_MODEL_GUARDRAILS_H
#define WEBHOOKD_MODEL_GUARDRAILS_H

#include <stddef.h>
#include <stdint.h>

struct checker;
struct json_t; /* jansson's */
struct node;

#define GUARDRAIL_MAX_CUTOFF_MS (4 * 3600 * 1000)

struct exit_code_range {
    uint8_t first, last; /* both included */
};

struct guardrails {
    int retry_count; /* 0 if not given; so is the wait */
    int64_t retry_wait_ms;
    int64_t cutoff_ms;                /* GUARDRAIL_MAX_CUTOFF_MS if not given */
    struct exit_code_range *excluded; /* these exit codes are not tried again; sorted and merged */
    size_t excluded_count;
};

void guardrails_free(struct guardrails *guardrails); /* what it holds */

/* Fills the zeroed guardrails from a vessel of a fleet file. What is wrong is reported. */
void guardrails_read(struct checker *checker, const struct node *vessel,
                     struct guardrails *guardrails);

/* The canonical form: a new reference, NULL if memory is gone. */
struct json_t *guardrails_to_json(const struct guardrails *guardrails);
/* Fills the zeroed guardrails from it. NULL, or the key at which it is damaged. */
const char *guardrails_from_json(const struct json_t *json, struct guardrails *guardrails);

#endif
