/* Finds the API's object for the text that an administrator typed. Called by the commands; the
 * program has one thread.
 *
 * A name without an organization or project refers to the one named "default" and no other. If it
 * meant "the only fleet of that name", a script would behave differently as soon as someone created
 * a second one. Names contain no "/" and do not look like ids, so the text has only one meaning. */
#include "webhookctl/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/memory.h"
#include "webhookctl/show.h"

#define DEFAULT_FOLDER "default"
#define MAX_PARTS      3

/* The parts of "a/b/c", right-aligned; parts missing on the left are "default". */
struct path {
    char *copy;
    const char *parts[MAX_PARTS];
};

static int split(const char *text, size_t wanted, const char *form, struct path *path,
                 struct error *error)
{
    size_t count = 1;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == '/';
    path->copy = NULL;
    if (count > wanted || text[0] == '\0')
        return error_set(error, ERROR_INVALID, "\"%.200s\" is not of the form %s", text, form);
    path->copy = memory_string(text);
    for (size_t i = 0; i < wanted; i++)
        path->parts[i] = DEFAULT_FOLDER;
    char *rest = path->copy;
    for (size_t i = wanted - count; i < wanted; i++)
        path->parts[i] = strsep(&rest, "/");
    return 0;
}

static bool has_text(const json_t *object, const char *key, const char *text)
{
    const char *value = show_text(object, key);
    return value && strcmp(value, text) == 0;
}

/* Returns a new reference to the list's first object with this text at this key, or NULL. */
static json_t *find(const json_t *list, const char *key, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (has_text(json_array_get(list, i), key, text))
            return json_incref(json_array_get(list, i));
    return NULL;
}

/* Returns the id as the API writes it, or NULL if the text is not an id. */
static const char *as_id(const char *text, char canonical[ID_TEXT_BYTES])
{
    struct id id;
    return id_parse(text, &id) == 0 ? id_format(&id, canonical) : NULL;
}

/* ---- organizations, keys, projects ---- */

/* Finds an object by its id or name in a list that is short enough to fetch. */
static json_t *resolve_listed(struct client *client, const char *list, const char *what,
                              const char *text, struct error *error)
{
    char canonical[ID_TEXT_BYTES];
    json_t *data = client_get(client, error, "/%s", list);
    if (!data)
        return NULL;
    const char *id = as_id(text, canonical);
    json_t *found = find(json_object_get(data, list), id ? "id" : "name", id ? id : text);
    json_decref(data);
    if (!found)
        error_set(error, ERROR_NOT_FOUND,
                  "there is no %s \"%.200s\" (webhookctl %.*s list shows all)", what, text,
                  (int)strlen(list) - 1, list);
    return found;
}

json_t *resolve_org(struct client *client, const char *text, struct error *error)
{
    return resolve_listed(client, "orgs", "organization", text, error);
}

json_t *resolve_key(struct client *client, const char *text, struct error *error)
{
    return resolve_listed(client, "keys", "API key", text, error);
}

/* Returns the project among those of one organization, or NULL; sets *error only if the request
 * failed. */
static json_t *find_project(struct client *client, const json_t *org, const char *key,
                            const char *text, struct error *error)
{
    json_t *data = client_get(client, error, "/orgs/%s/projects", show_text(org, "id"));
    json_t *project = find(json_object_get(data, "projects"), key, text);
    json_decref(data);
    return project;
}

/* Returns the blueprint of one organization with this name, or NULL and *error. */
static json_t *find_blueprint(struct client *client, const char *org_name, const char *name,
                              struct error *error)
{
    json_t *org = resolve_org(client, org_name, error);
    if (!org)
        return NULL;
    json_t *data = client_get(client, error, "/orgs/%s/blueprints", show_text(org, "id"));
    json_t *blueprint = find(json_object_get(data, "blueprints"), "name", name);
    if (data && !blueprint)
        error_set(error, ERROR_NOT_FOUND,
                  "there is no blueprint \"%.200s\" in organization \"%.200s\" (webhookctl "
                  "blueprint list shows all)",
                  name, show_text(org, "name"));
    json_decref(data);
    json_decref(org);
    return blueprint;
}

json_t *resolve_blueprint(struct client *client, const char *text, struct error *error)
{
    char canonical[ID_TEXT_BYTES];
    const char *id = as_id(text, canonical);
    struct path path;
    if (id)
        return client_get(client, error, "/blueprints/%s", id);
    if (split(text, 2, "[ORG/]NAME", &path, error) != 0)
        return NULL;
    json_t *blueprint = find_blueprint(client, path.parts[0], path.parts[1], error);
    free(path.copy);
    return blueprint;
}

static json_t *find_project_by_id(struct client *client, const char *id, struct error *error)
{
    json_t *data = client_get(client, error, "/orgs");
    const json_t *orgs = json_object_get(data, "orgs");
    json_t *project = NULL;
    for (size_t i = 0; i < json_array_size(orgs) && !project && !error_is_set(error); i++)
        project = find_project(client, json_array_get(orgs, i), "id", id, error);
    json_decref(data);
    return project;
}

json_t *resolve_project(struct client *client, const char *text, struct error *error)
{
    char canonical[ID_TEXT_BYTES];
    json_t *project = NULL;
    if (as_id(text, canonical)) {
        project = find_project_by_id(client, canonical, error);
    } else {
        struct path path;
        json_t *org = NULL;
        if (split(text, 2, "[ORG/]PROJECT", &path, error) == 0)
            org = resolve_org(client, path.parts[0], error);
        if (org)
            project = find_project(client, org, "name", path.parts[1], error);
        json_decref(org);
        free(path.copy);
    }
    if (!project)
        error_set(error, ERROR_NOT_FOUND,
                  "there is no project \"%.200s\" (webhookctl project list shows all; "
                  "webhookctl project create creates one)",
                  text);
    return project;
}

/* ---- fleets ---- */

static json_t *find_fleet(const json_t *fleets, const struct path *path)
{
    for (size_t i = 0; i < json_array_size(fleets); i++) {
        json_t *fleet = json_array_get(fleets, i);
        if (has_text(fleet, "org_name", path->parts[0]) &&
            has_text(fleet, "project_name", path->parts[1]) &&
            has_text(fleet, "name", path->parts[2]))
            return json_incref(fleet);
    }
    return NULL;
}

/* If the text has no organization or project, the user may have meant a fleet of the same name in
 * another one. */
static void no_such_fleet(const json_t *fleets, const struct path *path, const char *text,
                          struct error *error)
{
    json_t *elsewhere = find(fleets, "name", path->parts[2]);
    if (elsewhere) {
        char *place = show_fleet_path(elsewhere);
        error_set(error, ERROR_NOT_FOUND,
                  "there is no fleet \"%s\" in \"%s/%s\", but there is \"%s\" (use the full path)",
                  path->parts[2], path->parts[0], path->parts[1], place);
        free(place);
    } else {
        error_set(error, ERROR_NOT_FOUND,
                  "there is no fleet \"%.200s\" (webhookctl fleet list shows all)", text);
    }
    json_decref(elsewhere);
}

json_t *resolve_fleet(struct client *client, const char *text, struct error *error)
{
    char canonical[ID_TEXT_BYTES];
    if (as_id(text, canonical))
        return client_get(client, error, "/fleets/%s", canonical);
    struct path path;
    json_t *fleet = NULL;
    if (split(text, MAX_PARTS, "[[ORG/]PROJECT/]FLEET", &path, error) != 0)
        return NULL;
    json_t *data = client_get(client, error, "/fleets");
    if (data) {
        const json_t *fleets = json_object_get(data, "fleets");
        fleet = find_fleet(fleets, &path);
        if (!fleet)
            no_such_fleet(fleets, &path, text, error);
    }
    json_decref(data);
    free(path.copy);
    return fleet;
}

/* ---- runs ---- */

/* Returns a run of which the entry in a list is given: a list leaves out the details. Releases the
 * entry. NULL for NULL, or on error. */
static json_t *whole_run(struct client *client, json_t *entry, struct error *error)
{
    json_t *run = NULL;
    if (entry)
        run = client_get(client, error, "/fleetruns/%s", show_text(entry, "id"));
    json_decref(entry);
    return run;
}

/* Returns the run if the query finds exactly one. Returns NULL and leaves *error unset if it finds
 * none; otherwise returns NULL and sets *error. */
static json_t *only_run(struct client *client, const char *key, const char *value,
                        struct error *error)
{
    json_t *data = client_get(client, error, "/fleetruns?limit=2&%s=%s", key, value);
    const json_t *runs = json_object_get(data, "fleetruns");
    json_t *run = NULL;
    if (json_array_size(runs) > 1)
        error_set(error, ERROR_CONFLICT,
                  "several fleet runs have an id that begins with \"%s\", such as %s and %s (use a "
                  "longer prefix)",
                  value, show_text(json_array_get(runs, 0), "id"),
                  show_text(json_array_get(runs, 1), "id"));
    else
        run = json_incref(json_array_get(runs, 0));
    json_decref(data);
    return whole_run(client, run, error);
}

static json_t *latest_run(struct client *client, struct error *error)
{
    json_t *data = client_get(client, error, "/fleetruns?limit=1");
    json_t *run = json_incref(json_array_get(json_object_get(data, "fleetruns"), 0));
    json_decref(data);
    if (!run)
        error_set(error, ERROR_NOT_FOUND, "there is no fleet run yet");
    return whole_run(client, run, error);
}

json_t *resolve_run(struct client *client, const char *text, struct error *error)
{
    char canonical[ID_TEXT_BYTES];
    json_t *run = NULL;
    if (strcmp(text, "latest") == 0)
        return latest_run(client, error);
    if (text[0] == '\0' || !id_is_prefix(text)) {
        error_set(error, ERROR_INVALID,
                  "\"%.200s\" is not a fleet run (use an id, a prefix of an id, a request's id, or "
                  "\"latest\")",
                  text);
        return NULL;
    }
    if (as_id(text, canonical)) {
        struct error missing = ERROR_INIT;
        run = client_get(client, &missing, "/fleetruns/%s", canonical);
        if (!run && missing.kind != ERROR_NOT_FOUND)
            *error = missing;
        else if (!run)
            run = only_run(client, "request_id", canonical, error);
    } else {
        run = only_run(client, "id", text, error);
    }
    if (!run)
        error_set(error, ERROR_NOT_FOUND,
                  "there is no fleet run \"%s\" (webhookctl run list shows the latest)", text);
    return run;
}
