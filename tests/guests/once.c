// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interrupt comes once, and not while interrupts are off, whatever another CPU does meanwhile.
 * A locked access that is not aligned makes QEMU's TCG stop every other CPU for a moment: one that
 * had been given an interrupt by VMRUN, and had not exited since, got it a second time.
 */
#include "lib.h"

#define VEC    0x41
#define ROUNDS 300

static volatile u64 came, inside, twice;
static volatile u32 stop, others;
static volatile u8 word[16] __attribute__((aligned(16)));

/* No exit from here to the EOI, for long enough to be stopped in. */
static void on_irq(struct trap_frame *f)
{
	u32 i;

	(void)f;
	came++;
	if (inside++)
		twice++;
	for (i = 0; i < 20000; i++)
		asm volatile("" : : : "memory");
	inside--;
	wrmsr(0x80b, 0);
}

void ap_main(u64 cpu)
{
	(void)cpu;
	while (!stop) {
		asm volatile("lock incl %0" : "+m"(*(volatile u32 *)(word + 1)));
		others++;
		spin(100);
	}
	for (;;)
		asm volatile("cli; hlt");
}

int main(void)
{
	u64 i;

	handlers[VEC] = on_irq;
	wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
	wrmsr(0x80f, 0x1ff);
	check("the other CPU", start_cpu(1));
	for (i = 0; i < ROUNDS; i++) {
		wrmsr(0x83f, VEC);
		window();
	}
	stop = 1;
	check("it disturbed", others > 10);
	check_eq("interrupts", came, ROUNDS);
	check_eq("  in the handler of another", twice, 0);
	return fails();
}
