#include "base/id.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/suite.h"

enum { THREADS = 4, IDS_PER_THREAD = 20000 };

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct id));
}

static void assert_distinct(struct id *ids, size_t count)
{
    qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 1; i < count; i++)
        ck_assert(!id_equal(&ids[i - 1], &ids[i]));
}

static void *mint_many(void *into)
{
    struct id *ids = into;
    for (int i = 0; i < IDS_PER_THREAD; i++)
        ids[i] = i % 2 == 0 ? id_random() : id_ordered();
    return NULL;
}

TEST(version_and_variant_are_those_of_rfc9562)
{
    char text[ID_TEXT_BYTES];
    for (int i = 0; i < 1000; i++) {
        struct id random = id_random(), ordered = id_ordered();
        ck_assert_int_eq(id_format(&random, text)[14], '4');
        ck_assert_ptr_nonnull(strchr("89ab", text[19]));
        ck_assert_int_eq(id_format(&ordered, text)[14], '7');
        ck_assert_ptr_nonnull(strchr("89ab", text[19]));
    }
}

TEST(every_random_bit_varies)
{
    uint8_t ones[16] = {0}, zeros[16] = {0};
    for (int i = 0; i < 2000; i++) {
        struct id id = id_random();
        for (int k = 0; k < 16; k++) {
            ones[k] |= id.bytes[k];
            zeros[k] |= (uint8_t)~id.bytes[k];
        }
    }
    for (int k = 0; k < 16; k++) {
        uint8_t fixed = k == 6 ? 0xf0 : k == 8 ? 0xc0 : 0;
        ck_assert_uint_eq(ones[k] | fixed, 0xff);
        ck_assert_uint_eq(zeros[k] | fixed, 0xff);
    }
}

TEST(ids_of_many_threads_are_distinct)
{
    static struct id ids[THREADS * IDS_PER_THREAD];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, mint_many, ids + (size_t)i * IDS_PER_THREAD), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_distinct(ids, THREADS * IDS_PER_THREAD);
}

TEST(a_forked_child_does_not_repeat_its_parents_ids)
{
    (void)id_random(); /* the pool is filled before the fork */
    struct id ids[20];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        for (int i = 0; i < 10; i++)
            ids[i] = id_random();
        _exit(write(ends[1], ids, 10 * sizeof(*ids)) == 10 * (ssize_t)sizeof(*ids) ? 0 : 1);
    }
    for (int i = 0; i < 10; i++)
        ids[i] = id_random();
    ck_assert_int_eq(read(ends[0], ids + 10, 10 * sizeof(*ids)), 10 * (ssize_t)sizeof(*ids));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    assert_distinct(ids, 20);
    close(ends[0]);
    close(ends[1]);
}

/* Invariant 9. */
TEST(the_id_clock_follows_the_wall_clock_and_never_falls_below_its_floor)
{
    int64_t before = clock_wall_ms();
    int64_t now = id_clock_ms();
    ck_assert_int_ge(now, before);
    ck_assert_int_le(now, clock_wall_ms());

    int64_t future = now + 3600000;
    id_clock_floor(future);
    ck_assert_int_eq(id_clock_ms(), future);
    id_clock_floor(now);
    ck_assert_int_eq(id_clock_ms(), future);
    struct id id = id_ordered();
    ck_assert_int_eq(id_time_ms(&id), future);
}

TEST(a_run_number_and_its_id_convert_into_each_other)
{
    const int64_t numbers[] = {
        0, 1, 0xfff, 0x1000, (1795431108123 << 12) | 0xabc, (INT64_C(1) << 60) - 1};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint64_t random = id_random_bits();
        ck_assert_uint_eq(random >> 62, 0);
        struct id id = id_from_run_number(numbers[i], random);
        ck_assert_int_eq(id_run_number(&id), numbers[i]);
        ck_assert_uint_eq(id_run_random(&id), random);
        ck_assert_int_eq(id_time_ms(&id), numbers[i] >> 12);
    }
}

TEST(the_layout_of_a_run_id_is_fixed)
{
    /* Stored ids must keep their meaning forever. */
    struct id id = id_from_run_number((INT64_C(0x0198aabbccdd) << 12) | 0x123, 0x3edcba9876543210);
    char text[ID_TEXT_BYTES];
    ck_assert_str_eq(id_format(&id, text), "0198aabb-ccdd-7123-bedc-ba9876543210");
}

TEST(run_ids_sort_like_their_numbers)
{
    struct id last = id_from_run_number(4095, UINT64_MAX);
    struct id next = id_from_run_number(4096, 0);
    char a[ID_TEXT_BYTES], b[ID_TEXT_BYTES];
    ck_assert_str_lt(id_format(&last, a), id_format(&next, b));
}

TEST(an_id_is_read_back_in_either_case)
{
    struct id id = id_random(), parsed;
    char text[ID_TEXT_BYTES];
    ck_assert_int_eq(id_parse(id_format(&id, text), &parsed), 0);
    ck_assert(id_equal(&id, &parsed));
    ck_assert_int_eq(id_parse("ABCDEF01-2345-6789-ABCD-EF0123456789", &parsed), 0);
    ck_assert_str_eq(id_format(&parsed, text), "abcdef01-2345-6789-abcd-ef0123456789");
    ck_assert(id_looks_like(text));
    ck_assert(!id_is_zero(&parsed));
    ck_assert_int_eq(id_parse("00000000-0000-0000-0000-000000000000", &parsed), 0);
    ck_assert(id_is_zero(&parsed));
}

TEST(invalid_ids_are_refused)
{
    static const char *const texts[] = {
        "",
        "x",
        "abcdef01-2345-6789-abcd-ef012345678",
        "abcdef01-2345-6789-abcd-ef01234567890",
        "abcdef0102345-6789-abcd-ef0123456789",
        "abcdef01-2345-6789-abcd-ef012345678g",
        "{abcdef01-2345-6789-abcd-ef0123456789}",
        "abcdef01234567890abcdef0123456789000",
        " bcdef01-2345-6789-abcd-ef0123456789",
        "abcdef01-2345-6789-abcd-ef012345678\n",
        "abcdef0--2345-6789-abcd-ef0123456789",
    };
    struct id id = id_random(), before = id;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_msg(id_parse(texts[i], &id) == -1, "accepted: %s", texts[i]);
        ck_assert(!id_looks_like(texts[i]));
        ck_assert(id_equal(&id, &before));
    }
}

TEST(prefix_must_match_the_form_of_an_id_up_to_its_length)
{
    static const char id[] = "abcdef01-2345-6789-ABCD-EF0123456789";
    char prefix[ID_TEXT_BYTES] = "";
    for (size_t chars = 0; chars < ID_TEXT_BYTES - 1; chars++) {
        ck_assert_msg(id_is_prefix(prefix), "%s", prefix);
        prefix[chars] = 'g';
        ck_assert_msg(!id_is_prefix(prefix), "%s", prefix);
        prefix[chars] = id[chars] == '-' ? '0' : '-';
        ck_assert_msg(!id_is_prefix(prefix), "%s", prefix);
        prefix[chars] = id[chars];
    }
    ck_assert(id_is_prefix(id));
    ck_assert(!id_is_prefix("abcdef01-2345-6789-abcd-ef01234567890"));
}
