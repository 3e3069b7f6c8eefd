/* Attempts by calls that only x86-64 has. Elsewhere there are none. */
#include <sys/syscall.h>
#include <unistd.h>

#include "hostile/hostile.h"

#ifdef __x86_64__

static long read_segments(void)
{
    char bytes[64];
    return syscall(SYS_modify_ldt, 0, bytes, sizeof(bytes));
}

static long give_up_ports(void)
{
    return syscall(SYS_ioperm, 0x80, 1, 0);
}

static long give_up_all_ports(void)
{
    return syscall(SYS_iopl, 0);
}

static long count_file_systems(void)
{
    return syscall(SYS_sysfs, 3);
}

static long call_as_x32(void)
{
    return syscall(0x40000000 | SYS_getpid);
}

static long call_as_i386(void)
{
    long result = 20; /* getpid */
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result;
}

#endif

const struct attempt attempts_on_architecture[] = {
#ifdef __x86_64__
    ATTEMPT("x86", read_segments),
    ATTEMPT("x86", give_up_ports),
    ATTEMPT("x86", give_up_all_ports),
    ATTEMPT("x86", count_file_systems),
    ATTEMPT("x86", call_as_x32),
    ATTEMPT("x86", call_as_i386),
#endif
    {0},
};
