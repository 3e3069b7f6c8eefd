/* webhookd: the command line. Reads the flags and the configuration, and runs the daemon. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/resources.h"
#include "base/systemd.h"
#include "store/store.h"
#include "webhookd/configuration.h"
#include "webhookd/daemon.h"

#define EXIT_USAGE 2
#define SUPERVISOR "webhookd-vessel"

static void print_usage(FILE *stream)
{
    fprintf(stream, "usage: webhookd [-c FILE] [-t]\n"
                    "\n"
                    "  -c FILE             configuration file (default " CONFIG_DEFAULT_PATH ")\n"
                    "  -t, --check-config  check the configuration and exit\n"
                    "  -V, --version       print the version and exit\n"
                    "  -h, --help          print this help and exit\n"
                    "\n"
                    "webhookd stays in the foreground and logs to stderr. See webhookd(8) and "
                    "webhookd.conf(5).\n");
}

static void print_report(struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        fprintf(stderr, "%s\n", report->lines[i]);
    config_report_free(report);
}

struct command_line {
    const char *config_path;
    bool check_config;
};

/* Returns -1 to go on, else the exit status. */
static int read_command_line(int argc, char **argv, struct command_line *line)
{
    static const struct option options[] = {
        {"check-config", no_argument, NULL, 't'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            line->config_path = optarg;
            break;
        case 't':
            line->check_config = true;
            break;
        case 'V':
            printf("webhookd %s\n", WEBHOOKD_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            print_usage(stdout);
            return EXIT_SUCCESS;
        default:
            print_usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "webhookd: unexpected argument \"%s\"\n", argv[optind]);
    print_usage(stderr);
    return EXIT_USAGE;
}

/* A service manager may start webhookd with some of the descriptors 0 to 2 closed. A store or
 * socket must never get one of these numbers. */
static void open_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Returns the path of the supervisor: beside webhookd in a build folder, under libexec once
 * installed. The caller frees it. */
static char *find_supervisor(void)
{
    char self[4096];
    ssize_t bytes = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (bytes > 0) {
        self[bytes] = '\0';
        char *slash = strrchr(self, '/');
        *slash = '\0';
        char *beside = memory_format("%s/%s", self, SUPERVISOR);
        if (access(beside, X_OK) == 0)
            return beside;
        free(beside);
    }
    return memory_format("%s/%s", WEBHOOKD_LIBEXEC, SUPERVISOR);
}

static int check_and_run(const struct command_line *line, struct config *config,
                         const char *supervisor_path)
{
    struct error error = ERROR_INIT;
    struct resources resources;
    resources_measure(&resources);
    const struct configuration_place place = {line->config_path, supervisor_path, &resources};
    if (configuration_check(config, &place, &error) != 0) {
        fprintf(stderr, "%s: %s\n", line->config_path, error.message);
        return CONFIG_EXIT_STATUS;
    }
    if (line->check_config) {
        configuration_print_bounds(config, line->config_path);
        struct config_report report = {0};
        configuration_report_sections(config, &report);
        print_report(&report);
        char *caveat = store_caveat(config->store);
        printf("%s: ok%s%s\n", line->config_path, caveat ? "; note: " : "", caveat ? caveat : "");
        free(caveat);
        return EXIT_SUCCESS;
    }
    log_set_level(config->log_level);
    log_set_format(config->log_format);
    umask(077);
    const struct daemon_options options = {
        .config = config,
        .place = &place,
        .hooks_fd = systemd_inherited_sockets() > 0 ? 3 : -1,
    };
    return daemon_run(&options);
}

int main(int argc, char **argv)
{
    open_standard_descriptors();
    struct command_line line = {.config_path = CONFIG_DEFAULT_PATH};
    int status = read_command_line(argc, argv, &line);
    if (status >= 0)
        return status;

    struct config_report report = {0};
    struct config *config = config_load(line.config_path, &report);
    print_report(&report);
    if (!config)
        return CONFIG_EXIT_STATUS;
    char *supervisor_path = find_supervisor();
    status = check_and_run(&line, config, supervisor_path);
    free(supervisor_path);
    config_release(config);
    return status;
}
