// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt shadow (SDM "STI—Set Interrupt Flag"): the instruction behind STI comes before an
 * interrupt that waits, also when that instruction exits first and is then executed.
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
	halt_in_shadow();
	check_eq("STI, HLT: the interrupt ends it", came, 1);
	return fails();
}
