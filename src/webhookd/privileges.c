/* See privileges.h. Called by daemon.c on the main thread.
 *
 * A vessel with sandbox = "off" administers the machine: it may run as root, or use sudo. If there
 * is one, its processes must be able to have what webhookd was started with, so the bounding set
 * and the right to gain privileges stay. The keys that decide this take effect only after a
 * restart, so a reload changes nothing here. docs/architecture.md, "Privileges", says what this is
 * good for. */
#include "webhookd/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

enum { HIGHEST_CAPABILITY = 63 };

static const int kept[] = {
    CAP_CHOWN,            /* working folders and pipes are given to the vessels' users */
    CAP_DAC_OVERRIDE,     /* these folders are read and removed */
    CAP_FOWNER,           /* the same, whatever the vessels did to their modes */
    CAP_KILL,             /* vessels of other users are ended */
    CAP_NET_BIND_SERVICE, /* ports below 1024 */
    CAP_SETGID,           /* a vessel gets its user's groups */
    CAP_SETUID,           /* a vessel gets its user */
    CAP_SYS_ADMIN,        /* mounts in off mode; namespaces where others may not create them */
};

static bool is_kept(int capability)
{
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
        if (kept[i] == capability)
            return true;
    return false;
}

static bool is_every_vessel_isolated(const struct config *config)
{
    if (!config->runner.enabled)
        return true;
    bool is_any_off = config->runner.sandbox == CONFIG_SANDBOX_OFF;
    for (size_t i = 0; i < config->fleet_count; i++)
        is_any_off |=
            config->fleets[i].has_sandbox && config->fleets[i].sandbox == CONFIG_SANDBOX_OFF;
    return !is_any_off;
}

/* A program that root executes has the capabilities of the bounding set. Without CAP_SETPCAP, as in
 * some containers, the set cannot be reduced, and webhookd still works. */
static void reduce_bounding_set(void)
{
    for (int capability = 0; capability <= HIGHEST_CAPABILITY; capability++)
        if (!is_kept(capability) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            break; /* EPERM, or EINVAL: the kernel has no higher one */
}

static int reduce_own(struct error *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    uint32_t mask[_LINUX_CAPABILITY_U32S_3] = {0};
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++)
        mask[CAP_TO_INDEX(kept[i])] |= CAP_TO_MASK(kept[i]);
    if (syscall(SYS_capget, &header, data) != 0)
        return error_set_errno(error, errno, "cannot query the capabilities of webhookd");
    for (size_t i = 0; i < ARRAY_COUNT(data); i++) {
        data[i].permitted &= mask[i];
        data[i].effective &= mask[i];
        data[i].inheritable &= mask[i];
    }
    if (syscall(SYS_capset, &header, data) != 0)
        return error_set_errno(error, errno, "cannot give up capabilities");
    return 0;
}

int privileges_reduce(const struct config *config, struct error *error)
{
    bool is_isolated = is_every_vessel_isolated(config);
    if (is_isolated)
        reduce_bounding_set();
    if (reduce_own(error) != 0)
        return -1;
    if (is_isolated && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_set_errno(error, errno, "cannot forbid gaining privileges");
    return 0;
}
