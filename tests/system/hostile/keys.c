/* Attempts on the kernel's keys. */
#include <linux/keyctl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile/hostile.h"

static long keyctl(int operation, long second, long third, long fourth)
{
    return syscall(SYS_keyctl, operation, second, third, fourth, 0);
}

static long find_session_keyring(void)
{
    return keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0);
}

static long leave_key(void)
{
    return syscall(SYS_add_key, "user", "webhookd-test-left", "left", 4, KEY_SPEC_SESSION_KEYRING);
}

static long request_key(void)
{
    (void)leave_key();
    return syscall(SYS_request_key, "user", "webhookd-test-left", NULL, 0);
}

static long join_session_keyring(void)
{
    return keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0);
}

static long read_key_of_starter(void)
{
    char bytes[16];
    return keyctl(KEYCTL_READ, strtol(given("KEY"), NULL, 10), (long)bytes, sizeof(bytes));
}

static long find_key_of_starter(void)
{
    return keyctl(KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, (long)"user",
                  (long)"webhookd-test-starter");
}

static long list_keys(void)
{
    return read_some("/proc/keys");
}

static long list_owners_of_keys(void)
{
    return read_some("/proc/key-users");
}

const struct attempt attempts_on_keys[] = {
    ATTEMPT("keys", find_session_keyring),
    ATTEMPT("keys", leave_key),
    ATTEMPT("keys", request_key),
    ATTEMPT("keys", join_session_keyring),
    ATTEMPT("keys", read_key_of_starter),
    ATTEMPT("keys", find_key_of_starter),
    ATTEMPT("keys", list_keys),
    ATTEMPT("keys", list_owners_of_keys),
    {0},
};
