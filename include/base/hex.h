/* Hexadecimal digits. Pure; any thread. */
#ifndef WEBHOOKD_BASE_HEX_H
#define WEBHOOKD_BASE_HEX_H

/* What the digit stands for, upper or lower case; -1 if it is none. */
int hex_digit(char c);

#endif
