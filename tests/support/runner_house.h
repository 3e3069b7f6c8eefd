/* A runner with the real store, commit queue and supervisor (from $BUILD, default "build") in a
 * temporary folder, and the operations of a caller and an administrator on it. Tests wait for
 * vessels through FIFOs and commits; nothing depends on how long anything takes. The commit queue
 * writes through FAULTY_VFS. */
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
    struct store *store; /* for the test's own queries */
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

/* Fails the test with the error's message if it is set. */
void house_check(const struct error *error);

/* Sets up everything except the runner. The keys are lines for the runner section, in addition to
 * `sandbox = "off"`, stop_grace and nice. */
void house_open(struct house *house, const char *runner_keys);
/* Stops the runner, closes everything and removes the folder. */
void house_close(struct house *house);
struct config *house_config(const char *runner_keys);
struct runner *house_try_start(struct house *house, struct error *error);
void house_start(struct house *house);
void house_stop(struct house *house);

/* Returns a fleet file with BASH vessels: pairs of name and script, then NULL. `rest` follows the
 * vessels. Free it. */
char *house_fleet(const char *rest, const char *const *pairs);
struct definition *house_parse(const char *file);
struct id house_apply(struct house *house, const char *file);
/* Applies a fleet with one vessel, "only". */
struct id house_apply_script(struct house *house, const char *script, const char *rest);

/* A run input without headers and body. */
struct run_input house_plain_input(void);
struct id house_accept_input(struct house *house, const struct id *fleet_id,
                             const struct run_input *input);
struct id house_accept(struct house *house, const struct id *fleet_id);
/* Returns a run whose "attempt starts" was committed during that boot of the machine, and nothing
 * more: the state left by a daemon that dies right there. */
struct id house_make_committed_start(struct house *house, const char *rest,
                                     const struct id *boot_id);

struct seen house_see(struct house *house, const struct id *run_id);
struct seen house_wait_until_ended(struct house *house, const struct id *run_id);
/* For events without a notification: polls until the condition holds, fails the test after 45 s. */
void house_await(bool (*holds)(struct house *, const void *), struct house *house,
                 const void *context);
/* Whether the folders runs, attempts and trash are empty. */
bool house_is_tidy(struct house *house, const void *context);
int house_count_entries(struct house *house, const char *folder);
/* Returns the content of a file below the state folder. Free it. */
char *house_read(struct house *house, const char *path);
/* Fails the test unless the log of the vessel's last attempt is this text. */
void house_expect_output(struct house *house, const struct seen *seen, size_t vessel,
                         const char *expected);

/* Creates a FIFO that every user may open and returns its path. Free it. */
char *house_fifo(struct house *house, const char *name);
/* Opens a FIFO for reading and writing: it then never reports end of file, and keeps bytes until
 * somebody reads them. */
int house_open_fifo(const char *path);
/* Waits for a byte. */
void house_hear(int fd);

#endif
