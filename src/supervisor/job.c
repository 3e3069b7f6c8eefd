/* The job's written form: see supervisor/job.h. Called by the runner on its thread, by
 * runner/isolation for a trial on any thread, and by webhookd-vessel.
 *
 * A job is the format's number and then each field in the order of the struct: a number is 8 bytes,
 * little-endian; a text is its length as a number and then its bytes; a list is its count as a
 * number and then its members. It must end where its last field ends. The reader trusts none of
 * it. */
#include "supervisor/job.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NUMBER_BYTES = 8 };

/* ---- writing a job ---- */

static void put_number(struct buffer *into, uint64_t number)
{
    unsigned char bytes[NUMBER_BYTES];
    for (int i = 0; i < NUMBER_BYTES; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    (void)buffer_append(into, bytes, sizeof(bytes)); /* the buffer keeps a failure */
}

static void put_text(struct buffer *into, const char *text)
{
    size_t bytes = strlen(text);
    put_number(into, bytes);
    (void)buffer_append(into, text, bytes);
}

static void put_texts(struct buffer *into, char *const *texts, size_t count)
{
    put_number(into, count);
    for (size_t i = 0; i < count; i++)
        put_text(into, texts[i]);
}

int job_write(const struct job *job, struct buffer *into)
{
    put_number(into, JOB_FORMAT);
    put_text(into, job->vessel_run_id);
    put_text(into, job->workdir);
    put_number(into, job->is_strict ? 1 : 0);
    put_number(into, job->network ? 1 : 0);
    put_texts(into, job->readable, job->readable_count);
    put_texts(into, job->writable, job->writable_count);
    put_number(into, (uint64_t)job->max_memory_bytes);
    put_number(into, (uint64_t)job->max_processes);
    put_number(into, (uint64_t)job->max_open_files);
    put_text(into, job->hidden_dir);
    put_text(into, job->interpreter);
    put_text(into, job->search_path);
    put_text(into, job->file_name);
    put_text(into, job->file_content);
    put_text(into, job->modules_dir);
    put_text(into, job->file_to_run);
    put_texts(into, job->arguments, job->argument_count);
    put_texts(into, job->environment, job->environment_count);
    put_number(into, job->change_user ? 1 : 0);
    put_number(into, job->uid);
    put_number(into, job->gid);
    put_number(into, job->group_count);
    for (size_t i = 0; i < job->group_count; i++)
        put_number(into, job->groups[i]);
    put_text(into, job->user);
    put_number(into, (uint64_t)(int64_t)job->nice);
    put_number(into, (uint64_t)job->cutoff_ms);
    put_number(into, (uint64_t)job->stop_grace_ms);
    put_number(into, (uint64_t)job->max_output_bytes);
    return into->failed ? -1 : 0;
}

/* ---- reading a job ---- */

struct reader {
    const unsigned char *at;
    size_t left;
    bool failed; /* once set, every number reads as 0 and every text as "" */
};

static uint64_t take_number(struct reader *reader)
{
    if (reader->failed || reader->left < NUMBER_BYTES) {
        reader->failed = true;
        return 0;
    }
    uint64_t number = 0;
    for (int i = 0; i < NUMBER_BYTES; i++)
        number |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += NUMBER_BYTES;
    reader->left -= NUMBER_BYTES;
    return number;
}

static int64_t take_number_between(struct reader *reader, int64_t least, int64_t most)
{
    int64_t number = (int64_t)take_number(reader);
    if (number < least || number > most) {
        reader->failed = true;
        return least;
    }
    return number;
}

static char *take_text(struct reader *reader)
{
    uint64_t bytes = take_number(reader);
    if (bytes > reader->left || (bytes > 0 && memchr(reader->at, '\0', (size_t)bytes)))
        reader->failed = true;
    if (reader->failed)
        return memory_string("");
    char *text = memory_string_n((const char *)reader->at, (size_t)bytes);
    reader->at += bytes;
    reader->left -= (size_t)bytes;
    return text;
}

/* Takes the count of a list. No member is shorter than a number, so no count can demand an array
 * longer than the job. */
static size_t take_count(struct reader *reader)
{
    return (size_t)take_number_between(reader, 0, (int64_t)(reader->left / NUMBER_BYTES));
}

static char **take_texts(struct reader *reader, size_t *count)
{
    *count = take_count(reader);
    char **texts = memory_alloc((*count + 1) * sizeof(*texts)); /* ends with NULL, for exec */
    for (size_t i = 0; i < *count; i++)
        texts[i] = take_text(reader);
    return texts;
}

static void take_job(struct reader *reader, struct job *job)
{
    job->vessel_run_id = take_text(reader);
    job->workdir = take_text(reader);
    job->is_strict = take_number_between(reader, 0, 1) == 1;
    job->network = take_number_between(reader, 0, 1) == 1;
    job->readable = take_texts(reader, &job->readable_count);
    job->writable = take_texts(reader, &job->writable_count);
    job->max_memory_bytes = take_number_between(reader, 0, INT64_MAX / 2);
    job->max_processes = take_number_between(reader, 0, INT32_MAX);
    job->max_open_files = take_number_between(reader, 0, INT32_MAX);
    job->hidden_dir = take_text(reader);
    job->interpreter = take_text(reader);
    job->search_path = take_text(reader);
    job->file_name = take_text(reader);
    job->file_content = take_text(reader);
    job->modules_dir = take_text(reader);
    job->file_to_run = take_text(reader);
    job->arguments = take_texts(reader, &job->argument_count);
    job->environment = take_texts(reader, &job->environment_count);
    job->change_user = take_number_between(reader, 0, 1) == 1;
    /* To the system calls, the highest number means "no change". */
    job->uid = (uint32_t)take_number_between(reader, 0, UINT32_MAX - 1);
    job->gid = (uint32_t)take_number_between(reader, 0, UINT32_MAX - 1);
    job->group_count = take_count(reader);
    job->groups = memory_alloc(job->group_count * sizeof(*job->groups));
    for (size_t i = 0; i < job->group_count; i++)
        job->groups[i] = (uint32_t)take_number_between(reader, 0, UINT32_MAX - 1);
    job->user = take_text(reader);
    job->nice = (int32_t)take_number_between(reader, -40, 40);
    /* The bounds are far beyond any sensible setting, and safe to add to a clock. */
    job->cutoff_ms = take_number_between(reader, 0, INT32_MAX * (int64_t)1000);
    job->stop_grace_ms = take_number_between(reader, 0, INT32_MAX * (int64_t)1000);
    job->max_output_bytes = take_number_between(reader, 0, INT64_MAX / 2);
}

/* Whether the text is one component of a path: not empty, not "." and not "..". */
static bool is_component(const char *text, size_t bytes)
{
    if (bytes == 0 || bytes > NAME_MAX)
        return false;
    return text[0] != '.' || (bytes != 1 && (bytes != 2 || text[1] != '.'));
}

static bool is_relative_path(const char *text)
{
    for (;;) {
        size_t bytes = strcspn(text, "/");
        if (!is_component(text, bytes))
            return false;
        if (text[bytes] == '\0')
            return true;
        text += bytes + 1;
    }
}

static bool are_absolute(char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (paths[i][0] != '/')
            return false;
    return true;
}

/* Checks what the supervisor relies on when it builds paths, argv and the environment. Returns the
 * first fault, or NULL. */
static const char *find_fault(const struct job *job)
{
    if (strchr(job->vessel_run_id, '/') || !is_relative_path(job->vessel_run_id) ||
        strlen(job->vessel_run_id) > 64)
        return "its vessel run's id is not an id";
    if (job->workdir[0] != '/')
        return "its working folder is not an absolute path";
    if (job->hidden_dir[0] != '\0' && job->hidden_dir[0] != '/')
        return "its hidden folder is not an absolute path";
    if (job->modules_dir[0] != '\0' && job->modules_dir[0] != '/')
        return "its folder of modules is not an absolute path";
    if (!are_absolute(job->readable, job->readable_count) ||
        !are_absolute(job->writable, job->writable_count))
        return "a readable or writable path is not absolute";
    if (job->interpreter[0] == '\0')
        return "it names no interpreter";
    if (!is_relative_path(job->file_name) || !is_relative_path(job->file_to_run))
        return "its file's name leads out of its folder";
    for (size_t i = 0; i < job->environment_count; i++) {
        const char *equals = strchr(job->environment[i], '=');
        if (!equals || equals == job->environment[i])
            return "its environment has an entry without a name";
    }
    return NULL;
}

int job_read(const void *data, size_t bytes, struct job *job, struct error *error)
{
    struct reader reader = {.at = data, .left = bytes};
    *job = (struct job){0};
    uint64_t format = take_number(&reader);
    if (!reader.failed && format != JOB_FORMAT)
        return error_set(
            error, ERROR_CONFLICT,
            "webhookd-vessel reads jobs of format %d, but webhookd writes format %llu: "
            "install both programs of one version, and restart webhookd",
            JOB_FORMAT, (unsigned long long)format);
    take_job(&reader, job);
    const char *fault = reader.failed || reader.left > 0 ? "it is damaged" : find_fault(job);
    if (!fault)
        return 0;
    job_free(job);
    return error_set(error, ERROR_INVALID, "invalid job: %s", fault);
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void job_free(struct job *job)
{
    free(job->vessel_run_id);
    free(job->workdir);
    free_texts(job->readable, job->readable_count);
    free_texts(job->writable, job->writable_count);
    free(job->hidden_dir);
    free(job->interpreter);
    free(job->search_path);
    free(job->file_name);
    free(job->file_content);
    free(job->modules_dir);
    free(job->file_to_run);
    free_texts(job->arguments, job->argument_count);
    free_texts(job->environment, job->environment_count);
    free(job->groups);
    free(job->user);
    *job = (struct job){0};
}
