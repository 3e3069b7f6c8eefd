/* Reading runs: lists and single runs. Called on any connection's thread. run_details.c reads the
 * details of a run.
 *
 * A list merges several streams. Open and ended runs are in two tables, and the index of a fleet's
 * ended runs holds one sequence per final status. Each of these streams is sorted by number: newest
 * first, or oldest first for the runs after another one. So the cost of a page normally depends on
 * its length only. A filter by trigger, or one fleet's scheduled runs among very many, can cost
 * more: store_set_deadline bounds it. */
#include "store/sqlite/connection.h"

#include <assert.h>
#include <string.h>

#include "base/hex.h"

/* `s` is the run's row in run_open or run_ended. */
#define RUN_SELECT(ended)                                                                          \
    "SELECT r.no, r.id_random, f.id, p.id, o.id, f.name, p.name, o.name, r.version, "              \
    "r.\"trigger\", s.status, r.request_id, r.event, r.remote_addr, r.host, r.query, "             \
    "r.body_place, r.body_bytes, r.body_sha256, r.arrived_ms, s.started_ms, " ended " FROM "
#define RUN_JOIN                                                                                   \
    "CROSS JOIN run r ON r.no = s.no CROSS JOIN fleet f ON f.no = r.fleet_no "                     \
    "CROSS JOIN project p ON p.no = f.project_no CROSS JOIN org o ON o.no = p.org_no "
#define RUN_RANGE "WHERE s.no >= ?1 AND s.no < ?2 AND (?3 < 0 OR s.\"trigger\" = ?3) "

static const uint8_t *column_hash(sqlite3_stmt *s, int place)
{
    static const uint8_t none[SECRET_HASH_BYTES];
    const uint8_t *hash = sqlite3_column_blob(s, place);
    return hash && sqlite3_column_bytes(s, place) == SECRET_HASH_BYTES ? hash : none;
}

static struct run_row read_row(sqlite3_stmt *s)
{
    int64_t number = column_int(s, 0);
    return (struct run_row){.id = id_from_run_number(number, (uint64_t)column_int(s, 1)),
                            .fleet_id = column_id(s, 2),
                            .project_id = column_id(s, 3),
                            .org_id = column_id(s, 4),
                            .fleet_name = column_text(s, 5),
                            .project_name = column_text(s, 6),
                            .org_name = column_text(s, 7),
                            .fleet_version = (int)column_int(s, 8),
                            .trigger = (enum run_trigger)column_int(s, 9),
                            .status = (enum run_status)column_int(s, 10),
                            .request_id = column_id(s, 11),
                            .event = column_text(s, 12),
                            .remote_addr = column_text(s, 13),
                            .host = column_text(s, 14),
                            .query = column_text(s, 15),
                            .body_place = (enum body_place)column_int(s, 16),
                            .body_bytes = column_int(s, 17),
                            .body_sha256 = column_hash(s, 18),
                            .created_ms = column_int(s, 19),
                            .started_ms = column_int(s, 20),
                            .ended_ms = column_int(s, 21)};
}

/* ---- The range of numbers that a filter allows ---- */

struct range {
    int64_t from, below; /* from <= number < below */
};

static void narrow(struct range *range, int64_t from, int64_t below)
{
    if (from > range->from)
        range->from = from;
    if (below < range->below)
        range->below = below;
}

/* Narrows the range to the numbers whose ids can begin with the prefix. An id's hex digits are 12
 * of milliseconds, the version, 3 of the counter, and a rest that the caller must compare. An
 * impossible prefix leaves an empty range. */
static void narrow_by_prefix(struct range *range, const char *prefix)
{
    int64_t low = 0, high = 0;
    int digits = 0;
    for (size_t i = 0; prefix[i] != '\0'; i++) {
        bool dash_place = i == 8 || i == 13 || i == 18 || i == 23;
        int digit = hex_digit(prefix[i]);
        if (i >= ID_TEXT_BYTES - 1 || dash_place != (prefix[i] == '-') ||
            (!dash_place && digit < 0) || (digits == 12 && !dash_place && digit != 7)) {
            range->below = range->from;
            return;
        }
        if (dash_place)
            continue;
        if (digits < 16 && digits != 12) {
            low = low << 4 | digit;
            high = low;
        }
        digits++;
    }
    /* A number has 15 digits; those that the prefix lacks may have any value. */
    int known = digits <= 12 ? digits : digits >= 16 ? 15 : digits - 1;
    int open_bits = 4 * (15 - known);
    low <<= open_bits;
    high = high << open_bits | (int64_t)((UINT64_C(1) << open_bits) - 1);
    narrow(range, low, high + 1);
}

/* Scans from the request's time on and stops at its run, which normally is milliseconds away. */
static int narrow_by_request(struct store *store, struct range *range, const struct id *request_id,
                             struct error *error)
{
    int64_t from = id_time_ms(request_id) << 12;
    static struct statement find = {
        .sql = "SELECT no FROM run WHERE no >= ?1 AND no < ?2 AND request_id = ?3 "
               "ORDER BY no LIMIT 1"};
    sqlite3_stmt *s = statement_begin(store, &find, error, from,
                                      from + ((int64_t)REQUEST_RANGE_MS << 12), request_id);
    int64_t number = 0;
    int found = statement_find(store, s, "look for a request", &number, error);
    if (found > 0)
        narrow(range, number, number + 1);
    else
        range->below = range->from;
    return found < 0 ? -1 : 0;
}

static int range_of(struct store *store, const struct run_filter *filter, struct range *range,
                    struct error *error)
{
    *range = (struct range){0, INT64_MAX};
    if (filter->before)
        narrow(range, 0, id_run_number(filter->before));
    if (filter->after)
        narrow(range, id_run_number(filter->after) + 1, INT64_MAX);
    if (filter->since_ms > 0)
        narrow(range, filter->since_ms > INT64_MAX >> 12 ? INT64_MAX : filter->since_ms << 12,
               INT64_MAX);
    if (filter->id_prefix)
        narrow_by_prefix(range, filter->id_prefix);
    if (filter->request_id)
        return narrow_by_request(store, range, filter->request_id, error);
    return 0;
}

/* ---- Streams ---- */

#define STREAMS_MAX 4

struct stream {
    sqlite3_stmt *statement;
    int64_t number; /* of the current row; -1 at the end */
};

enum direction { NEWEST_FIRST, OLDEST_FIRST };

struct listing {
    struct stream streams[STREAMS_MAX];
    int count;
    const struct run_filter *filter;
    enum direction direction;
    struct range range;
    int64_t fleet_no;
    int64_t status, trigger; /* those of the filter; -1 = any */
};

static int advance(struct store *store, struct stream *stream, struct error *error)
{
    bool found = statement_step(store, stream->statement, "list runs", error);
    stream->number = found ? column_int(stream->statement, 0) : -1;
    return error_is_set(error) ? -1 : 0;
}

static int add_stream(struct store *store, struct listing *listing, sqlite3_stmt *s,
                      struct error *error)
{
    if (!s)
        return -1;
    assert(listing->count < STREAMS_MAX);
    struct stream *stream = &listing->streams[listing->count++];
    stream->statement = s;
    return advance(store, stream, error);
}

/* A query's statements, by direction. */
#define BOTH_WAYS(query, limit)                                                                    \
    {                                                                                              \
        [NEWEST_FIRST] = {.sql = query "ORDER BY s.no DESC " limit},                               \
        [OLDEST_FIRST] = {.sql = query "ORDER BY s.no " limit},                                    \
    }

#define RUNNING                                                                                    \
    RUN_SELECT("0")                                                                                \
    "run_open s INDEXED BY run_open_running " RUN_JOIN RUN_RANGE                                   \
    "AND s.status = 1 AND (?4 = 0 OR s.fleet_no = ?4) "
#define OPEN                                                                                       \
    RUN_SELECT("0") "run_open s NOT INDEXED " RUN_JOIN RUN_RANGE "AND (?4 < 0 OR s.status = ?4) "

static int add_open(struct store *store, struct listing *listing, struct error *error)
{
    static struct statement running[] = BOTH_WAYS(RUNNING, "");
    static struct statement all[] = BOTH_WAYS(OPEN, "");
    static struct statement of_fleet[] = BOTH_WAYS(
        OPEN "AND s.fleet_no = ?5 ", "LIMIT (SELECT open FROM fleet_load WHERE fleet_no = ?5)");
    const struct range *range = &listing->range;
    enum direction direction = listing->direction;
    sqlite3_stmt *s;
    if (listing->status == RUN_RUNNING)
        s = statement_begin(store, &running[direction], error, range->from, range->below,
                            listing->trigger, listing->fleet_no);
    else if (listing->fleet_no != 0)
        s = statement_begin(store, &of_fleet[direction], error, range->from, range->below,
                            listing->trigger, listing->status, listing->fleet_no);
    else
        s = statement_begin(store, &all[direction], error, range->from, range->below,
                            listing->trigger, listing->status);
    return add_stream(store, listing, s, error);
}

#define ENDED(index) RUN_SELECT("s.ended_ms") "run_ended s " index " " RUN_JOIN RUN_RANGE
#define ENDED_OF_FLEET                                                                             \
    BOTH_WAYS(ENDED("INDEXED BY run_ended_fleet") "AND s.status = ?4 AND s.fleet_no = ?5 ", "")

/* Adds one fleet's ended runs. Each final status has statements of its own, because all three are
 * open at the same time. */
static int add_ended_of_fleet(struct store *store, struct listing *listing, struct error *error)
{
    static struct statement by_status[][2] = {[RUN_SUCCESS] = ENDED_OF_FLEET,
                                              [RUN_ERRORED] = ENDED_OF_FLEET,
                                              [RUN_TERMINATED] = ENDED_OF_FLEET};
    for (int status = RUN_SUCCESS; status <= RUN_TERMINATED; status++) {
        if (listing->status >= 0 && listing->status != status)
            continue;
        sqlite3_stmt *s = statement_begin(store, &by_status[status][listing->direction], error,
                                          listing->range.from, listing->range.below,
                                          listing->trigger, status, listing->fleet_no);
        if (add_stream(store, listing, s, error) != 0)
            return -1;
    }
    return 0;
}

static int add_ended(struct store *store, struct listing *listing, struct error *error)
{
    static struct statement all[] = BOTH_WAYS(ENDED("NOT INDEXED"), "");
    static struct statement of_status[] =
        BOTH_WAYS(ENDED("INDEXED BY run_ended_status") "AND s.status = ?4 ", "");
    const struct range *range = &listing->range;
    if (listing->fleet_no != 0)
        return add_ended_of_fleet(store, listing, error);
    sqlite3_stmt *s;
    if (listing->status < 0)
        s = statement_begin(store, &all[listing->direction], error, range->from, range->below,
                            listing->trigger);
    else
        s = statement_begin(store, &of_status[listing->direction], error, range->from, range->below,
                            listing->trigger, listing->status);
    return add_stream(store, listing, s, error);
}

/* Returns the stream whose run is the next of the list; NULL at the end. */
static struct stream *next_stream(struct listing *listing)
{
    struct stream *best = NULL;
    for (int i = 0; i < listing->count; i++) {
        struct stream *stream = &listing->streams[i];
        if (stream->number < 0)
            continue;
        bool is_newer = best && stream->number > best->number;
        if (!best || is_newer == (listing->direction == NEWEST_FIRST))
            best = stream;
    }
    return best;
}

/* Checks the conditions that the range of numbers only approximates. */
static bool passes(const struct run_row *row, const struct run_filter *filter)
{
    if (row->created_ms < filter->since_ms)
        return false;
    if (!filter->id_prefix)
        return true;
    char text[ID_TEXT_BYTES];
    id_format(&row->id, text);
    return strncmp(text, filter->id_prefix, strlen(filter->id_prefix)) == 0;
}

static int merge(struct store *store, struct listing *listing,
                 int (*each)(void *, const struct run_row *), void *context, struct error *error)
{
    int left = listing->filter->limit;
    struct stream *stream;
    while (left > 0 && (stream = next_stream(listing))) {
        struct run_row row = read_row(stream->statement);
        if (passes(&row, listing->filter)) {
            left--;
            if (each(context, &row) != 0)
                return 0;
        }
        if (left > 0 && advance(store, stream, error) != 0)
            return -1;
    }
    return 0;
}

int sqlite_list_runs(struct store *store, const struct run_filter *filter,
                     int (*each)(void *, const struct run_row *), void *context,
                     struct error *error)
{
    struct listing listing = {.filter = filter,
                              .direction = filter->after ? OLDEST_FIRST : NEWEST_FIRST,
                              .status = filter->has_status ? (int64_t)filter->status : -1,
                              .trigger = filter->has_trigger ? (int64_t)filter->trigger : -1};
    if ((filter->fleet_id && fleets_find(store, filter->fleet_id, &listing.fleet_no, error) != 0) ||
        range_of(store, filter, &listing.range, error) != 0)
        return -1;
    if (listing.range.from >= listing.range.below)
        return 0;
    bool open = !filter->has_status || !run_status_has_ended(filter->status);
    bool ended = !filter->has_status || run_status_has_ended(filter->status);
    int result = 0;
    if ((open && add_open(store, &listing, error) != 0) ||
        (ended && add_ended(store, &listing, error) != 0) ||
        merge(store, &listing, each, context, error) != 0)
        result = -1;
    for (int i = 0; i < listing.count; i++)
        statement_end(listing.streams[i].statement);
    return result;
}

/* ---- One run ---- */

int runs_find(struct store *store, const struct id *run_id, int64_t *number, struct error *error)
{
    static struct statement find = {.sql = "SELECT id_random FROM run WHERE no = ?1"};
    int64_t random = 0;
    *number = id_run_number(run_id);
    sqlite3_stmt *s = statement_begin(store, &find, error, *number);
    int found = statement_find(store, s, "find a run", &random, error);
    /* The whole id is compared, including its version and variant. */
    struct id id = id_from_run_number(*number, (uint64_t)random);
    if (found > 0 && id_equal(&id, run_id))
        return 0;
    char text[ID_TEXT_BYTES];
    return error_set(error, ERROR_NOT_FOUND, "there is no fleet run %s", id_format(run_id, text));
}

int sqlite_get_run(struct store *store, const struct id *run_id,
                   int (*each)(void *, const struct run_row *), void *context, struct error *error)
{
    int64_t number = 0;
    if (runs_find(store, run_id, &number, error) != 0)
        return -1;
    static struct statement get = {
        .sql = RUN_SELECT("s.ended_ms") "(SELECT no, status, started_ms, 0 AS ended_ms FROM "
                                        "run_open WHERE no = ?1 "
                                        "UNION ALL SELECT no, status, started_ms, ended_ms "
                                        "FROM run_ended WHERE no = ?1) s " RUN_JOIN};
    sqlite3_stmt *s = statement_begin(store, &get, error, number);
    bool found = statement_step(store, s, "read a run", error);
    if (found) {
        struct run_row row = read_row(s);
        each(context, &row);
    }
    statement_end(s);
    char text[ID_TEXT_BYTES];
    return found ? 0
                 : error_set(error, ERROR_INTERNAL, "fleet run %s is neither open nor ended",
                             id_format(run_id, text));
}
