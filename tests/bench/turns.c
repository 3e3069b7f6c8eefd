/* See turns.h.
 *
 * A row's own two sides begin once and are measured once per turn. When builds are compared, both
 * sides are webhookd, and each measurement starts a new process with an empty store. So all turns
 * are alike, and none depends on the process, memory layout or files of an earlier one. */
#include "bench/turns.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One of the two sides that are measured against each other. */
struct contender {
    const char *name;
    const struct side *side;
    const char *build; /* the folder of its programs */
    bool anew;         /* begins and ends in each turn */
    struct bench bench;
    struct samples values;
};

static void begin(struct contender *contender)
{
    setenv("BUILD", contender->build, 1); /* support/daemon.h finds the programs there */
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
    if (contender->anew) {
        sync(); /* what the other side left to write must not count here */
        begin(contender);
    }
    samples_add(&contender->values, side->measure ? side->measure(&contender->bench) : side->bound);
    if (contender->anew)
        end(contender);
}

static double last(const struct contender *contender)
{
    return contender->values.values[contender->values.count - 1];
}

static int digits(double value)
{
    return value < 100 ? 2 : 0;
}

/* Prints to standard error, so that standard output holds only the results. */
static void print_progress(const struct turns *turns, int turn,
                           const struct contender contenders[SIDES])
{
    const char *unit = contenders[OURS].bench.row->unit;
    double ours = last(&contenders[OURS]), theirs = last(&contenders[THEIRS]);
    fprintf(stderr, "    turn %d of %d: %.*f%s, %.*f%s, ratio %.3f\n", turn + 1, turns->count,
            digits(ours), ours, unit, digits(theirs), theirs, unit, ours / theirs);
}

static void take_turns(const struct turns *turns, struct contender contenders[SIDES],
                       struct samples *ratios)
{
    for (int turn = 0; turn < turns->count; turn++) {
        int first = turn % 2 == 0 ? OURS : THEIRS; /* so that drift affects both sides alike */
        measure(&contenders[first]);
        measure(&contenders[!first]);
        samples_add(ratios, last(&contenders[OURS]) / last(&contenders[THEIRS]));
        if (turns->compared)
            print_progress(turns, turn, contenders);
    }
}

/* ---- results ---- */

/* Whether a build is compared with itself: the ratio should be 1, and its range is noise. */
static bool is_itself(const struct turns *turns)
{
    return strcmp(turns->builds[OURS], turns->builds[THEIRS]) == 0;
}

static void print_target(const struct row *row, struct samples *ratios)
{
    double ratio = samples_quantile(ratios, 0.5);
    bool reached = row->at_least ? ratio >= row->target : ratio <= row->target;
    printf("    ratio %.2f (%.2f to %.2f), target at %s %.2f: %s\n", ratio,
           samples_quantile(ratios, 0), samples_quantile(ratios, 1),
           row->at_least ? "least" : "most", row->target, reached ? "reached" : "missed");
}

static void print_comparison(const struct turns *turns, struct samples *ratios)
{
    printf("    ratio %.3f, %s %.3f to %.3f, %d turn%s\n", samples_quantile(ratios, 0.5),
           is_itself(turns) ? "noise" : "range", samples_quantile(ratios, 0),
           samples_quantile(ratios, 1), turns->count, turns->count == 1 ? "" : "s");
}

static void print_result(const struct turns *turns, struct contender contenders[SIDES],
                         struct samples *ratios)
{
    const struct row *row = contenders[OURS].bench.row;
    double ours = samples_quantile(&contenders[OURS].values, 0.5),
           theirs = samples_quantile(&contenders[THEIRS].values, 0.5);
    printf("    %s %.*f%s, %s %.*f%s\n", contenders[OURS].name, digits(theirs), ours, row->unit,
           contenders[THEIRS].name, digits(theirs), theirs, row->unit);
    if (turns->compared)
        print_comparison(turns, ratios);
    else
        print_target(row, ratios);
    fflush(stdout);
}

/* ---- a row ---- */

static const char *build_name(const struct turns *turns, int which)
{
    if (which == OURS)
        return "this build";
    return is_itself(turns) ? "itself" : "the other";
}

/* Sides that begin again in each turn never run at the same time, so they share a folder: its place
 * on the disk favours neither. */
static void choose_folder(struct contender *contender, const char *folder, int which)
{
    struct bench *bench = &contender->bench;
    if (contender->anew) {
        snprintf(bench->folder, sizeof(bench->folder), "%s", folder);
        return;
    }
    snprintf(bench->folder, sizeof(bench->folder), "%.240s/%d", folder, which);
    ck_assert_msg(mkdir(bench->folder, 0755) == 0, "cannot create %s: %s", bench->folder,
                  strerror(errno));
}

static void set_up(struct contender *contender, const struct turns *turns, const struct row *row,
                   const char *folder, int which)
{
    const struct side *side = row->sides[turns->compared ? OURS : which];
    *contender = (struct contender){.name = turns->compared ? build_name(turns, which) : side->name,
                                    .side = side,
                                    .build = turns->builds[which],
                                    .anew = turns->compared,
                                    .bench = {.row = row, .measured_us = turns->measured_us}};
    choose_folder(contender, folder, which);
}

void turns_run(const struct turns *turns, const struct row *row, const char *folder)
{
    struct contender contenders[SIDES];
    struct samples ratios = SAMPLES_INIT;
    for (int which = 0; which < SIDES; which++) {
        set_up(&contenders[which], turns, row, folder, which);
        if (!contenders[which].anew)
            begin(&contenders[which]);
    }
    take_turns(turns, contenders, &ratios);
    print_result(turns, contenders, &ratios);
    for (int which = 0; which < SIDES; which++) {
        if (!contenders[which].anew)
            end(&contenders[which]);
        samples_free(&contenders[which].values);
    }
    samples_free(&ratios);
}
