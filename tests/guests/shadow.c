// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt shadow (SDM "STI—Set Interrupt Flag"): the instruction behind STI comes before an
 * interrupt that waits, also when that instruction exits first and is then executed, and when it
 * saves the flags: a hypervisor that single-steps it must not show.
 */
#include "lib.h"

#define VEC	   0x41
#define NEVER_USED 0x2000000ul /* memory that no access has mapped yet */
#define EACH	   0x200000ul

static volatile u64 came, interrupted_rip;

static void on_irq(struct trap_frame *f)
{
	came++;
	interrupted_rip = f->rip;
	wrmsr(0x80b, 0);
}

/* With an interrupt waiting: STI, and a read of @at behind it. The address after the read. */
static u64 read_in_shadow(volatile u8 *at)
{
	u64 next;
	u8 byte;

	wrmsr(0x83f, VEC);
	asm volatile("leaq 1f(%%rip), %0\n\t"
		     "sti\n\t"
		     "movb (%2), %1\n"
		     "1:\tnop\n\t"
		     "cli"
		     : "=&r"(next), "=&r"(byte)
		     : "r"(at)
		     : "memory");
	return next;
}

static void halt_in_shadow(void)
{
	wrmsr(0x83f, VEC);
	asm volatile("sti; hlt; cli" : : : "memory");
}

#define VEC_SOFT 0x42
#define TF	 0x100u

static volatile u64 soft_flags, soft_came;

static void on_soft(struct trap_frame *f)
{
	soft_came++;
	soft_flags = f->rflags;
}

/* The push to a stack that no access has mapped yet exits first. */
static u64 flags_in_shadow(u64 stack)
{
	u64 flags, old;

	wrmsr(0x83f, VEC);
	asm volatile("mov %%rsp, %1\n\t"
		     "mov %2, %%rsp\n\t"
		     "sti\n\t"
		     "pushfq\n\t"
		     "cli\n\t"
		     "pop %0\n\t"
		     "mov %1, %%rsp"
		     : "=&r"(flags), "=&r"(old)
		     : "r"(stack)
		     : "memory");
	return flags;
}

static void soft_interrupt_in_shadow(void)
{
	wrmsr(0x83f, VEC);
	asm volatile("sti; int %0; cli" : : "i"(VEC_SOFT) : "memory");
}

int main(void)
{
	volatile u8 *at = (volatile u8 *)NEVER_USED;
	unsigned int i;
	u64 next;

	handlers[VEC] = on_irq;
	wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
	wrmsr(0x80f, 0x1ff);

	for (i = 0; i < 4; i++, at += EACH) {
		came = 0;
		next = read_in_shadow(at);
		check_eq("STI, a read of new memory: the interrupt", came, 1);
		check_eq("  comes behind the read", interrupted_rip, next);
	}
	came = 0;
	next = read_in_shadow((volatile u8 *)0xd0000000ul);
	check_eq("STI, a read of device memory: the interrupt", came, 1);
	check_eq("  comes behind the read", interrupted_rip, next);

	came = 0;
	check_eq("STI, PUSHF: no TF on the stack", flags_in_shadow((u64)at + 0x8000) & TF, 0);
	check_eq("  and the interrupt", came, 1);
	handlers[VEC_SOFT] = on_soft;
	came = 0;
	soft_interrupt_in_shadow();
	check_eq("STI, INT n: it comes", soft_came, 1);
	check_eq("  no TF on the stack", soft_flags & TF, 0);
	check_eq("  and the interrupt", came, 1);
	came = 0;
	halt_in_shadow();
	check_eq("STI, HLT: the interrupt ends it", came, 1);
	return fails();
}
