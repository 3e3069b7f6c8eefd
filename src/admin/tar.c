/* See tar.h. Called by backup.c. Written by hand because the archive is created while it is sent,
 * piece by piece as the client reads it. Libraries that write archives would need a second copy on
 * the disk for that. */
#include "admin/tar.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The fields of a header: POSIX.1-1988, "ustar". Numbers are octal digits. */
struct ustar {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], device_major[8], device_minor[8], prefix[155];
    char rest[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a header is one block");

static void put_octal(char *field, size_t bytes, uint64_t number)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%0*llo", (int)bytes - 1, (unsigned long long)number);
    memcpy(field, digits, bytes - 1);
}

/* Sizes of 8 GiB and more are written in base 256 with the highest bit set, as in GNU and BSD
 * tar. */
static void put_size(char field[12], uint64_t bytes)
{
    if (bytes < UINT64_C(1) << 33) {
        put_octal(field, 12, bytes);
        return;
    }
    for (int i = 11; i >= 4; i--, bytes >>= 8)
        field[i] = (char)(bytes & 0xff);
    field[0] = (char)0x80;
}

void tar_header(char block[TAR_BLOCK], const char *name, uint64_t bytes, int64_t mtime_s)
{
    struct ustar header = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
    assert(strlen(name) < sizeof(header.name));
    strcpy(header.name, name);
    put_octal(header.mode, sizeof(header.mode), 0600);
    put_octal(header.uid, sizeof(header.uid), 0);
    put_octal(header.gid, sizeof(header.gid), 0);
    put_size(header.size, bytes);
    put_octal(header.mtime, sizeof(header.mtime), mtime_s > 0 ? (uint64_t)mtime_s : 0);
    memset(header.checksum, ' ', sizeof(header.checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(header); i++)
        sum += ((const unsigned char *)&header)[i];
    put_octal(header.checksum, 7, sum); /* six digits, a NUL, a space */
    header.checksum[6] = '\0';
    memcpy(block, &header, sizeof(header));
}
