/* The vessel's own files in the working folder, to which other vessels may already have written. */
#ifndef WEBHOOKD_SUPERVISOR_FILES_H
#define WEBHOOKD_SUPERVISOR_FILES_H

#include "base/error.h"
#include "supervisor/job.h"

/* Places the job's file in <id>.files/, and <id>.webhook_headers and <id>.webhook_body, all in
 * JOB_FD_WORKDIR and owned by the caller's user. Whatever is in the way is removed; no link is
 * followed. If a descriptor was not passed, its file does not exist afterwards, even if another
 * vessel has created one. */
int files_place(const struct job *job, struct error *error);

/* Returns "<workdir>/<id>.files/<file_to_run>", allocated. */
char *files_script_path(const struct job *job);

#endif
