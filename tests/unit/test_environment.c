/* A vessel's environment, variable by variable. Pure: no folders, no processes. */
#include "runner/environment.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/fleet_file.h"
#include "support/suite.h"

#define NOON_MS 1700654400123LL /* 2023-11-22T12:00:00.123Z */

static char *code(const char *name, const char *environment)
{
    return memory_format("  %s:\n    source:\n      type: CODE\n      language: PYTHON\n"
                         "      file: {name: a.py, content: x}\n      file_to_run: a.py\n"
                         "      environment: %s\n",
                         name, environment);
}

/* The graph first → left and right → last; each vessel has this environment. */
static struct definition *make_diamond(const char *environment)
{
    static const char *const names[] = {"first", "left", "right", "last"};
    char *text = memory_string("name: Greet\nvessels:\n");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char *vessel = code(names[i], environment), *longer = memory_format("%s%s", text, vessel);
        free(vessel);
        free(text);
        text = longer;
    }
    char *file = memory_format("%sconnections:\n  first: {left: SUCCESS, right: SUCCESS}\n"
                               "  left: {last: SUCCESS}\n  right: {last: SUCCESS}\n",
                               text);
    struct fleet_file_options options = {false};
    struct fleet_problems problems = {NULL, 0}, notes = {NULL, 0};
    struct definition *definition =
        fleet_file_parse(file, strlen(file), &options, &problems, &notes);
    ck_assert_msg(definition, "%s", problems.count > 0 ? problems.items[0].message : "no message");
    report_free_problems(&problems);
    report_free_problems(&notes);
    free(text);
    free(file);
    for (size_t i = 0; i < definition->vessel_count; i++)
        definition->vessels[i].id = id_random();
    return definition;
}

struct scene {
    struct definition *definition;
    struct run_work work;
    struct id ids[4];
    struct environment_input input;
    char **items;
    size_t count;
};

static char word_org[] = "Acme", word_project[] = "Tools", word_fleet[] = "Greet & meet";
static char word_addr[] = "192.0.2.7", word_host[] = "hooks.example",
            word_query[] = "PATH=/evil&x=1";

static void scene_open(struct scene *scene, size_t vessel, const char *environment)
{
    memset(scene, 0, sizeof(*scene));
    scene->definition = make_diamond(environment);
    for (size_t i = 0; i < ARRAY_COUNT(scene->ids); i++)
        scene->ids[i] = id_random();
    scene->work = (struct run_work){.ids = {id_random(), id_random(), id_random(), id_random()},
                                    .org_name = word_org,
                                    .project_name = word_project,
                                    .fleet_name = word_fleet,
                                    .request_id = id_random(),
                                    .remote_addr = word_addr,
                                    .host = word_host,
                                    .query = word_query,
                                    .created_ms = NOON_MS - 5000};
    memset(scene->work.body_sha256, 0xab, sizeof(scene->work.body_sha256));
    const struct definition_vessel *own = &scene->definition->vessels[vessel];
    scene->input = (struct environment_input){.work = &scene->work,
                                              .definition = scene->definition,
                                              .vessel = vessel,
                                              .vessel_run_ids = scene->ids,
                                              .attempt = 2,
                                              .run_started_ms = NOON_MS,
                                              .vessel_started_ms = 1704161106007LL,
                                              .workdir = "/state/runs/x",
                                              .user = "",
                                              .path = "/usr/bin:/bin",
                                              .time_zone = "Europe/Berlin",
                                              .own = own->environment,
                                              .own_count = own->environment_count};
    scene->items = environment_make(&scene->input, &scene->count);
}

static void scene_close(struct scene *scene)
{
    for (size_t i = 0; i < scene->count; i++)
        free(scene->items[i]);
    free(scene->items);
    definition_free(scene->definition);
}

/* Returns NULL if the variable is missing; fails the test if it appears twice. */
static const char *value_of(const struct scene *scene, const char *name)
{
    const char *value = NULL;
    size_t bytes = strlen(name);
    for (size_t i = 0; i < scene->count; i++) {
        if (strncmp(scene->items[i], name, bytes) != 0 || scene->items[i][bytes] != '=')
            continue;
        ck_assert_msg(!value, "%s appears twice", name);
        value = scene->items[i] + bytes + 1;
    }
    return value;
}

static void expect(const struct scene *scene, const char *name, const char *value)
{
    const char *found = value_of(scene, name);
    ck_assert_msg(found, "%s is missing", name);
    ck_assert_msg(strcmp(found, value) == 0, "%s is \"%s\", not \"%s\"", name, found, value);
}

static void expect_id(const struct scene *scene, const char *name, const struct id *id)
{
    char text[ID_TEXT_BYTES];
    expect(scene, name, id_format(id, text));
}

TEST(a_vessel_knows_the_blueprint_that_it_executes)
{
    struct scene scene;
    char name[] = "Mail";
    const struct blueprint blueprint = {.name = name, .id = id_random()};
    scene_open(&scene, 0, "");
    for (size_t i = 0; i < scene.count; i++)
        free(scene.items[i]);
    free(scene.items);
    scene.input.blueprint = &blueprint;
    scene.items = environment_make(&scene.input, &scene.count);
    expect_id(&scene, "SHIPYARD_BLUEPRINT_ID", &blueprint.id);
    expect(&scene, "SHIPYARD_BLUEPRINT_NAME", "Mail");
    scene_close(&scene);
}

TEST(ids_and_names_are_those_of_the_run)
{
    struct scene scene;
    scene_open(&scene, 1, "{STAGE: test}");
    expect_id(&scene, "SHIPYARD_ORG_ID", &scene.work.ids.org_id);
    expect(&scene, "SHIPYARD_ORG_NAME", "Acme");
    expect_id(&scene, "SHIPYARD_PROJECT_ID", &scene.work.ids.project_id);
    expect(&scene, "SHIPYARD_PROJECT_NAME", "Tools");
    expect_id(&scene, "SHIPYARD_FLEET_ID", &scene.work.ids.fleet_id);
    expect(&scene, "SHIPYARD_FLEET_NAME", "Greet & meet");
    expect_id(&scene, "SHIPYARD_FLEET_LOG_ID", &scene.work.ids.run_id);
    expect_id(&scene, "SHIPYARD_VESSEL_ID", &scene.definition->vessels[1].id);
    expect(&scene, "SHIPYARD_VESSEL_NAME", "left");
    expect_id(&scene, "SHIPYARD_LOG_ID", &scene.ids[1]);
    expect(&scene, "SHIPYARD_LOG_WORKDIR", "/state/runs/x");
    expect(&scene, "SHIPYARD_BLUEPRINT_ID", "PYTHON");
    expect(&scene, "SHIPYARD_BLUEPRINT_NAME", "PYTHON");
    expect(&scene, "HOME", "/state/runs/x");
    expect(&scene, "PATH", "/usr/bin:/bin");
    expect(&scene, "LANG", "C.UTF-8");
    expect(&scene, "TZ", "Europe/Berlin");
    expect(&scene, "STAGE", "test");
    scene_close(&scene);
}

TEST(times_are_utc_and_only_month_and_day_are_padded)
{
    struct scene scene;
    scene_open(&scene, 0, "{STAGE: test}");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME", "2024-01-02T02:05:06Z");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME_YEAR", "2024");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME_MONTH", "01");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME_DAY", "02");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME_HOUR", "2");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME_MINUTE", "5");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME_SECOND", "6");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME_MILLISECOND", "7");
    expect(&scene, "SHIPYARD_VESSEL_START_TIME_EPOCH", "1704161106");
    expect(&scene, "SHIPYARD_FLEET_START_TIME", "2023-11-22T12:00:00Z");
    expect(&scene, "SHIPYARD_FLEET_START_TIME_MILLISECOND", "123");
    expect(&scene, "SHIPYARD_VESSEL_SCHEDULED_TIME", "2023-11-22T11:59:55Z");
    expect(&scene, "SHIPYARD_FLEET_SCHEDULED_TIME", "2023-11-22T11:59:55Z");
    scene_close(&scene);
}

TEST(upstream_and_downstream_are_the_neighbours_in_the_graph)
{
    struct scene scene;
    char id[4][ID_TEXT_BYTES], vessel[4][ID_TEXT_BYTES];
    scene_open(&scene, 2, "{STAGE: test}");
    for (size_t i = 0; i < 4; i++) {
        id_format(&scene.ids[i], id[i]);
        id_format(&scene.definition->vessels[i].id, vessel[i]);
    }
    char *both = memory_format("%s,%s", id[1], id[2]);
    char *both_vessels = memory_format("%s,%s", vessel[1], vessel[2]);
    expect(&scene, "SHIPYARD_FLEET_UPSTREAM_COUNT", "1");
    expect(&scene, "SHIPYARD_FLEET_UPSTREAM_LOG_IDS", id[0]);
    expect(&scene, "SHIPYARD_FLEET_UPSTREAM_VESSEL_IDS", vessel[0]);
    expect(&scene, "SHIPYARD_FLEET_CURRENTSTREAM_COUNT", "2");
    expect(&scene, "SHIPYARD_FLEET_CURRENTSTREAM_LOG_IDS", both);
    expect(&scene, "SHIPYARD_FLEET_CURRENTSTREAM_VESSEL_IDS", both_vessels);
    expect(&scene, "SHIPYARD_FLEET_CURRENTSTREAM_INDEX", "1");
    expect(&scene, "SHIPYARD_FLEET_DOWNSTREAM_COUNT", "1");
    expect(&scene, "SHIPYARD_FLEET_DOWNSTREAM_LOG_IDS", id[3]);
    expect(&scene, "SHIPYARD_FLEET_DOWNSTREAM_VESSEL_IDS", vessel[3]);
    free(both);
    free(both_vessels);
    scene_close(&scene);
    scene_open(&scene, 0, "{STAGE: test}");
    expect(&scene, "SHIPYARD_FLEET_UPSTREAM_COUNT", "0");
    expect(&scene, "SHIPYARD_FLEET_UPSTREAM_LOG_IDS", "");
    expect(&scene, "SHIPYARD_FLEET_CURRENTSTREAM_COUNT", "1");
    expect(&scene, "SHIPYARD_FLEET_CURRENTSTREAM_INDEX", "0");
    expect(&scene, "SHIPYARD_FLEET_DOWNSTREAM_COUNT", "2");
    scene_close(&scene);
}

TEST(data_of_a_caller_is_a_value_never_a_name)
{
    struct scene scene;
    char id[ID_TEXT_BYTES];
    scene_open(&scene, 3, "{STAGE: test}");
    id_format(&scene.ids[3], id);
    char *headers = memory_format("/state/runs/x/%s.webhook_headers", id);
    char *body = memory_format("/state/runs/x/%s.webhook_body", id);
    expect(&scene, "SHIPYARD_WEBHOOK_HEADERS_FILE", headers);
    expect(&scene, "SHIPYARD_WEBHOOK_BODY_FILE", body);
    expect_id(&scene, "WEBHOOKD_REQUEST_ID", &scene.work.request_id);
    expect(&scene, "WEBHOOKD_REMOTE_ADDR", "192.0.2.7");
    expect(&scene, "WEBHOOKD_HOST", "hooks.example");
    expect(&scene, "WEBHOOKD_QUERY_STRING", "PATH=/evil&x=1");
    expect(&scene, "WEBHOOKD_BODY_SHA256",
           "abababababababababababababababababababababababababababababababab");
    expect(&scene, "WEBHOOKD_ATTEMPT", "2");
    expect(&scene, "PATH", "/usr/bin:/bin");
    free(headers);
    free(body);
    scene_close(&scene);
}

TEST(a_vessels_own_variables_win_over_path_but_every_name_appears_once)
{
    struct scene scene;
    scene_open(&scene, 0,
               "{PATH: /opt/bin, TZ: UTC, PATHS: other, EMPTY: '', PYTHONUNBUFFERED: ''}");
    expect(&scene, "PATH", "/opt/bin");
    expect(&scene, "TZ", "UTC");
    expect(&scene, "PATHS", "other");
    expect(&scene, "EMPTY", "");
    expect(&scene, "PYTHONUNBUFFERED", "");
    scene_close(&scene);
}

TEST(without_TZ_the_machine_s_time_zone_counts)
{
    struct scene scene;
    scene_open(&scene, 0, "{STAGE: test}");
    for (size_t i = 0; i < scene.count; i++)
        free(scene.items[i]);
    free(scene.items);
    scene.input.time_zone = NULL;
    scene.input.user = "deploy";
    scene.items = environment_make(&scene.input, &scene.count);
    ck_assert_ptr_null(value_of(&scene, "TZ"));
    expect(&scene, "USER", "deploy");
    expect(&scene, "LOGNAME", "deploy");
    expect(&scene, "PYTHONUNBUFFERED", "1");
    scene_close(&scene);
}

TEST(no_variable_of_the_daemons_own_environment_is_passed_on)
{
    struct scene scene;
    setenv("SECRET_OF_THE_DAEMON", "x", 1);
    scene_open(&scene, 0, "{STAGE: test}");
    ck_assert_ptr_null(value_of(&scene, "SECRET_OF_THE_DAEMON"));
    ck_assert_ptr_null(value_of(&scene, "USER"));
    ck_assert_ptr_null(value_of(&scene, "LOGNAME"));
    for (size_t i = 0; i < scene.count; i++)
        ck_assert_ptr_nonnull(strchr(scene.items[i], '='));
    scene_close(&scene);
}
