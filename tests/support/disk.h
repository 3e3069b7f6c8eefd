/* A small disk for a test: an ext4 image on a loop device, or a tmpfs, mounted in a folder of its own. Needs root. The power can be cut,
 * it can be filled up and made read-only. Functions abort the test with a message when they cannot do what they say. */
#ifndef WEBHOOKD_TESTS_SUPPORT_DISK_H
#define WEBHOOKD_TESTS_SUPPORT_DISK_H

#include <stdbool.h>
#include <stddef.h>

enum disk_kind { DISK_EXT4, DISK_TMPFS };

struct disk {
    enum disk_kind kind;
    char folder[64];    /* /tmp/webhookd-disk-XXXXXX, removed by disk_finish */
    char mount[80];     /* where it is mounted */
    char state_dir[96]; /* mount/state */
    char image[80];     /* ext4 only */
};

/* Makes and mounts it. False: this machine cannot, and test_skip has been called. */
bool disk_begin(struct disk *disk, enum disk_kind kind, size_t size_mib);
/* Unmounts and removes everything. Nothing may use it any more. */
void disk_finish(struct disk *disk);

void disk_mount(struct disk *disk);
void disk_unmount(struct disk *disk);

/* A power cut (ext4): what has not been synced is gone, and nothing more gets through until it is unmounted and mounted again. */
void disk_cut_power(struct disk *disk);
/* An error of the file system itself (ext4): the kernel makes it read-only under those who use it. False: it cannot be had here. */
bool disk_become_read_only(struct disk *disk);

/* Fills it with a file of ballast until there is room for nothing. */
void disk_fill(struct disk *disk);
void disk_make_room(struct disk *disk);

#endif
