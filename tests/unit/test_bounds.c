/* config/bounds: no bound promises more than there is, and each resource is shared out. */
#include "config/bounds.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"
#include "unit/config_cases.h"

#define PLENTY INT64_MAX

/* Applies these amounts to the configuration and returns it. */
static struct config *fit(const char *text, int64_t files, int64_t tasks, int64_t memory)
{
    struct resources resources = {{files, "files", "get files"},
                                  {tasks, "tasks", "get tasks"},
                                  {memory, "memory", "get memory"}};
    struct error error = ERROR_INIT;
    struct config *config = accept(text);
    ck_assert_msg(config_bounds_apply(config, &resources, &error) == 0, "%s", error.message);
    return config;
}

static const struct config_bound *bound(const struct config *config, enum config_bound_name name)
{
    return &config->bounds[name];
}

static void assert_lowered(const struct config *config, enum config_bound_name name,
                           const char *reason)
{
    ck_assert_msg(config_bound_is_lowered(bound(config, name)), "%s is as configured",
                  bound(config, name)->name);
    ck_assert_str_eq(bound(config, name)->reason, reason);
}

static void assert_as_configured(const struct config *config, enum config_bound_name name)
{
    ck_assert_msg(!config_bound_is_lowered(bound(config, name)), "%s is lowered",
                  bound(config, name)->name);
    ck_assert_str_eq(bound(config, name)->reason, "");
}

TEST(with_plenty_every_bound_is_as_configured)
{
    struct config *config =
        fit("hooks { max_connections = 5000 } runner { max_vessels = 9 }", PLENTY, PLENTY, PLENTY);
    for (int i = 0; i < CONFIG_BOUNDS; i++)
        assert_as_configured(config, (enum config_bound_name)i);
    ck_assert_int_eq(config->hooks.max_connections, 5000);
    ck_assert_int_eq(config->hooks.max_in_flight_bytes, 256 << 20);
    ck_assert_int_eq(config->admin.max_connections, 128);
    ck_assert_int_eq(config->runner.max_vessels, 9);
    config_release(config);
}

TEST(zero_vessels_means_four_for_each_core)
{
    struct config *config = fit("", PLENTY, PLENTY, PLENTY);
    ck_assert_int_eq(config->runner.max_vessels, config_default_vessels());
    config_release(config);
}

/* Whatever the limit is, all bounds together fit into it, and each party gets something. */
TEST(bounds_fit_into_any_number_of_descriptors)
{
    static const char *const texts[] = {"", "hooks { max_connections = 1000000 }",
                                        "runner { max_vessels = 10000 }",
                                        "hooks { max_in_flight = 64GiB }"};
    for (size_t t = 0; t < ARRAY_COUNT(texts); t++)
        for (int64_t files = 512; files < 3000000; files += 1 + files / 7) {
            struct config *config = fit(texts[t], files, PLENTY, PLENTY);
            ck_assert_msg(config_bounds_files(config) <= files, "%lld of %lld: %s",
                          (long long)config_bounds_files(config), (long long)files, texts[t]);
            ck_assert_int_ge(config->hooks.max_connections, 16);
            ck_assert_int_ge(config->admin.max_connections, 4);
            ck_assert_int_ge(config->runner.max_vessels, 1);
            config_release(config);
        }
}

TEST(a_hard_limit_on_open_files_lowers_the_connections_and_says_so)
{
    struct config *config = fit("", 1024, PLENTY, PLENTY);
    assert_lowered(config, CONFIG_BOUND_CONNECTIONS, "files");
    assert_lowered(config, CONFIG_BOUND_ADMIN, "files");
    ck_assert_str_eq(bound(config, CONFIG_BOUND_CONNECTIONS)->name, "hooks.max_connections");
    ck_assert_int_eq(bound(config, CONFIG_BOUND_CONNECTIONS)->configured, 10000);
    ck_assert_str_eq(bound(config, CONFIG_BOUND_CONNECTIONS)->advice, "get files");
    assert_as_configured(config, CONFIG_BOUND_IN_FLIGHT);
    config_release(config);
}

/* What one party does not need goes to the others. */
TEST(what_the_hooks_do_not_need_goes_to_the_admin_listeners)
{
    struct config *config =
        fit("hooks { max_connections = 20 } runner { max_vessels = 1 }", 1400, PLENTY, PLENTY);
    for (int i = 0; i < CONFIG_BOUNDS; i++)
        if (i != CONFIG_BOUND_ADMIN)
            assert_as_configured(config, (enum config_bound_name)i);
    ck_assert_int_gt(config->admin.max_connections, 100);
    config_release(config);
}

TEST(few_descriptors_prevent_a_start)
{
    struct resources resources = {.files = {300, "there are 300", "get more"},
                                  .tasks = {.amount = PLENTY},
                                  .memory = {.amount = PLENTY}};
    struct error error = ERROR_INIT;
    struct config *config = accept("");
    ck_assert_int_eq(config_bounds_apply(config, &resources, &error), -1);
    ck_assert_int_eq(error.kind, ERROR_CONFIG);
    ck_assert_str_eq(error.message, "there are 300, but webhookd needs 512: get more");
    config_release(config);
}

TEST(few_tasks_lower_the_admin_connections_and_the_vessels)
{
    for (int64_t tasks = 0; tasks < 3000; tasks += 1 + tasks / 3) {
        struct config *config = fit("runner { max_vessels = 300 }", PLENTY, tasks, PLENTY);
        assert_as_configured(config, CONFIG_BOUND_CONNECTIONS);
        if (tasks < 32 + 2 * 128 + 4 * 300)
            ck_assert(config_bound_is_lowered(bound(config, CONFIG_BOUND_VESSELS)) ||
                      config_bound_is_lowered(bound(config, CONFIG_BOUND_ADMIN)));
        if (tasks >= 64)
            ck_assert_int_le(
                32 + 2 * config->admin.max_connections + 4 * config->runner.max_vessels, tasks);
        ck_assert_int_ge(config->admin.max_connections, 1);
        ck_assert_int_ge(config->runner.max_vessels, 1);
        config_release(config);
    }
}

TEST(little_memory_lowers_bodies_in_flight_and_connections)
{
    for (int64_t mib = 16; mib < 1000; mib += 1 + mib / 5) {
        int64_t memory = mib << 20;
        struct config *config = fit("", PLENTY, PLENTY, memory);
        ck_assert_int_le(
            config->hooks.max_in_flight_bytes + config->hooks.max_connections * (32 << 10), memory);
        if (mib < 500) {
            assert_lowered(config, CONFIG_BOUND_IN_FLIGHT, "memory");
            assert_lowered(config, CONFIG_BOUND_CONNECTIONS, "memory");
        }
        config_release(config);
    }
}

TEST(a_reload_keeps_the_bounds_that_need_a_restart)
{
    struct config *running = fit("hooks { max_connections = 5000 }", 1024, PLENTY, PLENTY);
    struct config *fresh =
        fit("hooks { max_connections = 100 } runner { max_vessels = 3 }", 1024, PLENTY, PLENTY);
    config_keep_until_restart(fresh, running);
    ck_assert_int_eq(fresh->hooks.max_connections, running->hooks.max_connections);
    ck_assert_int_eq(bound(fresh, CONFIG_BOUND_CONNECTIONS)->configured, 5000);
    ck_assert_int_eq(fresh->admin.max_connections, running->admin.max_connections);
    ck_assert_int_eq(fresh->runner.max_vessels, 3);
    ck_assert_int_eq(bound(fresh, CONFIG_BOUND_VESSELS)->configured, 3);
    config_release(running);
    config_release(fresh);
}
