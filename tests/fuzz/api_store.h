/* The store of the api target, in a temporary folder: one organization, one project, one fleet with
 * a webhook, one run that has ended, one API key, and a session of it. The same for all inputs.
 * Ends the program if it cannot do its work: support/store_fixture.h would need a test of Check. */
#ifndef WEBHOOKD_TESTS_FUZZ_API_STORE_H
#define WEBHOOKD_TESTS_FUZZ_API_STORE_H

#include "base/secret.h"
#include "store/store.h"

/* Well-formed, as the kept inputs contain them. */
#define API_STORE_KEY     "wha_0000000000000000000000000000004B6Bmb"
#define API_STORE_TOKEN   "whk_0000000000000000000000000000001AXXua"
#define API_STORE_SESSION "0000000000000000000000000000000000000000000"

struct api_store {
    char folder[64];
    int folder_fd;
    struct store_options options;
    struct store *store;
    /* What the inputs call "01980000-0000-7000-8000-000000000000", "…001" and so on. The store
     * chooses most ids itself. */
    struct id fleet_id, run_id, vessel_run_id, key_id, project_id, org_id;
};

void api_store_open(struct api_store *store);
void api_store_close(struct api_store *store);

/* Replaces the ids in a text in place. */
void api_store_put_ids(const struct api_store *store, char *text);

#endif
