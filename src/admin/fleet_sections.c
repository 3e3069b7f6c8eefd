/* See fleet_sections.h. Called by admin.c, apply.c and fleets.c on their threads, and by
 * webhookd/configuration.c on the main thread. */
#include "admin/fleet_sections.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/distance.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/fleets.h"

#define NEAR_MOST 3 /* slips in a name that is taken for a mistyped one */

/* The outcome of the search for one section's fleet. */
struct match {
    bool is_found;
    unsigned distance; /* of the nearest fleet; more than NEAR_MOST = none is near */
    char *nearest;     /* its name */
};

struct search {
    const struct config *config;
    struct match *matches; /* for each section */
};

/* A short name has room for few slips: with one in three bytes, it is another name. If the fleets'
 * own names are equal, the slips are in those of the organization and the project. */
static unsigned allowed_slips(const char *title, const char *fleet_name)
{
    size_t most = strlen(fleet_name) / 3;
    bool is_same = strcmp(strrchr(title, '/') + 1, fleet_name) == 0;
    return is_same || most > NEAR_MOST ? NEAR_MOST : (unsigned)most;
}

static int compare(void *context, const struct fleet_row *row)
{
    struct search *search = context;
    char *name = memory_format("%s/%s/%s", row->org_name, row->project_name, row->name);
    for (size_t i = 0; i < search->config->fleet_count; i++) {
        struct match *match = &search->matches[i];
        const char *title = search->config->fleets[i].name;
        if (strcmp(title, name) == 0)
            match->is_found = true;
        if (match->is_found)
            continue;
        unsigned limit = allowed_slips(title, row->name);
        unsigned distance = distance_between(title, name, limit);
        if (distance > limit || distance >= match->distance)
            continue;
        match->distance = distance;
        free(match->nearest);
        match->nearest = memory_string(name);
    }
    free(name);
    return 0;
}

static void free_matches(struct match *matches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(matches[i].nearest);
    free(matches);
}

/* Returns a match for each section, or NULL. */
static struct match *find_matches(const struct config *config, struct store *store,
                                  struct error *error)
{
    struct match *matches = memory_array(NULL, config->fleet_count, sizeof(*matches));
    for (size_t i = 0; i < config->fleet_count; i++)
        matches[i] = (struct match){.distance = NEAR_MOST + 1};
    struct search search = {config, matches};
    if (store_list_fleets(store, NULL, compare, &search, error) == 0)
        return matches;
    free_matches(matches, config->fleet_count);
    return NULL;
}

static char *describe(const struct config_fleet *fleet, const struct match *match)
{
    if (match->nearest)
        return memory_format("%s: fleet \"%s\": there is no such fleet; did you mean \"%s\"?",
                             fleet->place, fleet->name, match->nearest);
    return memory_format("%s: fleet \"%s\": there is no such fleet, so the section has no effect",
                         fleet->place, fleet->name);
}

int fleet_sections_report(const struct config *config, struct store *store,
                          struct config_report *report, struct error *error)
{
    if (config->fleet_count == 0)
        return 0;
    struct match *matches = find_matches(config, store, error);
    if (!matches)
        return -1;
    for (size_t i = 0; i < config->fleet_count; i++) {
        if (matches[i].is_found)
            continue;
        char *line = describe(&config->fleets[i], &matches[i]);
        config_report_add(report, "%s", line);
        free(line);
    }
    free_matches(matches, config->fleet_count);
    return 0;
}

/* ---- the running sections ---- */

struct fleet_sections {
    struct config *config;
    pthread_mutex_t lock; /* held while the store is read, so that the latest answer is kept */
    bool *is_missing;     /* for each section: it named no fleet */
};

struct fleet_sections *fleet_sections_new(struct config *config)
{
    struct fleet_sections *sections = memory_alloc(sizeof(*sections));
    sections->config = config_hold(config);
    pthread_mutex_init(&sections->lock, NULL);
    sections->is_missing = memory_alloc(config->fleet_count + 1);
    return sections;
}

void fleet_sections_free(struct fleet_sections *sections)
{
    if (!sections)
        return;
    config_release(sections->config);
    pthread_mutex_destroy(&sections->lock);
    free(sections->is_missing);
    free(sections);
}

static void log_change(const struct config_fleet *fleet, const struct match *match)
{
    if (match->is_found) {
        log_info("fleet section names a fleet now", log_text("fleet_name", fleet->name),
                 log_text("section", fleet->place));
        return;
    }
    char *line = describe(fleet, match);
    log_warning("fleet section names no fleet", log_text("section", line));
    free(line);
}

void fleet_sections_examine(struct fleet_sections *sections, struct store *store)
{
    struct error error = ERROR_INIT;
    const struct config *config = sections->config;
    if (config->fleet_count == 0)
        return;
    pthread_mutex_lock(&sections->lock);
    struct match *matches = find_matches(config, store, &error);
    for (size_t i = 0; matches && i < config->fleet_count; i++) {
        if (matches[i].is_found == sections->is_missing[i])
            log_change(&config->fleets[i], &matches[i]);
        sections->is_missing[i] = !matches[i].is_found;
    }
    pthread_mutex_unlock(&sections->lock);
    if (matches)
        free_matches(matches, config->fleet_count);
    else
        log_warning("fleet sections not examined", log_why(&error));
}
