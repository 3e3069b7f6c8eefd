/* A store in a temporary folder with what tests need in it. Each function fails the test if it cannot do what it says. */
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

void store_fixture_open(struct store_fixture *fixture, const char *vfs); /* NULL: the default one */
void store_fixture_reopen(struct store_fixture *fixture);
void store_fixture_close(struct store_fixture *fixture); /* and removes the folder */

void store_fixture_begin(struct store_fixture *fixture);
void store_fixture_commit(struct store_fixture *fixture);

/* A definition of two vessels, fetch and report, that nobody frees; the next call with the same name gives the same. */
struct definition store_fixture_definition(const char *name);
/* Applies a definition in a transaction of its own. */
struct apply_result store_fixture_apply(struct store_fixture *fixture,
                                        const struct definition *definition);
/* Makes the fleet and its webhook, whose hash is `byte` 32 times. */
struct id store_fixture_fleet(struct store_fixture *fixture, const char *name, uint8_t byte);

/* A run's input with a small body and headers. */
struct run_input store_fixture_input(void);
/* Accepts one in the open transaction, or in one of its own. */
struct run_ids store_fixture_accept(struct store_fixture *fixture, uint8_t byte);
/* Runs both vessels of a waiting run to their ends, in one transaction. */
void store_fixture_finish(struct store_fixture *fixture, const struct id *run_id,
                          enum run_status status);

#endif
