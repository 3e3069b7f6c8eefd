/* A store in a temporary folder, with the contents that tests need. Each function fails the test if
 * it cannot do its work. */
#ifndef WEBHOOKD_TESTS_SUPPORT_STORE_FIXTURE_H
#define WEBHOOKD_TESTS_SUPPORT_STORE_FIXTURE_H

#include "store/audit.h"
#include "store/fleets.h"
#include "store/keys.h"
#include "store/sqlite/connection.h"
#include "store/webhooks.h"
#include "store/work.h"

struct store_fixture {
    char folder[64];
    struct store_options options;
    struct store *store;
    struct id project_id; /* default/default */
};

/* Creates the folder and opens the store. `vfs` NULL = SQLite's default. */
void store_fixture_open(struct store_fixture *fixture, const char *vfs);
void store_fixture_reopen(struct store_fixture *fixture);
/* Closes the store and removes the folder. */
void store_fixture_close(struct store_fixture *fixture);

void store_fixture_begin(struct store_fixture *fixture);
void store_fixture_commit(struct store_fixture *fixture);

/* Returns a definition with two vessels, fetch and report, on static memory: do not free it. The
 * next call with the same name returns an equal one. */
struct definition store_fixture_definition(const char *name);
/* Applies a definition in a transaction of its own. */
struct apply_result store_fixture_apply(struct store_fixture *fixture,
                                        const struct definition *definition);
/* Returns a token whose hash and seal consist of `byte`. */
struct webhook_token store_fixture_token(uint8_t byte);
/* Creates a fleet and its webhook, whose hash is `byte` 32 times. */
struct id store_fixture_fleet(struct store_fixture *fixture, const char *name, uint8_t byte);

/* Returns a run input with a small body and headers. */
struct run_input store_fixture_input(void);
/* Accepts a run in the open transaction, or in one of its own. */
struct run_ids store_fixture_accept(struct store_fixture *fixture, uint8_t byte);
/* Takes both vessels of a scheduled run to their ends, in one transaction. */
void store_fixture_finish(struct store_fixture *fixture, const struct id *run_id,
                          enum run_status status);

#endif
