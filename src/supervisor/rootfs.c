/* Builds the root of a vessel in strict mode. Called by pid 1 of the sandbox (sandbox.c), as the
 * vessel's user, with all capabilities in a user namespace of its own and none outside of it.
 *
 *   /                     a tmpfs; in the end read-only, except for /tmp and the like (see below)
 *   /usr /opt /bin …      shown read-only (supervisor/allow_list.h); links are copied as links
 *   /etc                  entries on the list, shown read-only; small files are copies; passwd and
 *                         group begin with the vessel's user
 *   /proc                 of the vessel's own processes, without the kernel's keys
 *   /dev                  a few devices, pts and shm
 *   /tmp /var/tmp /run    and /dev/shm: folders of that tmpfs, empty at first and writable. They
 *                         and the copies together are limited to max_memory. /var/run is a link
 *                         to /run
 *   readable, writable    as the configuration names them, at their own paths
 *   workdir               the working folder: for vessels /home/shipyard
 *
 * It is an allow-list: what is not shown does not exist in the sandbox, whatever happens to its
 * path outside. While the root is built, the machine's root is at OLD, and paths are resolved as if
 * OLD were the root, so that no link leads out of it; then OLD is unmounted. The working folder is
 * passed as the cwd, because a descriptor from another mount namespace cannot be mounted. */
#include "supervisor/rootfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/kernel.h"
#include "base/memory.h"
#include "supervisor/allow_list.h"
#include "supervisor/open_in_root.h"

#define BASE         "/tmp" /* any folder that every machine has; covered in this namespace alone */
#define OLD          "/.old"
#define SHOWN        (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define COPIED_BYTES 16384         /* a file of /etc up to this is copied */
#define NAMES_BYTES  (1024 * 1024) /* of /etc/passwd or /etc/group, without our line */
#define INODES       65536 /* of the root: mount points, links, copies, and the vessel's files */

/* ---- creating entries ---- */

/* Creates the folders that lead to the last component of an absolute path. Existing ones stay as
 * they are. */
static int make_parents(const char *path, struct error *error)
{
    char *copy = memory_string(path);
    int result = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && result == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST && errno != EROFS)
            result =
                error_set_errno(error, errno, "cannot create \"%s\" in the vessel's root", copy);
        *slash = '/';
    }
    free(copy);
    return result;
}

static int make_entry(const char *path, bool is_folder)
{
    int result = is_folder ? mkdir(path, 0755) : mknod(path, S_IFREG | 0644, 0);
    return result == 0 || errno == EEXIST || errno == EROFS ? 0 : -1;
}

/* Creates a mount point of the same kind: a folder, or an empty file. Its parents mostly exist, so
 * they are created only when one is missing. */
static int make_target(const char *path, bool is_folder, struct error *error)
{
    int result = make_entry(path, is_folder);
    if (result != 0 && errno == ENOENT) {
        if (make_parents(path, error) != 0)
            return -1;
        result = make_entry(path, is_folder);
    }
    if (result != 0)
        return error_set_errno(error, errno, "cannot create \"%s\" in the vessel's root", path);
    return 0;
}

static int make_folder(const char *path, mode_t mode, struct error *error)
{
    if (mkdir(path, mode) != 0 || chmod(path, mode) != 0)
        return error_set_errno(error, errno, "cannot create \"%s\" in the vessel's root", path);
    return 0;
}

static int make_link(const char *to, const char *path, struct error *error)
{
    if (symlink(to, path) != 0)
        return error_set_errno(error, errno, "cannot create the link \"%s\" in the vessel's root",
                               path);
    return 0;
}

/* ---- showing what is outside ---- */

/* Mounts the file or folder behind from_fd, and all that is mounted below it, at `to`. */
static int show(int from_fd, const char *from, const char *to, uint64_t attributes,
                struct error *error)
{
    struct mount_attr attr = {.attr_set = attributes};
    int tree = open_tree(from_fd, from,
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
    if (tree < 0)
        return error_set_errno(error, errno, "cannot mount \"%s\" in the vessel's root", to);
    int result = 0;
    if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) != 0 ||
        move_mount(tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        result = error_set_errno(error, errno, "cannot mount \"%s\" in the vessel's root", to);
    close(tree);
    return result;
}

/* Copies a file, which costs less to create and to remove than a mount. Its bytes go through the
 * stack. */
static int copy_file(int from_fd, const char *path, mode_t mode, struct error *error)
{
    char bytes[COPIED_BYTES];
    ssize_t count = file_read_all(from_fd, bytes, sizeof(bytes));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0555);
    if (fd < 0 || count < 0 || file_write_all(fd, bytes, (size_t)count) != 0)
        error_set_errno(error, errno, "cannot copy \"%s\" into the vessel's root", path);
    if (fd >= 0)
        close(fd);
    return error_is_set(error) ? -1 : 0;
}

enum absence { MUST_EXIST, MAY_BE_ABSENT };

static int show_old(int old_fd, const char *path, uint64_t attributes, enum absence absence,
                    struct error *error)
{
    struct stat status;
    int fd = open_in_root(old_fd, path);
    if (fd < 0 && absence == MAY_BE_ABSENT && (errno == ENOENT || errno == EACCES))
        return 0;
    if (fd < 0 || fstat(fd, &status) != 0) {
        error_set_errno(error, errno, "cannot show \"%s\" to vessels", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    int result = make_target(path, S_ISDIR(status.st_mode), error);
    if (result == 0)
        result = show(fd, "", path, attributes, error);
    close(fd);
    return result;
}

/* ---- what every vessel sees ---- */

static bool leads_to_shown(const char *target)
{
    return strncmp(target, "../", 3) == 0 ? allow_list_shows(target + 2)
           : target[0] == '/'             ? allow_list_shows(target)
                                          : false;
}

/* Shows an entry. A link in /, or to something that is shown, stays a link: it costs no mount. */
static int show_entry(int old_fd, int folder_fd, const char *folder, const char *name,
                      struct error *error)
{
    char path[300], target[256];
    (void)snprintf(path, sizeof(path), "%s%.255s", folder, name);
    ssize_t bytes = readlinkat(folder_fd, name, target, sizeof(target) - 1);
    if (bytes > 0) {
        target[bytes] = '\0';
        bool is_top = strcmp(folder, "/") == 0;
        if (is_top || leads_to_shown(target))
            return make_link(target, path, error);
    }
    return show_old(old_fd, path, SHOWN | MOUNT_ATTR_RDONLY, MAY_BE_ABSENT, error);
}

/* Shows an entry of /etc. Small files are copied as they are now. */
static int show_etc_entry(int old_fd, int folder_fd, const char *folder, const char *name,
                          struct error *error)
{
    struct stat status;
    if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > COPIED_BYTES)
        return show_entry(old_fd, folder_fd, folder, name, error);
    int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return 0; /* not readable by the vessel's user, nor would a mount be; or just replaced */
    char path[300];
    (void)snprintf(path, sizeof(path), "%s%.255s", folder, name);
    int result = copy_file(fd, path, status.st_mode, error);
    close(fd);
    return result;
}

/* ---- the vessel's user ---- */

/* Copies the file's bytes, unless there are more than NAMES_BYTES. Vessels then see no users but
 * their own. */
static int append_names(int from_fd, int to_fd)
{
    struct stat status;
    if (fstat(from_fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > NAMES_BYTES)
        return 0;
    char bytes[COPIED_BYTES];
    ssize_t count;
    while ((count = file_read_all(from_fd, bytes, sizeof(bytes))) > 0)
        if (file_write_all(to_fd, bytes, (size_t)count) != 0)
            return -1;
    return count < 0 ? -1 : 0;
}

/* Creates a file of names: our line, and then the machine's, if the vessel's user may read it.
 * Programs take the first line that matches a number or a name, so ours counts. */
static int make_names(const char *path, const char *line, struct error *error)
{
    char old_path[300];
    (void)snprintf(old_path, sizeof(old_path), OLD "%s", path);
    int from_fd = open(old_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int to_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (to_fd < 0 || file_write_all(to_fd, line, strlen(line)) != 0 ||
        (from_fd >= 0 && append_names(from_fd, to_fd) != 0))
        error_set_errno(error, errno, "cannot create \"%s\" in the vessel's root", path);
    if (from_fd >= 0)
        close(from_fd);
    if (to_fd >= 0)
        close(to_fd);
    return error_is_set(error) ? -1 : 0;
}

/* Gives the vessel's user the name and the home that USER and HOME name. Programs such as ssh and
 * whoami ignore these variables and look the user up. */
static int make_user(struct error *error)
{
    char user[200], group[100];
    (void)snprintf(user, sizeof(user),
                   SANDBOX_USER ":x:%u:%u:webhookd vessel:" SANDBOX_HOME ":/bin/sh\n",
                   (unsigned)geteuid(), (unsigned)getegid());
    (void)snprintf(group, sizeof(group), SANDBOX_USER ":x:%u:\n", (unsigned)getegid());
    return make_names("/etc/passwd", user, error) != 0 ? -1
                                                       : make_names("/etc/group", group, error);
}

static bool is_shown_as_it_is(const char *name)
{
    return strcmp(name, "passwd") != 0 && strcmp(name, "group") != 0 && allow_list_shows_etc(name);
}

/* ---- the system ---- */

static int show_listed(int old_fd, const char *folder, bool (*is_listed)(const char *),
                       int (*show_it)(int, int, const char *, const char *, struct error *),
                       struct error *error)
{
    char path[300];
    (void)snprintf(path, sizeof(path), OLD "%s", folder);
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT
                   ? 0
                   : error_set_errno(error, errno, "cannot read the folder \"%s\"", folder);
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(dir));)
        if (is_listed(entry->d_name))
            result = show_it(old_fd, dirfd(dir), folder, entry->d_name, error);
    closedir(dir);
    return result;
}

static int show_system(int old_fd, struct error *error)
{
    if (show_listed(old_fd, "/", allow_list_shows_top, show_entry, error) != 0 ||
        make_folder("/etc", 0755, error) != 0 ||
        show_listed(old_fd, "/etc/", is_shown_as_it_is, show_etc_entry, error) != 0 ||
        make_user(error) != 0)
        return -1;
    for (const char *const *name = allow_list_ssl; *name; name++) {
        char path[300];
        (void)snprintf(path, sizeof(path), "/etc/ssl/%s", *name);
        if (show_old(old_fd, path, SHOWN | MOUNT_ATTR_RDONLY, MAY_BE_ABSENT, error) != 0)
            return -1;
    }
    return 0;
}

static int make_devices(int old_fd, struct error *error)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                          "/dev/urandom"};
    static const char *const links[][2] = {
        {"/proc/self/fd", "/dev/fd"},       {"/proc/self/fd/0", "/dev/stdin"},
        {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
        {"pts/ptmx", "/dev/ptmx"},
    };
    if (make_folder("/dev", 0755, error) != 0 || make_folder("/dev/pts", 0755, error) != 0)
        return -1;
    for (size_t i = 0; i < ARRAY_COUNT(devices); i++)
        if (show_old(old_fd, devices[i], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, MUST_EXIST,
                     error) != 0)
            return -1;
    for (size_t i = 0; i < ARRAY_COUNT(links); i++)
        if (make_link(links[i][0], links[i][1], error) != 0)
            return -1;
    if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
              "newinstance,ptmxmode=0666,mode=0600") != 0)
        return error_set_errno(error, errno, "cannot mount /dev/pts");
    return 0;
}

/* Opens four folders of the root for writing. They belong to one tmpfs, so that one limit holds for
 * all of them together. */
static int make_scratch(struct error *error)
{
    static const struct {
        const char *path;
        mode_t mode;
    } folders[] = {{"/tmp", 01777}, {"/var/tmp", 01777}, {"/run", 0755}, {"/dev/shm", 01777}};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        if (make_parents(folders[i].path, error) != 0 ||
            make_folder(folders[i].path, folders[i].mode, error) != 0 ||
            show(AT_FDCWD, folders[i].path, folders[i].path, SHOWN, error) != 0)
            return -1;
    return 0;
}

static bool is_among(const char *path, char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i], path) == 0)
            return true;
    return false;
}

/* Programs still write below /var/run. The link must not stand where the configuration wants the
 * machine's folder mounted. */
static int link_run(const struct job *job, struct error *error)
{
    static const char path[] = "/var/run";
    if (is_among(path, job->readable, job->readable_count) ||
        is_among(path, job->writable, job->writable_count))
        return 0;
    return make_link("/run", path, error);
}

/* ---- what this vessel sees besides ---- */

static int show_all(int old_fd, char *const *paths, size_t count, uint64_t attributes,
                    struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (show_old(old_fd, paths[i], attributes, MUST_EXIST, error) != 0)
            return -1;
    return 0;
}

static int show_own(int old_fd, const struct job *job, struct error *error)
{
    if (show_all(old_fd, job->readable, job->readable_count, SHOWN | MOUNT_ATTR_RDONLY, error) !=
            0 ||
        show_all(old_fd, job->writable, job->writable_count, SHOWN, error) != 0 ||
        make_target(job->workdir, true, error) != 0)
        return -1;
    return show(AT_FDCWD, ".", job->workdir, SHOWN, error);
}

/* ---- the whole ---- */

static int mount_root(const char *path, const struct job *job, struct error *error)
{
    char options[100];
    (void)snprintf(options, sizeof(options), "mode=0755,size=%lld,nr_inodes=%d",
                   (long long)job->max_memory_bytes, INODES);
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0)
        return error_set_errno(error, errno, "cannot mount a tmpfs on \"%s\"", path);
    return 0;
}

/* Makes a tmpfs the root. Afterwards the old root is at OLD. The tmpfs that covered BASE is now the
 * root itself, so OLD shows the machine's real BASE again. */
static int change_root(const struct job *job, struct error *error)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
        return error_set_errno(error, errno, "cannot separate the mounts from the machine's");
    if (mount_root(BASE, job, error) != 0 || make_folder(BASE OLD, 0700, error) != 0)
        return -1;
    if (syscall(SYS_pivot_root, BASE, BASE OLD) != 0)
        return error_set_errno(error, errno, "cannot change the root");
    return 0;
}

static int leave_old_root(const struct job *job, struct error *error)
{
    if (chdir(job->workdir) != 0)
        return error_set_errno(error, errno, "cannot enter the working folder");
    if (umount2(OLD, MNT_DETACH) != 0 || rmdir(OLD) != 0)
        return error_set_errno(error, errno, "cannot unmount the old root");
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) != 0)
        return error_set_errno(error, errno, "cannot make the vessel's root read-only");
    return 0;
}

/* Mounts /proc. Keys belong to no namespace, so every vessel would see how many each user has and
 * how those of the vessels' user are described: /dev/null covers both files. */
static int make_proc(struct error *error)
{
    static const char *const covered[] = {"/proc/keys", "/proc/key-users"};
    if (make_folder("/proc", 0555, error) != 0)
        return -1;
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return error_set_errno(error, errno, "cannot mount /proc");
    for (size_t i = 0; i < ARRAY_COUNT(covered); i++)
        if (mount("/dev/null", covered[i], NULL, MS_BIND, NULL) != 0 && errno != ENOENT)
            return error_set_errno(error, errno, "cannot cover \"%s\"", covered[i]);
    return 0;
}

static int fill(int old_fd, const struct job *job, struct error *error)
{
    if (show_system(old_fd, error) != 0 || make_devices(old_fd, error) != 0 ||
        make_scratch(error) != 0 || link_run(job, error) != 0 || make_proc(error) != 0)
        return -1;
    return show_own(old_fd, job, error);
}

int rootfs_build(const struct job *job, struct error *error)
{
    if (change_root(job, error) != 0)
        return -1;
    int old_fd = open(OLD, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old_fd < 0)
        return error_set_errno(error, errno, "cannot open the old root");
    int result = fill(old_fd, job, error);
    close(old_fd);
    return result != 0 ? -1 : leave_old_root(job, error);
}
