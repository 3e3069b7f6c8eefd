/* A small disk for a test: an ext4 image on a loop device, or a tmpfs, mounted in a folder of its
 * own. Needs root. A test can cut its power, fill it up and make it read-only. Each function fails
 * the test with a message if it cannot do its work. */
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

/* Creates and mounts the disk. Returns false, after test_skip, if this machine cannot. */
bool disk_begin(struct disk *disk, enum disk_kind kind, size_t size_mib);
/* Unmounts and removes everything. Nothing may use the disk any more. */
void disk_finish(struct disk *disk);

void disk_mount(struct disk *disk);
void disk_unmount(struct disk *disk);

/* Cuts the power (ext4): loses everything that was not synced, and lets nothing more through until
 * the disk is unmounted and mounted again. */
void disk_cut_power(struct disk *disk);
/* Injects an error into the file system (ext4): the kernel makes it read-only while it is in use.
 * Returns false if the kernel does not offer this. */
bool disk_become_read_only(struct disk *disk);

/* Fills the disk completely with a file of ballast. */
void disk_fill(struct disk *disk);
/* Removes the ballast. */
void disk_make_room(struct disk *disk);

/* Uses up the inodes with empty files. */
void disk_fill_inodes(struct disk *disk);
/* Removes those files. */
void disk_make_room_for_inodes(struct disk *disk);

#endif
