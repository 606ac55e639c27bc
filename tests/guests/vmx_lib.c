// SPDX-License-Identifier: GPL-2.0-only
/* See vmx.h. */
#include "vmx.h"

asm(".globl run_l2\n"
    "run_l2:\n\t"
    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rsi\n\t"
    "mov $0x6c14, %eax; vmwrite %rsp, %rax\n\t"
    "mov $0x6c16, %eax; mov $l2_exit, %ecx; vmwrite %rcx, %rax\n\t"
    "test %edi, %edi\n\t"
    "mov 0(%rsi), %rax; mov 8(%rsi), %rcx; mov 16(%rsi), %rdx; mov 24(%rsi), %rbx\n\t"
    "mov 40(%rsi), %rbp; mov 56(%rsi), %rdi; mov 64(%rsi), %r8; mov 72(%rsi), %r9\n\t"
    "mov 48(%rsi), %rsi\n\t"
    "jnz 1f\n\t"
    "vmlaunch\n\t"
    "jmp 2f\n"
    "1: vmresume\n"
    "2: mov $1, %eax\n\t"
    "jc 3f\n\t"
    "mov $2, %eax\n"
    "3: pop %rsi; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n\t"
    "cld\n\t"
    "ret\n"
    "l2_exit:\n\t"
    "xchg %rsi, (%rsp)\n\t"
    "mov %rax, 0(%rsi); mov %rcx, 8(%rsi); mov %rdx, 16(%rsi); mov %rbx, 24(%rsi)\n\t"
    "mov %rbp, 40(%rsi); mov %rdi, 56(%rsi); mov %r8, 64(%rsi); mov %r9, 72(%rsi)\n\t"
    "mov (%rsp), %rax; mov %rax, 48(%rsi)\n\t"
    "xor %eax, %eax\n\t"
    "jmp 3b\n");

void set_segment(int i, u16 sel, u64 base, u32 limit, u32 ar)
{
	vmwrite(0x800 + 2 * i, sel);
	vmwrite(0x4800 + 2 * i, limit);
	vmwrite(0x4814 + 2 * i, ar);
	vmwrite(0x6806 + 2 * i, base);
}

/* VM exits come back to what is loaded now, but for RIP and RSP, which are set before VM entry. */
void host_state(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) dt;
	u32 f;

	for (f = 0xc00; f <= 0xc0a; f += 2)
		vmwrite(f, f == 0xc02 ? 8 : 0);
	vmwrite(0xc0c, 0x20); /* TR */
	vmwrite(0x6c00, READ_CR(0));
	vmwrite(0x6c02, READ_CR(3));
	vmwrite(0x6c04, READ_CR(4));
	for (f = 0x6c06; f <= 0x6c12; f += 2)
		vmwrite(f, 0);
	asm volatile("sgdt %0" : "=m"(dt));
	vmwrite(0x6c0c, dt.base);
	asm volatile("sidt %0" : "=m"(dt));
	vmwrite(0x6c0e, dt.base);
	vmwrite(0x4c00, 0);
	vmwrite(0x2c02, rdmsr(MSR_EFER));
}
