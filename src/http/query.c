/* Reads the parameters of a query one by one. Called in the steps of an exchange, by exchange.c and
 * by services, on the handler's thread. */
#include "http/query.h"

#include <string.h>

#include "base/hex.h"

bool query_next(const char **at, struct query_parameter *parameter)
{
    const char *from = *at + strspn(*at, "&");
    const char *end = strchrnul(from, '&');
    *at = end;
    parameter->name = from;
    parameter->name_bytes = strcspn(from, "=&");
    parameter->value = from + parameter->name_bytes;
    if (*parameter->value == '=')
        parameter->value++;
    parameter->value_bytes = (size_t)(end - parameter->value);
    return from < end;
}

bool query_is_named(const struct query_parameter *parameter, const char *name)
{
    return strlen(name) == parameter->name_bytes &&
           memcmp(parameter->name, name, parameter->name_bytes) == 0;
}

int query_decode(const struct query_parameter *parameter, char *text, size_t text_bytes)
{
    const char *from = parameter->value;
    const char *end = from + parameter->value_bytes;
    size_t used = 0;
    while (from < end) {
        char c = *from++;
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            if (end - from < 2 || hex_digit(from[0]) < 0 || hex_digit(from[1]) < 0)
                return -1;
            c = (char)(hex_digit(from[0]) << 4 | hex_digit(from[1]));
            from += 2;
        }
        if (c == '\0' || used + 1 >= text_bytes)
            return -1;
        text[used++] = c;
    }
    text[used] = '\0';
    return 0;
}
