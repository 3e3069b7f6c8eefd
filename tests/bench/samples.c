#include "bench/samples.h"

#include <check.h>
#include <stdlib.h>

#include "base/memory.h"

void samples_add(struct samples *samples, double value)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity ? 2 * samples->capacity : 4096;
        samples->values =
            memory_array(samples->values, samples->capacity, sizeof(*samples->values));
    }
    samples->values[samples->count++] = value;
}

void samples_free(struct samples *samples)
{
    free(samples->values);
    *samples = (struct samples)SAMPLES_INIT;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

double samples_quantile(struct samples *samples, double share)
{
    ck_assert_msg(samples->count > 0, "nothing was measured");
    qsort(samples->values, samples->count, sizeof(*samples->values), by_value);
    size_t rank = (size_t)(share * (double)samples->count);
    return samples->values[rank < samples->count ? rank : samples->count - 1];
}
