/* The spooler: one thread that writes and syncs large bodies, piece by piece, for suspended
 * requests. webhookd/daemon.c starts and stops it as one of its layers. Hook workers hand bodies
 * over to it and never wait for it. The functions for callers that may block run on the caller's
 * thread. */
#include "queue/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "queue/spool_sweep.h"

#define FOLDER "spool"
/* The kernel is told to start write-back this often, so that no sync has much left to do. */
#define FLUSH_BYTES (1 << 20)

enum spool_work { SPOOL_APPEND, SPOOL_FINISH, SPOOL_DISCARD };

struct spool_body {
    struct spool *spool;
    struct id id;
    spool_done *done;
    void *context;
    /* The operation under way. The spooler owns it from the hand-over to `done`. */
    enum spool_work work;
    const void *piece;
    size_t piece_bytes;
    struct list_node queued;
    /* Used by the spooler alone. */
    int fd;     /* -1 before the first piece and after the end */
    bool named; /* the file has its final name */
    int64_t bytes, flushed_bytes;
    struct secret_hasher hasher;
    uint8_t sha256[SECRET_HASH_BYTES];
};

struct spool {
    int folder_fd;
    pthread_t thread;
    struct spool_sweep *sweep;
    pthread_mutex_t lock; /* guards the following */
    pthread_cond_t news;
    struct list bodies; /* those with an operation for the spooler; linked by `queued` */
    bool stopping;
};

/* ---- file names ---- */

#define NAME_BYTES (ID_TEXT_BYTES + 8)

static char *final_name(const struct id *id, char name[NAME_BYTES])
{
    return id_format(id, name);
}

static char *part_name(const struct id *id, char name[NAME_BYTES])
{
    char text[ID_TEXT_BYTES];
    snprintf(name, NAME_BYTES, "%s.part", id_format(id, text));
    return name;
}

/* ---- the work: on the spooler's thread, or on that of a caller that may block ---- */

static int body_open(struct spool_body *body, struct error *error)
{
    char name[NAME_BYTES];
    part_name(&body->id, name);
    body->fd = openat(body->spool->folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (body->fd < 0)
        return error_set_errno(error, errno, "cannot create \"spool/%s\"", name);
    return 0;
}

static int body_append(struct spool_body *body, struct error *error)
{
    if (body->fd < 0 && body_open(body, error) != 0)
        return -1;
    if (file_write_all(body->fd, body->piece, body->piece_bytes) != 0)
        return error_set_errno(error, errno, "cannot write a body to the spool");
    secret_hasher_add(&body->hasher, body->piece, body->piece_bytes);
    body->bytes += (int64_t)body->piece_bytes;
    if (body->bytes - body->flushed_bytes >= FLUSH_BYTES) {
        /* Only a hint to the kernel: the sync at the end is the one that counts, and is checked. */
        (void)sync_file_range(body->fd, body->flushed_bytes, body->bytes - body->flushed_bytes,
                              SYNC_FILE_RANGE_WRITE);
        body->flushed_bytes = body->bytes;
    }
    return 0;
}

static int body_finish(struct spool_body *body, struct error *error)
{
    char part[NAME_BYTES], name[NAME_BYTES];
    part_name(&body->id, part);
    final_name(&body->id, name);
    if (body->fd < 0 && body_open(body, error) != 0)
        return -1;
    if (fdatasync(body->fd) != 0)
        return error_set_errno(error, errno, "cannot sync \"spool/%s\"", part);
    close(body->fd);
    body->fd = -1;
    if (renameat(body->spool->folder_fd, part, body->spool->folder_fd, name) != 0)
        return error_set_errno(error, errno, "cannot rename \"spool/%s\"", part);
    body->named = true;
    secret_hasher_finish(&body->hasher, body->sha256);
    return file_sync(body->spool->folder_fd, "spool", error);
}

static void body_free(struct spool_body *body)
{
    if (body->fd >= 0)
        close(body->fd);
    free(body);
}

static void body_remove(struct spool_body *body)
{
    char name[NAME_BYTES];
    if (body->named)
        final_name(&body->id, name);
    else
        part_name(&body->id, name);
    if (unlinkat(body->spool->folder_fd, name, 0) != 0 && errno != ENOENT)
        log_warning("spooled body not removed", log_id("request", &body->id),
                    log_text("error", strerror(errno)));
    body_free(body);
}

static void body_work(struct spool_body *body)
{
    struct error error = ERROR_INIT;
    switch (body->work) {
    case SPOOL_APPEND:
        body_append(body, &error);
        break;
    case SPOOL_FINISH:
        body_finish(body, &error);
        break;
    case SPOOL_DISCARD:
        body_remove(body);
        return;
    }
    body->done(body->context, error_is_set(&error) ? &error : NULL);
}

static void *spool_main(void *argument)
{
    struct spool *spool = argument;
    pthread_mutex_lock(&spool->lock);
    for (;;) {
        while (list_is_empty(&spool->bodies) && !spool->stopping)
            pthread_cond_wait(&spool->news, &spool->lock);
        struct spool_body *body = LIST_TAKE_FIRST(&spool->bodies, struct spool_body, queued);
        if (!body)
            break;
        pthread_mutex_unlock(&spool->lock);
        body_work(body);
        pthread_mutex_lock(&spool->lock);
    }
    pthread_mutex_unlock(&spool->lock);
    return NULL;
}

/* ---- what requests call ---- */

static void hand_over(struct spool_body *body, enum spool_work work)
{
    struct spool *spool = body->spool;
    body->work = work;
    pthread_mutex_lock(&spool->lock);
    list_append(&spool->bodies, &body->queued);
    pthread_cond_signal(&spool->news);
    pthread_mutex_unlock(&spool->lock);
}

struct spool_body *spool_body_new(struct spool *spool, const struct id *request_id,
                                  spool_done *done, void *context)
{
    struct spool_body *body = memory_alloc(sizeof(*body));
    body->spool = spool;
    body->id = *request_id;
    body->done = done;
    body->context = context;
    body->fd = -1;
    secret_hasher_start(&body->hasher);
    return body;
}

void spool_append(struct spool_body *body, const void *piece, size_t bytes)
{
    body->piece = piece;
    body->piece_bytes = bytes;
    hand_over(body, SPOOL_APPEND);
}

void spool_finish(struct spool_body *body)
{
    hand_over(body, SPOOL_FINISH);
}

void spool_body_hash(const struct spool_body *body, uint8_t sha256[SECRET_HASH_BYTES])
{
    memcpy(sha256, body->sha256, SECRET_HASH_BYTES);
}

void spool_keep(struct spool_body *body)
{
    if (body)
        body_free(body);
}

void spool_discard(struct spool_body *body)
{
    if (body)
        hand_over(body, SPOOL_DISCARD);
}

/* ---- for callers that may block ---- */

struct blocking_body {
    struct spool spool;
    struct spool_body *body;
};

static int blocking_open(struct blocking_body *blocking, int state_fd, const struct id *request_id,
                         struct error *error)
{
    *blocking = (struct blocking_body){0};
    blocking->spool.folder_fd = file_open_folder(state_fd, FOLDER, 0700, error);
    if (blocking->spool.folder_fd < 0)
        return -1;
    blocking->body = spool_body_new(&blocking->spool, request_id, NULL, NULL);
    return 0;
}

static int blocking_append(struct blocking_body *blocking, const void *data, size_t bytes,
                           struct error *error)
{
    blocking->body->piece = data;
    blocking->body->piece_bytes = bytes;
    return body_append(blocking->body, error);
}

/* Ends the body in any case: on success (0) the file is durable, on failure (-1) it is removed. */
static int blocking_close(struct blocking_body *blocking, int result, struct error *error)
{
    if (result == 0)
        result = body_finish(blocking->body, error);
    if (result == 0)
        body_free(blocking->body);
    else
        body_remove(blocking->body);
    close(blocking->spool.folder_fd);
    return result;
}

int spool_write_now(int state_fd, const struct id *request_id, const void *data, size_t bytes,
                    struct error *error)
{
    struct blocking_body blocking;
    if (blocking_open(&blocking, state_fd, request_id, error) != 0)
        return -1;
    return blocking_close(&blocking, blocking_append(&blocking, data, bytes, error), error);
}

int spool_copy_now(int state_fd, const struct id *from, const struct id *to, struct error *error)
{
    int source = spool_open(state_fd, from, error);
    if (source < 0)
        return -1;
    struct blocking_body blocking;
    if (blocking_open(&blocking, state_fd, to, error) != 0) {
        close(source);
        return -1;
    }
    char *piece = memory_alloc(SPOOL_PIECE_BYTES);
    ssize_t count;
    int result = 0;
    while (result == 0 && (count = file_read_all(source, piece, SPOOL_PIECE_BYTES)) != 0) {
        if (count < 0)
            result = error_set_errno(error, errno, "cannot read a spooled body");
        else
            result = blocking_append(&blocking, piece, (size_t)count, error);
    }
    free(piece);
    close(source);
    return blocking_close(&blocking, result, error);
}

void spool_remove_now(int state_fd, const struct id *request_id)
{
    char path[sizeof(FOLDER) + NAME_BYTES], text[ID_TEXT_BYTES];
    snprintf(path, sizeof(path), FOLDER "/%s", id_format(request_id, text));
    (void)unlinkat(state_fd, path, 0);
}

int spool_open(int state_fd, const struct id *request_id, struct error *error)
{
    char path[sizeof(FOLDER) + NAME_BYTES], text[ID_TEXT_BYTES];
    snprintf(path, sizeof(path), FOLDER "/%s", id_format(request_id, text));
    int fd = openat(state_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        error_set(error, ERROR_NOT_FOUND, "the body is missing: there is no file \"%s\"", path);
    else if (fd < 0)
        error_set_errno(error, errno, "cannot open \"%s\"", path);
    return fd;
}

/* ---- start and stop ---- */

struct spool *spool_start(int state_fd, const struct store_options *store, struct error *error)
{
    struct spool *spool = memory_alloc(sizeof(*spool));
    pthread_mutex_init(&spool->lock, NULL);
    pthread_cond_init(&spool->news, NULL);
    spool->folder_fd = file_open_folder(state_fd, FOLDER, 0700, error);
    if (spool->folder_fd >= 0)
        spool->sweep = spool_sweep_start(spool->folder_fd, store, error);
    if (spool->sweep && thread_start(&spool->thread, "spooler", spool_main, spool, error) == 0)
        return spool;
    spool_sweep_stop(spool->sweep);
    if (spool->folder_fd >= 0)
        close(spool->folder_fd);
    pthread_cond_destroy(&spool->news);
    pthread_mutex_destroy(&spool->lock);
    free(spool);
    return NULL;
}

void spool_stop(struct spool *spool)
{
    if (!spool)
        return;
    pthread_mutex_lock(&spool->lock);
    spool->stopping = true;
    pthread_cond_signal(&spool->news);
    pthread_mutex_unlock(&spool->lock);
    pthread_join(spool->thread, NULL);
    spool_sweep_stop(spool->sweep);
    close(spool->folder_fd);
    pthread_cond_destroy(&spool->news);
    pthread_mutex_destroy(&spool->lock);
    free(spool);
}
