/* The users that the vessels of fleets run as, for those who install packages without a run. Called
 * by admin/packages on its workers' threads. */
#include <stdlib.h>

#include "base/memory.h"
#include "runner/runner.h"
#include "runner/settings.h"
#include "runner/vessel_packages.h"

struct runner_users {
    struct runner_settings *settings;
};

struct runner_users *runner_users_new(struct config *config, struct error *error)
{
    struct runner_settings *settings = runner_settings_new(config, error);
    if (!settings)
        return NULL;
    struct runner_users *users = memory_alloc(sizeof(*users));
    users->settings = settings;
    return users;
}

void runner_users_free(struct runner_users *users)
{
    if (users)
        runner_settings_free(users->settings);
    free(users);
}

struct installer_user runner_users_find(const struct runner_users *users,
                                        const struct package_fleet *fleet)
{
    return vessel_packages_user(runner_settings_isolation(users->settings, fleet->org_name,
                                                          fleet->project_name, fleet->name));
}
