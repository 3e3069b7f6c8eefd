/* See turns.h. */
#include "bench/turns.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* One of the two that are measured against each other. */
struct contender {
    const struct side *side;
    struct bench bench;
    struct samples values;
};

static void begin(struct contender *contender)
{
    if (contender->side->begin)
        contender->side->begin(&contender->bench);
}

static void end(struct contender *contender)
{
    if (contender->side->end)
        contender->side->end(&contender->bench);
}

static void measure(struct contender *contender)
{
    const struct side *side = contender->side;
    samples_add(&contender->values, side->measure ? side->measure(&contender->bench) : side->bound);
}

static double last(const struct contender *contender)
{
    return contender->values.values[contender->values.count - 1];
}

static int digits(double value)
{
    return value < 100 ? 2 : 0;
}

static void take_turns(const struct turns *turns, struct contender contenders[SIDES],
                       struct samples *ratios)
{
    for (int turn = 0; turn < turns->count; turn++) {
        int first = turn % 2 == 0 ? OURS : THEIRS; /* so that drift hits both sides alike */
        measure(&contenders[first]);
        measure(&contenders[!first]);
        samples_add(ratios, last(&contenders[OURS]) / last(&contenders[THEIRS]));
    }
}

/* ---- results ---- */

static void print_target(const struct row *row, struct samples *ratios)
{
    double ratio = samples_quantile(ratios, 0.5);
    bool reached = row->at_least ? ratio >= row->target : ratio <= row->target;
    printf("    ratio %.2f (%.2f to %.2f), target at %s %.2f: %s\n", ratio,
           samples_quantile(ratios, 0), samples_quantile(ratios, 1),
           row->at_least ? "least" : "most", row->target, reached ? "reached" : "missed");
}

static void print_result(struct contender contenders[SIDES], struct samples *ratios)
{
    const struct row *row = contenders[OURS].bench.row;
    double ours = samples_quantile(&contenders[OURS].values, 0.5),
           theirs = samples_quantile(&contenders[THEIRS].values, 0.5);
    printf("    %s %.*f%s, %s %.*f%s\n", contenders[OURS].side->name, digits(theirs), ours,
           row->unit, contenders[THEIRS].side->name, digits(theirs), theirs, row->unit);
    print_target(row, ratios);
    fflush(stdout);
}

/* ---- a row ---- */

static void set_up(struct contender *contender, const struct turns *turns, const struct row *row,
                   const char *folder, int which)
{
    *contender = (struct contender){.side = row->sides[which],
                                    .bench = {.row = row, .measured_us = turns->measured_us}};
    struct bench *bench = &contender->bench;
    snprintf(bench->folder, sizeof(bench->folder), "%.240s/%d", folder, which);
    ck_assert_msg(mkdir(bench->folder, 0755) == 0, "cannot create %s: %s", bench->folder,
                  strerror(errno));
}

void turns_run(const struct turns *turns, const struct row *row, const char *folder)
{
    struct contender contenders[SIDES];
    struct samples ratios = SAMPLES_INIT;
    for (int which = 0; which < SIDES; which++) {
        set_up(&contenders[which], turns, row, folder, which);
        begin(&contenders[which]);
    }
    take_turns(turns, contenders, &ratios);
    print_result(contenders, &ratios);
    for (int which = 0; which < SIDES; which++) {
        end(&contenders[which]);
        samples_free(&contenders[which].values);
    }
    samples_free(&ratios);
}
