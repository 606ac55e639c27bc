// SPDX-License-Identifier: GPL-2.0-only
/* See vmx.h. */
#include "vmx.h"

asm(".globl run_l2\n"
    "run_l2:\n\t"
    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rsi\n\t"
    "test %rdx, %rdx\n\t"
    "jnz 4f\n\t"
    "mov $0x6c14, %eax; vmwrite %rsp, %rax\n\t"
    "mov $0x6c16, %eax; mov $l2_exit, %ecx; vmwrite %rcx, %rax\n\t"
    "jmp 5f\n"
    "4: mov %rsp, (%rdx)\n"
    "5: test %edi, %edi\n\t"
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
    ".globl l2_exit\n"
    "l2_exit:\n\t"
    "xchg %rsi, (%rsp)\n\t"
    "mov %rax, 0(%rsi); mov %rcx, 8(%rsi); mov %rdx, 16(%rsi); mov %rbx, 24(%rsi)\n\t"
    "mov %rbp, 40(%rsi); mov %rdi, 56(%rsi); mov %r8, 64(%rsi); mov %r9, 72(%rsi)\n\t"
    "mov (%rsp), %rax; mov %rax, 48(%rsi)\n\t"
    "xor %eax, %eax\n\t"
    "jmp 3b\n");

void by_vmwrite(u32 field, u64 val)
{
	vmwrite(field, val);
}

int vmread_status(u64 field)
{
	u64 v;
	u8 c, z;

	asm volatile("vmread %3, %0; setc %1; setz %2"
		     : "=r"(v), "=qm"(c), "=qm"(z)
		     : "r"(field)
		     : "cc");
	return c ? 1 : z ? 2 : 0;
}

void put_segment(field_put put, int i, u16 sel, u64 base, u32 limit, u32 ar)
{
	put(0x800 + 2 * i, sel);
	put(0x4800 + 2 * i, limit);
	put(0x4814 + 2 * i, ar);
	put(0x6806 + 2 * i, base);
}

void put_host(field_put put)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) dt;
	u32 f;

	for (f = 0xc00; f <= 0xc0a; f += 2)
		put(f, f == 0xc02 ? 8 : 0);
	put(0xc0c, 0x20); /* TR */
	put(0x6c00, READ_CR(0));
	put(0x6c02, READ_CR(3));
	put(0x6c04, READ_CR(4));
	for (f = 0x6c06; f <= 0x6c12; f += 2)
		put(f, 0);
	asm volatile("sgdt %0" : "=m"(dt));
	put(0x6c0c, dt.base);
	asm volatile("sidt %0" : "=m"(dt));
	put(0x6c0e, dt.base);
	put(0x4c00, 0);
	put(0x2c02, rdmsr(MSR_EFER));
	put(HOST_RIP, (u64)l2_exit);
}

void put_guest(field_put put, u64 rip, u64 rsp)
{
	int i;

	for (i = 0; i < 6; i++)
		put_segment(put, i, i == 1 ? 8 : 0x10, 0, 0xffffffff, i == 1 ? 0xa09b : 0xc093);
	put_segment(put, 6, 0, 0, 0xffff, 0x10000);
	put_segment(put, 7, 0x20, 0, 0x67, 0x8b);
	put(0x4810, 0xffff); /* GDTR and IDTR */
	put(0x4812, 0xffff);
	put(0x6816, 0);
	put(0x6818, 0);
	put(GUEST_CR0, READ_CR(0));
	put(GUEST_CR3, READ_CR(3));
	put(GUEST_CR4, READ_CR(4));
	put(0x681a, 0x400); /* DR7 */
	put(GUEST_RSP, rsp);
	put(GUEST_RIP, rip);
	put(GUEST_RFLAGS, 2);
	put(0x2806, rdmsr(MSR_EFER));
	put(0x6822, 0); /* pending debug exceptions, SYSENTER, debug control */
	put(0x6824, 0);
	put(0x6826, 0);
	put(0x482a, 0);
	put(0x2802, 0);
	put(GUEST_INTR, 0);
	put(GUEST_ACTIVITY, 0);
	put(LINK_PTR, ~0ul);
}

void put_controls(field_put put, u64 msr_bitmap, u64 eptp)
{
	put(PIN_CTLS, ctl(MSR_VMX_TRUE_PIN, 0));
	put(PROC_CTLS, ctl(MSR_VMX_TRUE_PROC, 0x80 | 1u << 28 | 1u << 24 | (eptp ? 1u << 31 : 0)));
	if (eptp) {
		put(PROC2_CTLS, 2);
		put(EPTP, eptp);
	}
	put(EXIT_CTLS, ctl(MSR_VMX_TRUE_EXIT, 1u << 9 | 1u << 20 | 1u << 21));
	put(ENTRY_CTLS, ctl(MSR_VMX_TRUE_ENTRY, 1u << 9 | 1u << 15));
	put(EXC_BITMAP, 1u << 6);
	put(ENTRY_INTR_INFO, 0);
	put(0x400e, 0); /* MSR lists, CR3 targets, page-fault error codes */
	put(0x4010, 0);
	put(0x4014, 0);
	put(0x400a, 0);
	put(0x4006, 0);
	put(0x4008, 0);
	put(0x2010, 0); /* TSC offset */
	put(MSR_BITMAP, msr_bitmap);
	put(CR0_MASK, 0);
	put(CR4_MASK, 0x2000);
	put(CR4_SHADOW, 0);
}

int offers_ept(void)
{
	return (rdmsr(MSR_VMX_TRUE_PROC) >> 63) && ((rdmsr(MSR_VMX_PROCBASED_CTLS2) >> 33) & 1);
}
