/* Accept-Encoding. Each line of the input is the value of one such header. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "http/accept_encoding.h"

static struct accept_encoding read_with(const char *list, const char *more)
{
    struct accept_encoding accept = ACCEPT_ENCODING_INIT;
    char *value = memory_format("%s%s", list, more);
    accept_encoding_read(&accept, value);
    free(value);
    return accept;
}

static bool is_same(const struct accept_encoding *one, const struct accept_encoding *other)
{
    return one->gzip == other->gzip && one->identity == other->identity && one->any == other->any;
}

static bool is_weight(int weight)
{
    return weight >= -1 && weight <= 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct accept_encoding accept = ACCEPT_ENCODING_INIT;
    struct buffer list = BUFFER_INIT;
    while (bytes > 0) {
        size_t line_bytes;
        char *line = fuzz_take_line(&data, &bytes, &line_bytes);
        accept_encoding_read(&accept, line);
        buffer_append_format(&list, "%s,", line);
        free(line);
    }
    const char *text = buffer_text(&list);
    bool is_packed = accept_encoding_prefers_gzip(&accept);
    FUZZ_CHECK(is_weight(accept.gzip) && is_weight(accept.identity) && is_weight(accept.any));
    FUZZ_CHECK(!is_packed || strcasestr(text, "gzip") || strchr(text, '*'));
    /* Several headers are one list, and other codings do not matter. */
    struct accept_encoding whole = read_with(text, ""), other = read_with(text, "br;q=0.7, zstd");
    FUZZ_CHECK(is_same(&accept, &whole) && is_same(&accept, &other));
    /* Nothing that comes before makes up for a refusal. */
    struct accept_encoding refused = read_with(text, "gzip;q=0");
    FUZZ_CHECK(!accept_encoding_prefers_gzip(&refused));
    struct accept_encoding only = read_with(text, "gzip, *;q=0, identity;q=0");
    FUZZ_CHECK(accept_encoding_prefers_gzip(&only) == (accept.gzip != 0));
    buffer_free(&list);
    return 0;
}
