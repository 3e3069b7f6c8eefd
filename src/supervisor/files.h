/* The vessel's own files in the working folder, which other vessels have written to before. */
#ifndef WEBHOOKD_SUPERVISOR_FILES_H
#define WEBHOOKD_SUPERVISOR_FILES_H

#include "base/error.h"
#include "supervisor/job.h"

/* Below JOB_FD_WORKDIR: the job's file in <id>.files/, <id>.webhook_headers and
 * <id>.webhook_body, owned by whoever calls. What is in the way is removed, whatever it is; no
 * link is followed. A descriptor that was not given leaves no file, also none that someone else
 * put there. */
int files_place(const struct job *job, struct error *error);

/* "<workdir>/<id>.files/<file_to_run>", allocated. */
char *files_script_path(const struct job *job);

#endif
