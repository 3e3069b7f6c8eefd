/* See lock.h. Called by packages/install on an installer's thread, and by packages/view. */
#include "packages/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/secret.h"
#include "packages/tool.h"

#define FORMAT "1" /* of the environments: a change makes all keys new */

char *lock_describe_request(enum vessel_language language, const struct package_list *packages)
{
    struct buffer text = BUFFER_INIT;
    (void)buffer_append_format(&text, "%s\n", tool_of(language)->kind);
    for (size_t i = 0; i < packages->count; i++)
        (void)buffer_append_format(&text, "%s %s\n", packages->items[i].name,
                                   packages->items[i].version);
    char *result = memory_string(buffer_text(&text));
    buffer_free(&text);
    return result;
}

/* Without a sandbox, other processes of a vessel's user could reach into the tool that installs.
 * Therefore fleets without one share environments with that user's fleets alone. */
void lock_make_key(enum vessel_language language, const struct package_lock *lock,
                   const struct installer_user *user, char key[INSTALLER_KEY_BYTES])
{
    uint8_t hash[SECRET_HASH_BYTES];
    char own[32] = "";
    if (user)
        (void)snprintf(own, sizeof(own), "user %u", user->uid);
    char *text = memory_format(FORMAT "\n%s\n%s\n%s\n%s", tool_of(language)->kind, own,
                               lock->interpreter, lock->lock);
    secret_hash(text, strlen(text), hash);
    secret_hash_format(hash, key);
    free(text);
}

int lock_find(const struct store_options *options, const struct package_lock_place *place,
              const char *request, struct package_lock *found, struct error *error)
{
    struct store_options reading = *options;
    reading.mode = STORE_READ;
    struct store *store = store_open(&reading, error);
    int result = store ? store_find_package_lock(store, place, request, found, error) : -1;
    store_close(store);
    return result;
}

struct lock_change {
    const struct package_lock_place *place;
    const struct package_lock *lock;
};

static int apply_lock(void *context, struct store *store, struct error *error)
{
    const struct lock_change *change = context;
    return store_set_package_lock(store, change->place, change->lock, error);
}

int lock_keep(struct commit_queue *queue, const struct package_lock_place *place,
              const struct package_lock *lock, struct error *error)
{
    struct lock_change change = {place, lock};
    const struct commit_call call = {.name = "package lock",
                                     .bytes = strlen(lock->lock) + strlen(lock->request),
                                     .apply = apply_lock,
                                     .context = &change};
    return commit_call(queue, &call, error);
}
