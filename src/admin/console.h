/* The console's files, src/admin/console/, embedded when webhookd is built. */
#ifndef WEBHOOKD_ADMIN_CONSOLE_H
#define WEBHOOKD_ADMIN_CONSOLE_H

#include <stddef.h>

struct admin_call;

struct console_file {
    const char *name, *type, *hash; /* of the plain bytes, hexadecimal */
    const unsigned char *plain;
    size_t plain_bytes;
    const unsigned char *packed; /* gzip */
    size_t packed_bytes;
};

extern const struct console_file console_files[];
extern const size_t console_file_count;

/* Answers instead of a route when a person has typed or kept an address that leads nowhere. */
extern const struct admin_call console_no_page;

#endif
