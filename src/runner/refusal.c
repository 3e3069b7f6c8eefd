/* See refusal.h. Called by runner/isolation after a trial, on its callers' threads.
 *
 * The kernel has few error codes and many causes. The same EPERM comes from a container's filter, a
 * sysctl and a covered /proc. Therefore the advice depends on the step that failed, which begins
 * the trial's words (supervisor/sandbox.c, supervisor/rootfs.c), and on what /proc says. */
#include "runner/refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/kernel.h"
#include "base/memory.h"

enum { PROC_LIMIT_BYTES = 4 * 1024 * 1024, ADVICE_BYTES = 320 };

/* Reads a file of /proc. If that fails, the buffer is empty. */
static void read_proc(const char *path, struct buffer *text)
{
    struct error ignored = ERROR_INIT;
    *text = (struct buffer)BUFFER_INIT;
    (void)file_read(AT_FDCWD, path, PROC_LIMIT_BYTES, text, &ignored);
}

/* ---- users that do not exist ---- */

/* Whether the map, with lines of "first outside count", has the number. An unreadable map has every
 * number. */
static bool has(const char *map_path, unsigned number)
{
    struct buffer text;
    read_proc(map_path, &text);
    bool found = text.bytes == 0;
    char *end;
    for (const char *at = buffer_text(&text); !found; at = end) {
        unsigned long first = strtoul(at, &end, 10);
        if (end == at)
            break;
        (void)strtoul(end, &end, 10);
        unsigned long count = strtoul(end, &end, 10);
        found = number >= first && number - first < count;
    }
    buffer_free(&text);
    return found;
}

static int refuse_user(const struct vessel_user *user, const char *what, unsigned number,
                       struct error *error)
{
    return error_set(error, ERROR_CONFIG,
                     "vessels cannot run as user \"%s\": its %s %u does not exist in this user "
                     "namespace; give the container more ids (/etc/subuid and /etc/subgid), or "
                     "start webhookd as the user that vessels are to run as",
                     user->name, what, number);
}

int refusal_check_user(const struct vessel_user *user, struct error *error)
{
    if (!user->change)
        return 0;
    if (!has("/proc/self/uid_map", user->uid))
        return refuse_user(user, "id", user->uid, error);
    if (!has("/proc/self/gid_map", user->gid))
        return refuse_user(user, "group", user->gid, error);
    for (size_t i = 0; i < user->group_count; i++)
        if (!has("/proc/self/gid_map", user->groups[i]))
            return refuse_user(user, "group", user->groups[i], error);
    return 0;
}

/* ---- what the kernel refuses ---- */

/* Whether a sysctl is set, and to this digit. */
static bool is_set(const char *path, char digit)
{
    struct buffer text;
    read_proc(path, &text);
    bool is_it = strcspn(buffer_text(&text), "\n") == 1 && buffer_text(&text)[0] == digit;
    buffer_free(&text);
    return is_it;
}

/* Whether a line of mountinfo is of a mount that hides a part of /proc. Some folders of /proc exist
 * to be mounted on, and hide nothing. */
static bool is_cover(const char *line, char place[128])
{
    static const char proc[] = "/proc/";
    return sscanf(line, "%*s %*s %*s %*s %127s", place) == 1 && /* the fifth field */
           strncmp(place, proc, sizeof(proc) - 1) == 0 &&
           strcmp(place, "/proc/sys/fs/binfmt_misc") != 0 && strcmp(place, "/proc/fs/nfsd") != 0;
}

/* Finds a mount that hides a part of /proc. */
static bool find_cover(char place[128])
{
    struct buffer text;
    read_proc("/proc/self/mountinfo", &text);
    bool found = false;
    for (const char *line = buffer_text(&text); line && !found; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        found = is_cover(line, place);
    }
    buffer_free(&text);
    return found;
}

/* The kernel permits a new /proc only where all of the present one can be seen. */
static const char *advice_about_proc(char advice[ADVICE_BYTES])
{
    char cover[128];
    if (!find_cover(cover))
        return NULL;
    (void)snprintf(advice, ADVICE_BYTES,
                   "%s is covered by a mount: show all of /proc (docker: --security-opt "
                   "systempaths=unconfined; podman: --security-opt unmask=ALL; systemd: no "
                   "ProtectKernelTunables=, no ProtectKernelLogs=)",
                   cover);
    return advice;
}

static const char *advice_about_namespaces(const char *words)
{
    if (is_set("/proc/sys/user/max_user_namespaces", '0'))
        return "set sysctl user.max_user_namespaces=10000";
    if (is_set("/proc/sys/kernel/unprivileged_userns_clone", '0'))
        return "set sysctl kernel.unprivileged_userns_clone=1";
    if (strstr(words, kernel_error_text(ENOSPC)))
        return "raise sysctl user.max_user_namespaces (of a container: on its host)";
    if (strstr(words, kernel_error_text(EPERM)))
        return "allow namespaces (docker and podman: --cap-add SYS_ADMIN, or another seccomp "
               "profile; systemd: no RestrictNamespaces=)";
    return NULL;
}

/* Returns what to do, or NULL. */
static const char *advice_for_sandbox(const char *words, char advice[ADVICE_BYTES])
{
    if (strstr(words, "cannot create namespaces"))
        return advice_about_namespaces(words);
    const char *about_proc = strstr(words, "cannot mount /proc") ? advice_about_proc(advice) : NULL;
    if (about_proc)
        return about_proc;
    if (is_set("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
        return "set sysctl kernel.apparmor_restrict_unprivileged_userns=0";
    return strstr(words, kernel_error_text(EPERM))
               ? "allow namespaces and mounts in the container or the systemd unit"
               : NULL;
}

static const char *advice_without_sandbox(const char *words)
{
    if (strstr(words, kernel_error_text(EACCES)))
        return "let the vessels' user enter the folders that lead to state_dir (chmod o+x), "
               "or move state_dir";
    if (strstr(words, kernel_error_text(EPERM)))
        return "give webhookd CAP_SYS_ADMIN, CAP_CHOWN, CAP_SETUID and CAP_SETGID, or start it as "
               "the user that vessels are to run as";
    return NULL;
}

int refusal_report(bool is_strict, const char *words, struct error *error)
{
    char text[ADVICE_BYTES];
    const char *todo = is_strict ? advice_for_sandbox(words, text) : advice_without_sandbox(words);
    if (!is_strict)
        return error_set(error, ERROR_CONFIG, "vessels cannot be started: %s%s%s", words,
                         todo ? "; " : "", todo ? todo : "");
    return error_set(error, ERROR_CONFIG, "vessels cannot be isolated: %s; %s%s" REFUSAL_TURN_OFF,
                     words, todo ? todo : "",
                     todo ? ", or " : "to run vessels without isolation, ");
}
