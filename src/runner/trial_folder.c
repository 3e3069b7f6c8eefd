/* See trial_folder.h. Called by runner/isolation. A folder that stays behind after a crash is
 * cleared away by the next recovery, like that of a run that has ended. */
#include "runner/trial_folder.h"

#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "runner/launch.h"

static int refuse(int runs_fd, const struct error *why, struct error *error)
{
    const char *kind = file_system_with_server(runs_fd);
    if (kind)
        return error_set(error, ERROR_CONFIG,
                         "%s; state_dir is on %s, which may treat root like any other user "
                         "(root_squash): move it to a local disk, or start webhookd as the user "
                         "that vessels are to run as",
                         why->message, kind);
    return error_set(error, ERROR_CONFIG,
                     "%s; give webhookd CAP_CHOWN, or start it as the user that vessels are to run "
                     "as",
                     why->message);
}

int trial_folder_open(struct trial_folder *folder, int runs_fd, const struct vessel_user *user,
                      struct error *error)
{
    struct id id = id_random();
    struct error why = ERROR_INIT;
    *folder = (struct trial_folder){.runs_fd = runs_fd, .fd = -1};
    id_format(&id, folder->name);
    if (runs_fd < 0)
        return 0;
    folder->fd = launch_make_workdir(runs_fd, folder->name, user, &why);
    if (folder->fd >= 0 || error_may_pass(&why))
        return 0;
    trial_folder_close(folder); /* it may exist */
    return refuse(runs_fd, &why, error);
}

void trial_folder_close(struct trial_folder *folder)
{
    struct error ignored = ERROR_INIT;
    if (folder->fd >= 0)
        close(folder->fd);
    if (folder->runs_fd >= 0)
        (void)file_remove_tree(folder->runs_fd, folder->name, &ignored);
    folder->fd = -1;
}
