/* A fleet run's headers as they are stored: {"X-Github-Event":["push"],…}, with canonical names and
 * values in order, without Host and without webhookd's own secrets (own_secrets.h). hooks/headers.c
 * takes them from a request to a webhook, admin/given_headers.c from one to the API. Pure; any
 * thread. */
#ifndef WEBHOOKD_MODEL_RUN_HEADERS_H
#define WEBHOOKD_MODEL_RUN_HEADERS_H

#include <jansson.h>
#include <stddef.h>

/* Changes "x-github-event" to "X-Github-Event". */
void run_headers_make_canonical(char *name);
/* Adds a header to the object, or what may be stored of it, and notes its name if something is left
 * out (own_secrets_note). A value that is not UTF-8 is read as ISO-8859-1. */
void run_headers_add(json_t *object, json_t **withheld, const char *name, const char *value);

/* The event that the headers name: the first of X-GitHub-Event, X-Gitlab-Event, X-Event-Key and
 * Ce-Type; "" if there is none. One that does not fit is none. */
struct run_headers_event {
    char text[256];
    size_t rank; /* of the header that it is from */
};
void run_headers_event_init(struct run_headers_event *event);
/* Call for every header, in any order. */
void run_headers_note_event(struct run_headers_event *event, const char *name, const char *value);

#endif
