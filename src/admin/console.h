/* The console's files, from src/admin/console/, which the build embeds into webhookd. For console.c
 * and service.c. */
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

/* Answers if a browser opens a page at a path that no route has. */
extern const struct admin_call console_no_page;

#endif
