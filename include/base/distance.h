/* How far a text is from another, to find what a mistyped name meant. Pure; any thread. */
#ifndef WEBHOOKD_BASE_DISTANCE_H
#define WEBHOOKD_BASE_DISTANCE_H

#define DISTANCE_TEXT_BYTES 1024 /* a longer text is far from every other */

/* Returns the fewest bytes to insert, delete, replace, or swap with their neighbour that make one
 * text the other, or limit + 1 if that is more than limit. Case does not count. */
unsigned distance_between(const char *a, const char *b, unsigned limit);

#endif
