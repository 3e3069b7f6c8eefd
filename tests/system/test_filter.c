/* The system call filter of strict mode: what scripts use works behind it, and a kernel without
 * such filters prevents the start. What the filter refuses: test_hostile.c, and for every call
 * tests/unit/test_syscall_filter.c. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "supervisor/allow_list.h"
#include "support/daemon.h"
#include "support/suite.h"
#include "support/vessel_bench.h"

#define GIB ((int64_t)1024 * 1024 * 1024)

/* Runs the script in strict mode, with the default limits, and expects this output. */
static void check_program(const char *program, const char *script, const char *output)
{
    static char user[] = "nobody", home[] = SANDBOX_HOME;
    struct bench bench;
    char *find = memory_format("PATH=" BENCH_PATH " command -v %s >/dev/null", program);
    if (system(find) != 0) {
        test_skip("the program is not installed");
        free(find);
        return;
    }
    bench_open(&bench, script);
    bench.job.is_strict = bench.job.network = true;
    bench.job.workdir = home;
    bench.job.max_memory_bytes = 2 * GIB;
    bench.job.max_processes = 1024;
    bench.job.max_open_files = 1024;
    if (geteuid() == 0) {
        bench.job.change_user = true;
        bench.job.uid = bench.job.gid = 65534;
        bench.job.user = user;
    }
    bench_run(&bench);
    bench_check_output(&bench, output);
    bench_check_result(&bench, ATTEMPT_EXITED, 0);
    bench_close(&bench);
    free(find);
}

TEST(bash_with_pipes_jobs_and_substitutions_works)
{
    check_program("bash",
                  "set -e\n"
                  "for i in 1 2 3; do (sleep 0; true) & done; wait\n"
                  "coproc cat; echo coprocess >&${COPROC[1]}; read -r line <&${COPROC[0]}\n"
                  "kill $COPROC_PID; wait || true; echo $line; diff <(seq 3) <(seq 3); seq 1000 | "
                  "sort -rn | head -1\n"
                  "timeout 5 nice ionice -c 3 true; mkfifo p; (echo fifo >p) & cat p; wait\n"
                  "trap 'echo term' TERM; kill -TERM $$; flock lock echo locked; nohup true\n"
                  "unshare --user true 2>/dev/null || echo refused",
                  "coprocess\n1000\nfifo\nterm\nlocked\nrefused\n");
}

TEST(python_with_processes_threads_and_sockets_works)
{
    check_program(
        "python3",
        "cat >main.py <<'END'\n"
        "import asyncio, ctypes, fcntl, mmap, multiprocessing, os, select, socket, sqlite3\n"
        "import ssl, subprocess, tempfile, threading\n"
        "from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor\n"
        "from multiprocessing import shared_memory\n"
        "async def run():\n"
        "    process = await asyncio.create_subprocess_exec('true')\n"
        "    return await process.wait()\n"
        "def main():\n"
        "    print(multiprocessing.Pool(2).map(abs, [-1, -2]))\n"
        "    for method in 'spawn', 'forkserver':\n"
        "        with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:\n"
        "            print(list(pool.map(abs, [-3])))\n"
        "    print(ThreadPoolExecutor(4).submit(os.getpid).result() == os.getpid())\n"
        "    memory = shared_memory.SharedMemory(create=True, size=10); memory.unlink()\n"
        "    print(subprocess.check_output(['echo', 'child']))\n"
        "    print(socket.getaddrinfo('127.0.0.1', 80)[0][4], len(socket.if_nameindex()) > 0)\n"
        "    a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1))\n"
        "    print(asyncio.run(run()))\n"
        "    ssl.create_default_context(); base = sqlite3.connect('base')\n"
        "    base.execute('PRAGMA journal_mode = WAL'); base.execute('CREATE TABLE t (a)')\n"
        "    print(os.sched_getaffinity(0) != set(), mmap.mmap(-1, 4096).write(b'x'))\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
        "END\npython3 main.py\n" /* multiprocessing's helpers end a moment after it */
        "until ls -d /proc/[0-9]* 2>/dev/null | wc -l | grep -qE '^[2-5]$'; do :; done\n",
        "[1, 2]\n[3]\n[3]\nTrue\nb'child\\n'\n('127.0.0.1', 80) True\nb'x'\n0\nTrue 1\n");
}

TEST(node_with_workers_children_and_files_works)
{
    check_program("node",
                  "cat >main.js <<'END'\n"
                  "const {Worker} = require('worker_threads');\n"
                  "const child = require('child_process');\n"
                  "const fs = require('fs').promises;\n"
                  "const http = require('http');\n"
                  "const crypto = require('crypto');\n"
                  "const worker = () => new Promise((done, failed) => {\n"
                  "    const w = new Worker(`require('worker_threads').parentPort.postMessage("
                  "'worker')`, {eval: true});\n"
                  "    w.on('message', done); w.on('error', failed);\n"
                  "});\n"
                  "const serve = () => new Promise((done) => {\n"
                  "    const server = http.createServer((q, r) => r.end('served'));\n"
                  "    server.listen(0, '127.0.0.1', async () => {\n"
                  "        const url = `http://127.0.0.1:${server.address().port}/`;\n"
                  "        const text = await (await fetch(url)).text();\n"
                  "        server.close(); server.closeAllConnections(); done(text);\n"
                  "    });\n"
                  "});\n"
                  "(async () => {\n"
                  "    console.log(await worker());\n"
                  "    console.log(child.execSync('echo child').toString().trim());\n"
                  "    await fs.writeFile('file', 'text'); console.log(`${await "
                  "fs.readFile('file')}`);\n"
                  "    console.log(await serve());\n"
                  "    console.log(crypto.scryptSync('a', 'b', 8).length);\n"
                  "})();\n"
                  "END\n"
                  "node main.js\n",
                  "worker\nchild\ntext\nserved\n8\n");
}

TEST(git_works)
{
    check_program(
        "git",
        "set -e; git init -q a; cd a; echo x >f; git add f\n"
        "git -c user.name=a -c user.email=b commit -qm m; cd ..\n"
        "git clone -q a b; git -C b log --format=%s; git -C b gc -q; git -C b fsck --no-progress\n",
        "m\n");
}

TEST(jq_works)
{
    check_program("jq", "echo '{\"a\": [1, 2]}' | jq -c '.a | add'\n", "3\n");
}

TEST(perl_works)
{
    check_program(
        "perl",
        "perl -MSocket -MIO::Select -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or die; "
        "if (!fork) { syswrite A, \"perl\\n\"; exit } sysread B, $_, 9; print; wait'\n",
        "perl\n");
}

TEST(tar_with_compressors_works)
{
    check_program("tar",
                  "set -e; mkdir d; seq 1000 >d/f; ln d/f d/g; ln -s f d/h\n"
                  "for z in '' z j J; do tar c${z}f x.tar d; mkdir e; tar xf x.tar -C e\n"
                  "diff -r d e/d && echo same; rm -r e; done\n",
                  "same\nsame\nsame\nsame\n");
}

TEST(gcc_works)
{
    check_program(
        "gcc",
        "set -e\n"
        "echo 'int printf(const char *, ...); int main(void) { printf(\"gcc\\n\"); }' >a.c\n"
        "gcc -O2 -pipe -o a a.c; ./a; make -s CC=gcc CFLAGS=-g a; ./a\n",
        "gcc\ngcc\n");
}

TEST(openssl_works)
{
    check_program("openssl",
                  "set -e; openssl genpkey -algorithm ed25519 -out key; echo x >f\n"
                  "openssl req -x509 -new -key key -subj /CN=a -days 1 -out certificate\n"
                  "openssl verify -CAfile certificate certificate\n"
                  "openssl rand -hex 4 | wc -c\n",
                  "certificate: OK\n9\n");
}

/* Makes the kernel answer as one that was built without filters. */
static void refuse_filters(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_COUNT(filter), .filter = filter};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST(where_the_kernel_has_no_filters_strict_mode_does_not_start)
{
    struct daemon daemon;
    static const struct daemon_options options = {.sandbox = "strict"};
    daemon_prepare(&daemon, &options);
    refuse_filters();
    ck_assert_int_eq(daemon_start_fails(&daemon), 78);
    char *log = daemon_log(&daemon);
    ck_assert_msg(strstr(log, "vessels cannot be isolated: cannot install the system call filter"),
                  "%s", log);
    free(log);
    daemon_finish(&daemon);
}
