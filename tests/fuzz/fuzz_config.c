/* The configuration file. The input is the file. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "config/config.h"
#include "config/keys.h"
#include "config/value.h"
#include "store/location.h"

#define NAME "w.conf"

static struct config *parse(const void *text, size_t bytes)
{
    struct config_report report = {0};
    struct config *config = config_parse(text, bytes, NAME, &report);
    FUZZ_CHECK((config == NULL) == (report.count > 0));
    for (size_t i = 0; i < report.count; i++) {
        FUZZ_CHECK(strncmp(report.lines[i], NAME ":", strlen(NAME ":")) == 0);
        FUZZ_CHECK(fuzz_is_message(report.lines[i]));
    }
    config_report_free(&report);
    return config;
}

/* ---- writing a snapshot as a file ---- */

static void write_string(struct buffer *file, const char *text)
{
    buffer_append_char(file, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append_char(file, '\\');
        buffer_append_char(file, *text);
    }
    buffer_append_char(file, '"');
}

static void write_list(struct buffer *file, const struct config_list *list)
{
    buffer_append_char(file, '{');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            buffer_append_char(file, ',');
        write_string(file, list->items[i]);
    }
    buffer_append_char(file, '}');
}

static void write_value(struct buffer *file, const struct config_key *key, const void *base)
{
    const void *field = (const char *)base + key->offset;
    buffer_append_format(file, "%s = ", key->info.name);
    switch (key->type) {
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
        buffer_append_format(file, "%lld", (long long)*(const int64_t *)field);
        break;
    case CONFIG_DURATION:
        buffer_append_format(file, "%lldms", (long long)*(const int64_t *)field);
        break;
    case CONFIG_BOOL:
        buffer_append_text(file, *(const bool *)field ? "true" : "false");
        break;
    case CONFIG_CHOICE:
        write_string(file, key->choices[*(const unsigned *)field]);
        break;
    case CONFIG_TEXT:
        write_string(file, *(char *const *)field);
        break;
    case CONFIG_LIST:
        write_list(file, field);
        break;
    }
    buffer_append_char(file, '\n');
}

static void write_fleet(struct buffer *file, const struct config_fleet *fleet)
{
    buffer_append_text(file, "fleet ");
    write_string(file, fleet->name);
    buffer_append_text(file, " {\n");
    if (fleet->has_sandbox)
        write_value(file, &config_fleet_keys[CONFIG_FLEET_SANDBOX], fleet);
    if (fleet->user[0] != '\0')
        write_value(file, &config_fleet_keys[CONFIG_FLEET_USER], fleet);
    buffer_append_text(file, "}\n");
}

static void write_file(struct buffer *file, const struct config *config)
{
    const char *section = "";
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (strcmp(key->info.section, section) != 0) {
            buffer_append_format(file, "%s%s {\n", section[0] == '\0' ? "" : "}\n",
                                 key->info.section);
            section = key->info.section;
        }
        write_value(file, key, config);
    }
    buffer_append_text(file, "}\n");
    for (size_t i = 0; i < config->fleet_count; i++)
        write_fleet(file, &config->fleets[i]);
    FUZZ_CHECK(!file->failed);
}

/* ---- */

static void check_equal(const struct config *a, const struct config *b)
{
    struct config_report report = {0};
    for (size_t i = 0; i < config_key_count; i++)
        FUZZ_CHECK(config_value_equal(&config_keys[i], a, b));
    config_report_restart(a, b, &report);
    FUZZ_CHECK(report.count == 0);
    config_report_free(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct config *config = parse(data, bytes);
    if (!config)
        return 0;
    FUZZ_CHECK(!store_location_problem(config->store));
    struct buffer file = BUFFER_INIT;
    write_file(&file, config);
    struct config *read = parse(file.data, file.bytes);
    FUZZ_CHECK(read);
    check_equal(config, read);
    buffer_free(&file);
    config_release(read);

    /* What a reload takes over from the running configuration. */
    struct config *fresh = parse("", 0);
    struct config_report report = {0};
    config_keep_until_restart(fresh, config);
    config_report_restart(config, fresh, &report);
    FUZZ_CHECK(report.count == 0);
    config_report_free(&report);
    config_release(fresh);
    config_release(config);
    return 0;
}
