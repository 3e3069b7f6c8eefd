/* Blueprints from end to end: applied, shown, used and deleted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "support/api.h"
#include "support/daemon.h"
#include "support/suite.h"

#define GREET                                                                                      \
    "name: Greet\nsynopsis: Greets someone.\ninputs:\n"                                            \
    "  WHO: { name: Who, type: ALPHANUMERIC, required: true }\n"                                   \
    "  LOUD: { name: Loud, type: BOOLEAN, default: false }\n"
#define SOURCE                                                                                     \
    "source:\n  type: CODE\n  language: BASH\n"                                                    \
    "  file: { name: a.sh, content: 'printf \"%s|\" \"$WHO\" \"$LOUD\" \"$@\"' }\n"

/* Runs webhookctl with a file that has this text, in the place of "FILE". Returns the exit status;
 * *out is what it printed. */
static int apply(struct daemon *daemon, const char *subject, const char *text, char **out)
{
    char *path = daemon_write_file(daemon, "file.yaml", text, strlen(text));
    int status = ctl(daemon, out, NULL, NULL, subject, "apply", path, NULL);
    unlink(path);
    free(path);
    return status;
}

static void apply_ok(struct daemon *daemon, const char *subject, const char *text,
                     const char *expected)
{
    char *out;
    int status = apply(daemon, subject, text, &out);
    ck_assert_msg(status == 0 && strstr(out, expected), "%d: %s", status, out);
    free(out);
}

static void apply_fails(struct daemon *daemon, const char *subject, const char *text,
                        const char *expected)
{
    char *out;
    int status = apply(daemon, subject, text, &out);
    ck_assert_msg(status == 1 && strstr(out, expected), "%d: %s", status, out);
    free(out);
}

static char *fleet(const char *name, const char *inputs)
{
    return memory_format("name: %s\nvessels:\n  main:\n    source:\n      type: BLUEPRINT\n"
                         "      blueprint: Greet\n      inputs: %s\n",
                         name, inputs);
}

static void expect(char *out, const char *text)
{
    ck_assert_msg(strstr(out, text) != NULL, "%s", out);
    free(out);
}

TEST(a_blueprint_has_versions_and_its_file_is_shown_as_it_was_applied)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    apply_ok(&daemon, "blueprint", GREET SOURCE, "created default/Greet, version 1");
    apply_ok(&daemon, "blueprint", "# the same\n" GREET SOURCE, "unchanged default/Greet, version");
    apply_ok(&daemon, "blueprint", GREET "description: More\n" SOURCE, "updated default/Greet");
    apply_fails(&daemon, "blueprint", GREET "inptus: {}\n" SOURCE, ":6: inptus: unknown key");
    char *shown = ctl_ok(&daemon, "blueprint", "show", "Greet", "--version", "1", NULL);
    ck_assert_int_eq(strncmp(shown, GREET, strlen(GREET)), 0);
    free(shown);
    expect(ctl_ok(&daemon, "blueprint", "versions", "default/Greet", NULL), "2");
    expect(ctl_ok(&daemon, "blueprint", "list", NULL), "Greets someone.");
    json_t *audit = api_get(&daemon, "/audit?action=blueprint.apply");
    ck_assert_uint_eq(json_array_size(json_object_get(audit, "entries")), 2);
    json_decref(audit);
    json_t *row = api_parse(ctl_ok(&daemon, "blueprint", "list", "--json", NULL));
    const json_t *listed = json_array_get(json_object_get(row, "blueprints"), 0);
    json_t *one = api_get(&daemon, "/blueprints/%s", api_text(listed, "id"));
    ck_assert_str_eq(api_text(one, "description"), "More");
    ck_assert_str_eq(api_text(json_array_get(json_object_get(one, "inputs"), 1), "type"),
                     "BOOLEAN");
    json_decref(one);
    json_decref(row);
    expect(ctl_ok(&daemon, "blueprint", "delete", "Greet", NULL), "blueprint Greet deleted");
    daemon_finish(&daemon);
}

TEST(a_check_changes_nothing)
{
    struct daemon daemon;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *path = daemon_write_file(&daemon, "b.yaml", GREET SOURCE, strlen(GREET SOURCE));
    expect(ctl_ok(&daemon, "blueprint", "apply", path, "--check", NULL),
           "would create a new blueprint; nothing was changed");
    json_t *row = api_parse(ctl_ok(&daemon, "blueprint", "list", "--json", NULL));
    ck_assert_uint_eq(json_array_size(json_object_get(row, "blueprints")), 0);
    json_decref(row);
    free(path);
    daemon_finish(&daemon);
}

TEST(a_fleet_must_fit_its_blueprint_and_a_changed_blueprint_says_whom_it_does_not_suit)
{
    struct daemon daemon;
    char *out;
    daemon_begin(&daemon, &(struct daemon_options){.top = NULL});
    char *good = fleet("Site", "{ WHO: you }"), *bad = fleet("Site", "{ WHO: you, LOUD: very }");
    apply_fails(&daemon, "fleet", good, "blueprint \"Greet\" is not available here");
    apply_ok(&daemon, "blueprint", GREET SOURCE, "created");
    apply_fails(&daemon, "fleet", bad, ":7: vessels.main.source.inputs.LOUD: the input LOUD must");
    apply_ok(&daemon, "fleet", good, "created default/default/Site, version 1");
    apply_ok(&daemon, "fleet", good, "unchanged");
    expect(ctl_ok(&daemon, "blueprint", "used", "Greet", NULL), "Site");
    ck_assert_int_eq(ctl(&daemon, &out, NULL, NULL, "blueprint", "delete", "Greet", NULL), 1);
    ck_assert_msg(strstr(out, "used by fleet default/Site"), "%s", out);
    free(out);
    apply_ok(&daemon, "blueprint",
             "name: Greet\nsynopsis: s\ninputs: { WHO: { name: Who, type: DATE } }\n" SOURCE,
             "the input WHO must be a day");
    apply_fails(&daemon, "fleet", good, "must be a day");
    expect(ctl_ok(&daemon, "fleet", "delete", "Site", NULL), "deleted");
    expect(ctl_ok(&daemon, "blueprint", "delete", "Greet", NULL), "deleted");
    free(good);
    free(bad);
    daemon_finish(&daemon);
}
