/*
 * The first instructions of cella-oci, before libc. Commands that end in a container's execve run
 * from a read-only clone of their own file (runtime/executable.c says why), and the program that
 * is left behind for that need not be set up first: relocating its pointers, touching its pages and
 * starting libc would cost as much as the rest of `exec`. This is a short cut and no defence: where
 * it does not apply, fails, or overlooks a command, ct_protect_executable() does the same later.
 *
 * Nothing is relocated yet and there is no thread-local storage: only system calls, no function or
 * pointer table of anybody. The linker's -e names early_start (Makefile).
 * Source: System V ABI for x86-64, "Process Initialization"; open_tree(2), mount_setattr(2).
 */
#ifdef __x86_64__

#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

/* The stack pointer at a process's birth is the address of argc; rdx goes on to libc. */
__asm__(".text\n"
	".globl early_start\n"
	".type early_start, @function\n"
	"early_start:\n"
	"	mov %rsp, %rdi\n"
	"	push %rdx\n"
	"	push %rdx\n" /* twice: calls want the stack aligned to 16 bytes */
	"	call early_main\n"
	"	pop %rdx\n"
	"	pop %rdx\n"
	"	jmp _start\n"
	".size early_start, . - early_start\n");

/* A negative answer is an errno value: libc's errno is not there yet. */
static long system_call(long number, long a, const void *b, long c, const void *d, long e)
{
	register long r10 __asm__("r10") = (long)d;
	register long r8 __asm__("r8") = e;
	long result = number;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Any argument counts, options' values too: a needless second start harms nobody. */
static bool enters_container(const char *const *argv)
{
	static const char commands[][8] = { "create", "exec", "run" };

	for (; *argv; argv++)
		for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			if (is_same(*argv, commands[i]))
				return true;
	return false;
}

void early_main(const long *stack);
__attribute__((no_stack_protector, used)) void early_main(const long *stack)
{
	const char *const *argv = (const char *const *)(const void *)(stack + 1);
	const char *const *envp = argv + *stack + 1;
	static const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
							    MOUNT_ATTR_NODEV };
	static const char self[] = "/proc/self/exe";
	long fd;

	/* not writable: it is the clone already, or needs none */
	if (!enters_container(argv) ||
	    system_call(SYS_faccessat2, AT_FDCWD, self, W_OK, (const void *)AT_EACCESS, 0) < 0)
		return;
	fd = system_call(SYS_open_tree, AT_FDCWD, self, OPEN_TREE_CLONE | O_CLOEXEC, NULL, 0);
	if (fd < 0)
		return;
	if (system_call(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		system_call(SYS_execveat, fd, "", (long)argv, envp, AT_EMPTY_PATH);
	system_call(SYS_close, fd, NULL, 0, NULL, 0);
}

#endif
