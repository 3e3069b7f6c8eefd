/* The mounts of a vessel in off mode whose user is not the daemon's. Called by the process that
 * becomes the interpreter, while it is still root.
 *
 * The state folder belongs to root, mode 0700, and contains the working folder. A small read-only
 * tmpfs covers the state folder and shows the working folder alone, at the path that the vessel
 * knows. */
#include "supervisor/hide.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/kernel.h"
#include "base/memory.h"

#define COVER_FLAGS   (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define COVER_OPTIONS "mode=0711,size=64k,nr_inodes=64"

/* Returns the part of path below folder, or NULL if path is not below it. */
static const char *below(const char *path, const char *folder)
{
    size_t chars = strlen(folder);
    while (chars > 1 && folder[chars - 1] == '/')
        chars--;
    if (strncmp(path, folder, chars) != 0 || path[chars] != '/' || path[chars + 1] == '\0')
        return NULL;
    return path + chars + 1;
}

static int make_folders(const struct job *job, const char *rest, struct error *error)
{
    char *path = memory_string(job->workdir);
    int result = 0;
    for (char *at = path + (rest - job->workdir); result == 0; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        bool last = *at == '\0';
        *at = '\0';
        if (mkdir(path, 0711) != 0 && errno != EEXIST)
            result = error_set_errno(error, errno,
                                     "cannot create \"%s\" in the cover of the state folder", path);
        if (last)
            break;
        *at = '/';
    }
    free(path);
    return result;
}

static int cover(const struct job *job, const char *rest, struct error *error)
{
    const char *hidden = job->hidden_dir;
    if (mount("tmpfs", hidden, "tmpfs", COVER_FLAGS, COVER_OPTIONS) != 0)
        return error_set_errno(error, errno, "cannot mount a cover on \"%s\"", hidden);
    if (make_folders(job, rest, error) != 0)
        return -1;
    if (mount(".", job->workdir, NULL, MS_BIND, NULL) != 0)
        return error_set_errno(error, errno, "cannot mount the working folder at \"%s\"",
                               job->workdir);
    if (mount(NULL, hidden, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | COVER_FLAGS, NULL) != 0)
        return error_set_errno(error, errno, "cannot make the cover of \"%s\" read-only", hidden);
    return 0;
}

int hide_state_dir(const struct job *job, struct error *error)
{
    const char *rest = below(job->workdir, job->hidden_dir);
    if (!rest)
        return error_set(error, ERROR_INVALID, "the working folder \"%s\" is not in \"%s\"",
                         job->workdir, job->hidden_dir);
    /* The current folder is carried over into the new namespace, but an open descriptor is not.
     * From the current folder the working folder can be mounted again when its path is covered. */
    if (fchdir(JOB_FD_WORKDIR) != 0)
        return error_set_errno(error, errno, "cannot enter the working folder");
    if (unshare(CLONE_NEWNS) != 0)
        return error_set_errno(error, errno, "cannot create a mount namespace");
    /* Mounts in the new namespace stay in it. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
        return error_set_errno(error, errno, "cannot separate the mounts from the machine's");
    return cover(job, rest, error);
}
