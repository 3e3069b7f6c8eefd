/* Gives a tree that a tool has made to webhookd, so that no vessel can change what another uses. */
#ifndef WEBHOOKD_PACKAGES_HAND_OVER_H
#define WEBHOOKD_PACKAGES_HAND_OVER_H

#include <stdint.h>

#include "base/error.h"

/* The tree's entries then belong to webhookd's user, everyone may read them, and nobody else may
 * write them. Adds what they occupy to *bytes. By descriptor, without following links.
 * ERROR_INVALID: the tree contains what a package does not need (a device, a hard link, over 100
 * levels of folders). Nothing that a tool has started may still run. Blocks. */
int hand_over_tree(int dir_fd, int64_t *bytes, struct error *error);

#endif
