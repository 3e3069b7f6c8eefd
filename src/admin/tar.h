/* The headers of a tar archive, POSIX.1-1988 (ustar), as far as a backup needs them: regular files
 * with short names. Pure. */
#ifndef WEBHOOKD_ADMIN_TAR_H
#define WEBHOOKD_ADMIN_TAR_H

#include <stdint.h>

#define TAR_BLOCK      512 /* all sizes in the archive are multiples of it */
#define TAR_NAME_BYTES 100 /* including the NUL, which the format does not require */

/* Writes the header of a file. The bytes of the file must follow, padded with zeros to a whole
 * block. An archive ends with two blocks of zeros. */
void tar_header(char block[TAR_BLOCK], const char *name, uint64_t bytes, int64_t mtime_s);

#endif
