/* Guardrails: how long a vessel may run, and when it is tried again. They have two forms: that of a
 * fleet file ("retry_wait: 5s"), and that of the canonical JSON in the store
 * ("retry_wait_ms":5000). Pure; any thread. */
#ifndef WEBHOOKD_MODEL_GUARDRAILS_H
#define WEBHOOKD_MODEL_GUARDRAILS_H

#include <stddef.h>
#include <stdint.h>

struct checker;
struct json_t; /* from jansson */
struct node;

#define GUARDRAIL_MAX_CUTOFF_MS (4 * 3600 * 1000)

/* The keys that a file gives, as a set of bits. */
enum guardrails_given {
    GIVEN_RETRY_COUNT = 1,
    GIVEN_RETRY_WAIT = 2,
    GIVEN_CUTOFF = 4,
    GIVEN_EXCLUDED = 8,
};

struct exit_code_range {
    uint8_t first, last; /* inclusive */
};

struct guardrails {
    int retry_count;                  /* 0 if not given */
    int64_t retry_wait_ms;            /* 0 if not given */
    int64_t cutoff_ms;                /* GUARDRAIL_MAX_CUTOFF_MS if not given */
    struct exit_code_range *excluded; /* exit codes that are not retried; sorted and merged */
    size_t excluded_count;
    unsigned given; /* of enum guardrails_given; kept for the vessels of blueprints only */
};

/* Frees what the struct holds, not the struct. */
void guardrails_free(struct guardrails *guardrails);

/* Fills the zeroed guardrails from a vessel of a fleet file. Reports problems to the checker. */
void guardrails_read(struct checker *checker, const struct node *vessel,
                     struct guardrails *guardrails);

/* Replaces each key that is not given by that of the blueprint. */
void guardrails_complete(struct guardrails *guardrails, const struct guardrails *blueprint);

/* Returns the canonical form as a new reference, or NULL if memory runs out. */
struct json_t *guardrails_to_json(const struct guardrails *guardrails);
/* The same with only those keys that are given. */
struct json_t *guardrails_given_to_json(const struct guardrails *guardrails);
/* Fills the zeroed guardrails from the canonical form, or from the one with only the keys that are
 * given. Return NULL, or the key at which the form is damaged. */
const char *guardrails_from_json(const struct json_t *json, struct guardrails *guardrails);
const char *guardrails_given_from_json(const struct json_t *json, struct guardrails *guardrails);

#endif
