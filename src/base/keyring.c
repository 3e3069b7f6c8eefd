/* Session keyrings. A process inherits its parent's and can search it, read it, and add keys to it
 * (it "possesses" the keyring), whatever user it becomes. Called by webhookd/daemon at the start
 * and by the supervisor for each attempt without a sandbox. */
#include "base/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int keyring_leave_session(struct error *error)
{
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
        return 0;
    if (errno == ENOSYS || errno == EPERM)
        return 0;
    /* The kernel's "disk quota exceeded" would be misleading. */
    if (errno == EDQUOT)
        return error_set(error, ERROR_UNAVAILABLE,
                         "no room for a session keyring: user %u owns too many keys; "
                         "raise sysctl kernel.keys.%s",
                         (unsigned)getuid(), getuid() == 0 ? "root_maxkeys" : "maxkeys");
    return error_set_errno(error, errno, "cannot create a session keyring");
}
