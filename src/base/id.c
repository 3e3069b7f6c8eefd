/* UUIDs: created for every request, formatted for every reply and log line, on any thread. Random
 * bits come from getrandom(2) through a pool per thread, so that few ids cost a system call. */
#include "base/id.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/hex.h"

enum { POOL_BYTES = 1024, TEXT_CHARS = ID_TEXT_BYTES - 1 };

struct pool {
    uint8_t bytes[POOL_BYTES];
    size_t left;
    uint32_t generation;
};

static _Thread_local struct pool pool;

/* Incremented in the child of a fork, whose pool would otherwise repeat its parent's ids. */
static atomic_uint fork_generation;
static pthread_once_t fork_handler_once = PTHREAD_ONCE_INIT;

static _Atomic int64_t latest_ms;

static void forget_pools(void)
{
    atomic_fetch_add(&fork_generation, 1);
}

static void install_fork_handler(void)
{
    if (pthread_atfork(NULL, NULL, forget_pools) != 0)
        abort();
}

static void fill_pool(uint32_t generation)
{
    (void)pthread_once(&fork_handler_once, install_fork_handler);
    size_t filled = 0;
    while (filled < POOL_BYTES) {
        ssize_t bytes = getrandom(pool.bytes + filled, POOL_BYTES - filled, 0);
        if (bytes > 0)
            filled += (size_t)bytes;
        else if (errno != EINTR)
            abort(); /* without random bits ids would collide, and so would stored runs */
    }
    pool.left = POOL_BYTES;
    pool.generation = generation;
}

static void take_random(void *into, size_t bytes)
{
    uint32_t generation = atomic_load_explicit(&fork_generation, memory_order_relaxed);
    if (pool.left < bytes || pool.generation != generation)
        fill_pool(generation);
    pool.left -= bytes;
    memcpy(into, pool.bytes + pool.left, bytes);
}

static void set_version(struct id *id, unsigned version)
{
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0f) | version << 4);
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80);
}

static void set_time(struct id *id, int64_t ms)
{
    for (int i = 0; i < 6; i++)
        id->bytes[i] = (uint8_t)((uint64_t)ms >> (40 - 8 * i));
}

struct id id_random(void)
{
    struct id id;
    take_random(id.bytes, sizeof(id.bytes));
    set_version(&id, 4);
    return id;
}

struct id id_ordered(void)
{
    struct id id;
    set_time(&id, id_clock_ms());
    take_random(id.bytes + 6, sizeof(id.bytes) - 6);
    set_version(&id, 7);
    return id;
}

static int64_t raise_clock(int64_t ms)
{
    int64_t latest = atomic_load(&latest_ms);
    while (ms > latest)
        if (atomic_compare_exchange_weak(&latest_ms, &latest, ms))
            return ms;
    return latest;
}

int64_t id_clock_ms(void)
{
    return raise_clock(clock_wall_ms());
}

void id_clock_floor(int64_t wall_ms)
{
    (void)raise_clock(wall_ms);
}

struct id id_from_run_number(int64_t number, uint64_t random)
{
    struct id id;
    set_time(&id, number >> 12);
    id.bytes[6] = (uint8_t)(number >> 8 & 0x0f);
    id.bytes[7] = (uint8_t)(number & 0xff);
    for (int i = 0; i < 8; i++)
        id.bytes[8 + i] = (uint8_t)(random >> (56 - 8 * i));
    set_version(&id, 7);
    return id;
}

int64_t id_run_number(const struct id *id)
{
    return id_time_ms(id) << 12 | (int64_t)(id->bytes[6] & 0x0f) << 8 | id->bytes[7];
}

uint64_t id_run_random(const struct id *id)
{
    uint64_t random = id->bytes[8] & 0x3f;
    for (int i = 9; i < 16; i++)
        random = random << 8 | id->bytes[i];
    return random;
}

int64_t id_time_ms(const struct id *id)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->bytes[i];
    return ms;
}

uint64_t id_random_bits(void)
{
    uint64_t random;
    take_random(&random, sizeof(random));
    return random >> 2;
}

static bool is_dash_place(int place)
{
    return place == 8 || place == 13 || place == 18 || place == 23;
}

char *id_format(const struct id *id, char text[ID_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    char *at = text;
    for (int i = 0; i < 16; i++) {
        if (is_dash_place((int)(at - text)))
            *at++ = '-';
        *at++ = digits[id->bytes[i] >> 4];
        *at++ = digits[id->bytes[i] & 0x0f];
    }
    *at = '\0';
    return text;
}

int id_parse(const char *text, struct id *id)
{
    struct id parsed = {{0}};
    int digits = 0;
    for (int place = 0; place < TEXT_CHARS; place++) {
        if (is_dash_place(place)) {
            if (text[place] != '-')
                return -1;
            continue;
        }
        int value = hex_digit(text[place]);
        if (value < 0)
            return -1;
        parsed.bytes[digits / 2] = (uint8_t)(parsed.bytes[digits / 2] << 4 | value);
        digits++;
    }
    if (text[TEXT_CHARS] != '\0')
        return -1;
    *id = parsed;
    return 0;
}

bool id_is_prefix(const char *text)
{
    for (int place = 0; text[place] != '\0'; place++)
        if (place == TEXT_CHARS ||
            (is_dash_place(place) ? text[place] != '-' : hex_digit(text[place]) < 0))
            return false;
    return true;
}

bool id_looks_like(const char *text)
{
    struct id ignored;
    return id_parse(text, &ignored) == 0;
}

bool id_equal(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool id_is_zero(const struct id *id)
{
    static const struct id zero;
    return id_equal(id, &zero);
}
