/* The configuration as the runner uses it. Created by runner_check_config, runner_start and
 * runner_reconfigure on their callers' threads; read on the runner's thread. */
#include "runner/settings.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/bounds.h"

#define PASSWD_BUFFER_BYTES 16384

/* Looks up all groups that the user is in, as a login would. */
static void look_up_groups(const char *name, struct vessel_user *user)
{
    int count = 32, room;
    do {
        room = count;
        user->groups = memory_array(user->groups, (size_t)room, sizeof(*user->groups));
    } while (getgrouplist(name, user->gid, user->groups, &count) < 0 && count > room);
    user->group_count = (size_t)count;
}

static void user_fini(struct vessel_user *user)
{
    free(user->groups);
    free(user->name);
}

/* Looks up the user. `key` is the configuration's key for it, for messages. Only the section of a
 * fleet may name root. */
static int look_up(const char *name, const char *key, bool may_be_root, struct vessel_user *user,
                   struct error *error)
{
    char buffer[PASSWD_BUFFER_BYTES];
    struct passwd entry, *found = NULL;
    int failure = getpwnam_r(name, &entry, buffer, sizeof(buffer), &found);
    if (failure != 0)
        return error_set_errno(error, failure, "%s: cannot look up the user \"%s\"", key, name);
    if (!found)
        return error_set(error, ERROR_INVALID,
                         "%s: there is no user \"%s\"; create it, or name another user", key, name);
    if (found->pw_uid == 0 && !may_be_root)
        return error_set(error, ERROR_INVALID,
                         "%s: only a fleet's own section may name root; name another user", key);
    user->uid = found->pw_uid;
    user->gid = found->pw_gid;
    user->change = true;
    look_up_groups(name, user);
    return 0;
}

/* Returns the name of webhookd's own user, or "" if it has none. Free it. */
static char *own_name(void)
{
    char buffer[PASSWD_BUFFER_BYTES];
    struct passwd entry, *found = NULL;
    return memory_string(getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found
                             ? entry.pw_name
                             : "");
}

/* Without root, vessels run as webhookd's own user. */
static int user_init(struct vessel_user *user, const char *name, struct error *error)
{
    if (geteuid() != 0 || name[0] == '\0') {
        user->name = own_name();
        return 0;
    }
    user->name = memory_string(name);
    return look_up(name, "runner.user", false, user, error);
}

/* Sets the user of a fleet's section. The section demands that user, so a webhookd that cannot
 * change to it must not run the fleet's vessels as another. */
static int fleet_user_init(struct isolation *isolation, const struct config_fleet *fleet,
                           struct error *error)
{
    struct vessel_user *user = &isolation->user;
    char key[300];
    snprintf(key, sizeof(key), "fleet \"%.200s\": user", fleet->name);
    user->name = memory_string(fleet->user);
    if (geteuid() != 0)
        return error_set(error, ERROR_INVALID,
                         "%s: webhookd can run vessels as another user only if root has started it",
                         key);
    if (look_up(fleet->user, key, true, user, error) != 0)
        return -1;
    if (user->uid == 0 && isolation->is_strict)
        return error_set(error, ERROR_INVALID,
                         "%s: root cannot be isolated; name another user, or add sandbox = \"off\"",
                         key);
    return 0;
}

static int fleet_isolation_init(struct isolation *isolation, const struct config *config,
                                const struct config_fleet *fleet, struct error *error)
{
    enum config_sandbox sandbox = fleet->has_sandbox ? fleet->sandbox : config->runner.sandbox;
    isolation->is_strict = sandbox == CONFIG_SANDBOX_STRICT;
    return fleet->user[0] != '\0' ? fleet_user_init(isolation, fleet, error)
                                  : user_init(&isolation->user, config->runner.user, error);
}

static int count_slots(const struct config *config)
{
    int64_t slots = config->runner.max_vessels;
    return (int)(slots > 0 ? slots : config_default_vessels());
}

struct runner_settings *runner_settings_new(struct config *config, struct error *error)
{
    struct runner_settings *settings = memory_alloc(sizeof(*settings));
    settings->config = config_hold(config);
    settings->slots = count_slots(config);
    const char *zone = getenv("TZ");
    settings->time_zone = zone && zone[0] != '\0' ? memory_string(zone) : NULL;
    if (config->fleet_count > 0)
        settings->fleet_isolations =
            memory_alloc(config->fleet_count * sizeof(*settings->fleet_isolations));
    settings->isolation.is_strict = config->runner.sandbox == CONFIG_SANDBOX_STRICT;
    int result = user_init(&settings->isolation.user, config->runner.user, error);
    for (size_t i = 0; i < config->fleet_count && result == 0; i++)
        result =
            fleet_isolation_init(&settings->fleet_isolations[i], config, &config->fleets[i], error);
    if (result == 0)
        return settings;
    runner_settings_free(settings);
    return NULL;
}

void runner_settings_free(struct runner_settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; settings->fleet_isolations && i < settings->config->fleet_count; i++)
        user_fini(&settings->fleet_isolations[i].user);
    free(settings->fleet_isolations);
    user_fini(&settings->isolation.user);
    free(settings->time_zone);
    config_release(settings->config);
    free(settings);
}

/* Skips `part` and the character behind it at the front of *text. Returns false if *text does not
 * begin with them. */
static bool skip_part(const char **text, const char *part, char behind)
{
    size_t bytes = strlen(part);
    if (strncmp(*text, part, bytes) != 0 || (*text)[bytes] != behind)
        return false;
    *text += bytes + (behind != '\0');
    return true;
}

const struct isolation *runner_settings_isolation(const struct runner_settings *settings,
                                                  const char *org_name, const char *project_name,
                                                  const char *fleet_name)
{
    for (size_t i = 0; i < settings->config->fleet_count; i++) {
        const char *name = settings->config->fleets[i].name;
        if (skip_part(&name, org_name, '/') && skip_part(&name, project_name, '/') &&
            skip_part(&name, fleet_name, '\0'))
            return &settings->fleet_isolations[i];
    }
    return &settings->isolation;
}
