/* Reads Accept-Encoding. Called by exchange.c for answers that exist in both forms.
 *
 *     Accept-Encoding: br;q=1.0, gzip;q=0.8, *;q=0.1
 */
#include "http/accept_encoding.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"

#define WEIGHT_MOST 1000
#define BLANKS      " \t"

/* Reads a qvalue (RFC 9110 section 12.4.2): 0 to 1, with at most three digits behind the point. */
static int read_qvalue(const char *text, size_t chars)
{
    if (chars == 0 || chars > strlen("0.000") || (text[0] != '0' && text[0] != '1') ||
        (chars > 1 && text[1] != '.'))
        return 0;
    int weight = (text[0] - '0') * WEIGHT_MOST;
    int place = WEIGHT_MOST / 10;
    for (size_t i = 2; i < chars; i++, place /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        weight += (text[i] - '0') * place;
    }
    return weight <= WEIGHT_MOST ? weight : 0;
}

/* Reads what follows the name of a coding: nothing, or ";q=" and a qvalue. */
static int read_weight(const char *text, size_t chars)
{
    const char *end = text + chars;
    while (end > text && strchr(BLANKS, end[-1]))
        end--;
    text += strspn(text, BLANKS);
    if (text >= end)
        return WEIGHT_MOST;
    if (*text++ != ';')
        return 0;
    text += strspn(text, BLANKS);
    if (end - text < 2 || strncasecmp(text, "q=", 2) != 0)
        return 0;
    return read_qvalue(text + 2, (size_t)(end - text - 2));
}

static int *find_coding(struct accept_encoding *accept, const char *name, size_t chars)
{
    const struct {
        const char *name;
        int *weight;
    } codings[] = {
        {"gzip", &accept->gzip},
        {"x-gzip", &accept->gzip}, /* the same coding (RFC 9110 section 8.4.1.3) */
        {"identity", &accept->identity},
        {"*", &accept->any},
    };
    for (size_t i = 0; i < ARRAY_COUNT(codings); i++)
        if (strlen(codings[i].name) == chars && strncasecmp(codings[i].name, name, chars) == 0)
            return codings[i].weight;
    return NULL;
}

static void read_element(struct accept_encoding *accept, const char *text, size_t chars)
{
    size_t name_chars = strcspn(text, BLANKS ";,");
    int *weight = find_coding(accept, text, name_chars);
    if (!weight)
        return;
    int named = read_weight(text + name_chars, chars - name_chars);
    if (*weight < 0 || named < *weight)
        *weight = named;
}

void accept_encoding_read(struct accept_encoding *accept, const char *value)
{
    while (*value != '\0') {
        value += strspn(value, BLANKS ",");
        size_t chars = strcspn(value, ",");
        read_element(accept, value, chars);
        value += chars;
    }
}

bool accept_encoding_prefers_gzip(const struct accept_encoding *accept)
{
    int gzip = accept->gzip >= 0 ? accept->gzip : accept->any;
    int identity = accept->identity >= 0 ? accept->identity : accept->any;
    return gzip > 0 && gzip >= identity;
}
