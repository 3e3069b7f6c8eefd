/* Hexadecimal digits. Pure; any thread. */
#ifndef WEBHOOKD_BASE_HEX_H
#define WEBHOOKD_BASE_HEX_H

/* The value of a hexadecimal digit in upper or lower case, or -1. */
int hex_digit(char c);

#endif
