/* A runner with the real store, commit queue and supervisor (from $BUILD, default "build") in a temporary folder, and the operations of a caller
 * and an administrator on it. What a vessel does is awaited through FIFOs and commits; nothing
 * depends on how long anything takes. The commit queue writes through FAULTY_VFS. */
#ifndef WEBHOOKD_TESTS_SUPPORT_RUNNER_HOUSE_H
#define WEBHOOKD_TESTS_SUPPORT_RUNNER_HOUSE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "queue/commit.h"
#include "runner/runner.h"
#include "store/fleets.h"
#include "store/sqlite/connection.h"
#include "store/work.h"

struct house {
    char *path; /* its folder */
    char *state;
    int state_fd;
    char *supervisor;
    struct config *config;
    struct store_options store_options;
    struct commit_queue *queue;
    struct store *store; /* for looking */
    struct id project_id;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    uint64_t commits;
    struct runner *runner;
};

struct seen {
    enum run_status status;
    size_t vessel_count;
    struct {
        enum vessel_status status;
        int attempts, exit_code;
        bool has_exit_code;
        char reason[200];
        struct id id;
        int64_t started_ms, ended_ms;
    } vessels[10];
};

void house_check(const struct error *error); /* fails with its message if it is set */

/* Everything but the runner. The keys are those of the runner's section besides `sandbox = "off"`. */
void house_open(struct house *house, const char *runner_keys);
void house_close(struct house *house); /* stops the runner too */
struct config *house_config(const char *runner_keys);
struct runner *house_try_start(struct house *house, struct error *error);
void house_start(struct house *house);
void house_stop(struct house *house);

/* The text of a fleet of BASH vessels: pairs of name and script, then NULL; `rest` is what stands behind the vessels. */
char *house_fleet(const char *rest, const char *const *pairs);
struct definition *house_parse(const char *file);
struct id house_apply(struct house *house, const char *file);
struct id house_apply_script(struct house *house, const char *script,
                             const char *rest); /* one vessel "only" */

struct run_input house_plain_input(void); /* no headers, no body */
struct id house_accept_input(struct house *house, const struct id *fleet_id,
                             const struct run_input *input);
struct id house_accept(struct house *house, const struct id *fleet_id);
/* A run of which "attempt starts" was committed in that boot of the machine, and nothing more: what a daemon leaves that dies there. */
struct id house_make_committed_start(struct house *house, const char *rest,
                                     const struct id *boot_id);

struct seen house_see(struct house *house, const struct id *run_id);
struct seen house_wait_until_ended(struct house *house, const struct id *run_id);
/* Where nothing tells: looks again and again, fails when patience is over. */
void house_await(bool (*holds)(struct house *, const void *), struct house *house,
                 const void *context);
bool house_is_tidy(struct house *house,
                   const void *context); /* runs, attempts and trash are empty */
int house_count_entries(struct house *house, const char *folder);
char *house_read(struct house *house, const char *path); /* below the state folder */
/* The log of the vessel's last attempt. */
void house_expect_output(struct house *house, const struct seen *seen, size_t vessel,
                         const char *expected);

/* A FIFO that every user may open. Opened here for both, it never says end of file, and bytes wait in it for whoever comes. */
char *house_fifo(struct house *house, const char *name);
int house_open_fifo(const char *path);
void house_hear(int fd); /* waits for a byte */

#endif
