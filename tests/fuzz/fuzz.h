/* Fuzz targets. A target is a file fuzz_*.c with one function, LLVMFuzzerTestOneInput: it takes any
 * bytes as one input of the code that it tests, and ends the program if a property of that code
 * does not hold.
 *
 * `make fuzz` links each target with libFuzzer, which searches for inputs that reach new code.
 * `make check` links it with replay.c, which passes it the kept inputs, corpus/<target>/. */
#ifndef WEBHOOKD_TESTS_FUZZ_FUZZ_H
#define WEBHOOKD_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tests one input. Keeps nothing that the next input could notice. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Ends the program unless the property holds. */
#define FUZZ_CHECK(property) ((property) ? (void)0 : fuzz_fail(#property, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *property, const char *file, int line);

/* Whether the text can be shown to a person: one line of UTF-8, not empty. */
bool fuzz_is_message(const char *text);

/* Returns the next line of the input without its newline, and moves *data and *bytes behind it. The
 * last line may have no newline. The caller frees it; it ends with a NUL and may contain others. */
char *fuzz_take_line(const uint8_t **data, size_t *bytes, size_t *line_bytes);

#endif
