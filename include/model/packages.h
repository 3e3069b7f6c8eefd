/* Packages that a vessel asks for: their names and versions as the fleet file has them, the rules
 * for both, and the forms that the package managers read. Pure; any thread. */
#ifndef WEBHOOKD_MODEL_PACKAGES_H
#define WEBHOOKD_MODEL_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>

/* Of each list, and so of a vessel's packages of one kind. */
#define PACKAGES_MAX               200
#define PACKAGES_MAX_NAME_BYTES    214 /* npm's own bound */
#define PACKAGES_MAX_VERSION_BYTES 200

enum package_kind {
    PACKAGE_PYTHON, /* pip: PEP 508 names, with extras; PEP 440 specifiers */
    PACKAGE_NODE,   /* npm: names, with scopes; ranges of semver */
    PACKAGE_SYSTEM  /* Debian: names; exact versions */
};

struct package {
    char *name;    /* "httpx[http2]", "@scope/name", "libpq5" */
    char *version; /* the constraint as written; "" = the newest at the time of locking */
};

struct package_list {
    struct package *items; /* in the order of the file; read from the store: by name */
    size_t count;
};

/* Adds copies of both texts. */
void packages_add(struct package_list *list, const char *name, const char *version);
/* Frees the items and empties the list. */
void packages_free(struct package_list *list);
/* Whether both have the same names with the same constraints, in any order. */
bool packages_equal(const struct package_list *a, const struct package_list *b);

/* Return why the text is not a name or a constraint of this kind, and what to write instead, or
 * NULL. What they accept has no control character, path or URL, and does not begin with "-". */
const char *packages_name_problem(enum package_kind kind, const char *name);
const char *packages_version_problem(enum package_kind kind, const char *version);

/* Returns the name that is compared: of Python, normalised (PEP 503) and without extras; of the
 * other kinds, as it is. Free it. */
char *packages_normal_name(enum package_kind kind, const char *name);

/* Returns the line of a requirements file (PEP 508) for a Python package: "name==1.0" if the
 * version is a bare 1.0, "name>=1,<2", or "name". Free it. */
char *packages_requirement(const struct package *package);

#endif
