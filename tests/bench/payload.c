/*
 * payload: the process inside the measured containers, without libc so that its start is not in
 * the way. Without an argument it exits at once; with one it sleeps until it is killed.
 * A program of this kind starts at _start with argc on the stack: System V AMD64 ABI, 3.4.1.
 */
void _start(void);

__attribute__((naked, noreturn, used)) void _start(void)
{
#if defined(__x86_64__)
	__asm__ volatile("cmpq $1, (%%rsp)\n"
			 "	jne 1f\n"
			 "	movl $231, %%eax\n" /* exit_group(0) */
			 "	xorl %%edi, %%edi\n"
			 "	syscall\n"
			 "1:	movl $34, %%eax\n" /* pause() */
			 "	syscall\n"
			 "	jmp 1b\n" ::
				 : "memory");
#elif defined(__aarch64__)
	__asm__ volatile("ldr x1, [sp]\n"
			 "	cmp x1, #1\n"
			 "	b.ne 1f\n"
			 "	mov x8, #94\n" /* exit_group(0) */
			 "	mov x0, #0\n"
			 "	svc #0\n"
			 "1:	mov x8, #73\n" /* ppoll(NULL, 0, NULL, NULL) */
			 "	mov x0, #0\n"
			 "	mov x1, #0\n"
			 "	mov x2, #0\n"
			 "	mov x3, #0\n"
			 "	svc #0\n"
			 "	b 1b\n" ::
				 : "memory");
#else
#error "payload.c knows x86-64 and aarch64"
#endif
}
