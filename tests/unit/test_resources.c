/* base/resources: what the kernel's files say, and which limit counts. The files are copies of what
 * kernels show. */
#include "base/resources.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "support/janitor.h"
#include "support/suite.h"

static char folder[] = "/tmp/webhookd-test-XXXXXX";

/* Writes folder/path and creates the folders above it. */
static void put(const char *path, const char *text)
{
    char *whole = memory_format("%s/%s", folder, path);
    for (char *slash = strchr(whole + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0755);
        *slash = '/';
    }
    int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_eq(file_write_all(fd, text, strlen(text)), 0);
    close(fd);
    free(whole);
}

static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    janitor_watch(folder);
    put("proc/sys/kernel/threads-max", "127000\n");
    put("proc/sys/kernel/pid_max", "4194304\n");
    put("proc/meminfo", "MemTotal:        2048000 kB\nMemFree:          100000 kB\n");
}

static void measure(struct resources *resources)
{
    char *proc = memory_format("%s/proc", folder), *cgroups = memory_format("%s/cgroup", folder);
    resources_measure_at(proc, cgroups, resources);
    free(proc);
    free(cgroups);
}

static void finish(void)
{
    struct error error = ERROR_INIT;
    ck_assert_int_eq(file_remove_tree(AT_FDCWD, folder, &error), 0);
}

TEST(without_groups_the_machine_limits)
{
    struct resources resources;
    begin();
    measure(&resources);
    ck_assert_int_eq(resources.tasks.amount, 127000);
    ck_assert_str_eq(resources.tasks.reason, "kernel.threads-max is 127000");
    ck_assert_int_eq(resources.memory.amount, INT64_C(2000) << 20);
    ck_assert_str_eq(resources.memory.reason, "the machine has 2000 MiB of memory");
    ck_assert_int_eq(resources.files.amount, INT64_MAX);
    finish();
}

TEST(a_group_and_each_group_above_it_limit)
{
    struct resources resources;
    begin();
    put("proc/self/cgroup", "0::/system.slice/webhookd.service\n");
    put("cgroup/system.slice/webhookd.service/pids.max", "400\n");
    put("cgroup/system.slice/webhookd.service/pids.current", "10\n");
    put("cgroup/system.slice/webhookd.service/memory.max", "max\n");
    put("cgroup/system.slice/pids.max", "900\n");
    put("cgroup/system.slice/pids.current", "800\n");
    put("cgroup/system.slice/memory.max", "104857600\n");
    measure(&resources);
    ck_assert_int_eq(resources.tasks.amount, 100);
    ck_assert_ptr_nonnull(strstr(resources.tasks.reason, "pids.max in "));
    ck_assert_ptr_nonnull(strstr(resources.tasks.reason, "/system.slice is 900"));
    ck_assert_str_eq(resources.tasks.advice, "raise TasksMax= in the unit");
    ck_assert_int_eq(resources.memory.amount, 104857600);
    ck_assert_ptr_nonnull(strstr(resources.memory.reason, "/system.slice is 104857600"));
    finish();
}

TEST(groups_of_version_1_limit)
{
    struct resources resources;
    begin();
    put("proc/self/cgroup", "9:name=systemd:/\n8:cpu,pids:/a/b\n4:memory:/a\n0::/\n");
    put("cgroup/pids/a/b/pids.max", "max\n");
    put("cgroup/pids/a/pids.max", "50\n");
    put("cgroup/pids/a/pids.current", "60\n");
    put("cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
    put("cgroup/memory/memory.limit_in_bytes", "536870912\n");
    measure(&resources);
    ck_assert_int_eq(resources.tasks.amount, 0);
    ck_assert_int_eq(resources.memory.amount, 536870912);
    finish();
}

/* In a container, the group is the root of what it sees. */
TEST(the_root_of_a_container_limits)
{
    struct resources resources;
    begin();
    put("proc/self/cgroup", "0::/\n");
    put("cgroup/pids.max", "70\n");
    put("cgroup/pids.current", "3\n");
    put("cgroup/memory.max", "268435456\n");
    measure(&resources);
    ck_assert_int_eq(resources.tasks.amount, 67);
    ck_assert_int_eq(resources.memory.amount, 268435456);
    finish();
}

TEST(files_that_cannot_be_understood_limit_nothing)
{
    struct resources resources;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    janitor_watch(folder);
    put("proc/self/cgroup", "\n:\nx:y\n0::\n");
    put("proc/meminfo", "nothing\n");
    put("proc/sys/kernel/pid_max", "many\n");
    measure(&resources);
    ck_assert_int_eq(resources.files.amount, INT64_MAX);
    ck_assert_int_eq(resources.tasks.amount, INT64_MAX);
    ck_assert_int_eq(resources.memory.amount, INT64_MAX);
    ck_assert_str_eq(resources.memory.reason, "");
    finish();
}

TEST(the_hard_limit_on_open_files_counts_and_the_soft_one_is_raised)
{
    struct resources resources;
    struct rlimit limits = {600, 1000};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limits), 0);
    resources_measure(&resources);
    ck_assert_int_eq(resources.files.amount, 1000);
    ck_assert_str_eq(resources.files.reason, "the hard limit on open files is 1000");
    resources_raise_files(500);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limits), 0);
    ck_assert_uint_eq(limits.rlim_cur, 600);
    resources_raise_files(700);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limits), 0);
    ck_assert_uint_eq(limits.rlim_cur, 700);
    resources_raise_files(7000);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limits), 0);
    ck_assert_uint_eq(limits.rlim_cur, 1000);
}
