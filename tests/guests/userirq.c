// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts from a controller in user space (runner/pic.c): KVM_INTERRUPT, the
 * interrupt window, HLT and CR8 exits, and a queued interrupt that is saved and restored.
 */
#include "lib.h"

#define VEC_LOW	   0x45
#define VEC_HIGH   0xa5
#define A_WHILE	   100000
#define MSR_PV_EOI 0x4b564d04
#define SPIN	   20000000000ul /* TSC ticks: long, and no exit in between */

enum irqchip { IRQCHIP_ON, IRQCHIP_SPLIT, IRQCHIP_OFF };

static void on_irq(struct trap_frame *f)
{
	arrived[f->vector]++;
}

static void raise(u8 vec)
{
	outb(0xe0, vec);
}

/* Nothing but registers until @vec has come @n times: no exit that would tell user space more. */
static int spin_until(u8 vec, u64 n)
{
	u64 end = rdtsc() + SPIN;

	while (arrived[vec] < n && rdtsc() < end)
		asm volatile("pause" : : : "memory");
	return arrived[vec] == n;
}

static void window_tests(void)
{
	raise(VEC_LOW);
	spin(A_WHILE);
	check_eq("it waits for IF", arrived[VEC_LOW], 0);
	sti();
	check("IF opens the window", spin_until(VEC_LOW, 1));
	raise(VEC_HIGH);
	check("with IF it comes at once", spin_until(VEC_HIGH, 1));
	cli();

	/* The window opens behind the instruction after STI, here a HLT. */
	raise(VEC_LOW);
	asm volatile("sti; hlt; cli" : : : "memory");
	check_eq("it ends HLT", arrived[VEC_LOW], 2);
}

static void save_test(void)
{
	outb(0xe5, 1);
	raise(VEC_LOW);
	sti();
	check("queued, saved, restored", spin_until(VEC_LOW, 3));
	cli();
	outb(0xe5, 0);
}

static void hlt_test(void)
{
	outb(0xe1, VEC_HIGH);
	asm volatile("sti; hlt; cli" : : : "memory");
	check_eq("HLT is an exit to user space", arrived[VEC_HIGH], 2);
}

static void cr8_tests(void)
{
	u8 exits = inb(0xe4);

	WRITE_CR(8, 5);
	check_eq("raising the TPR is no exit", (u8)(inb(0xe4) - exits), 0);
	check_eq("CR8 reads back", READ_CR(8), 5);
	sti();
	raise(VEC_LOW);
	spin(A_WHILE);
	check_eq("the TPR holds an interrupt back", arrived[VEC_LOW], 3);
	WRITE_CR(8, 3);
	check("lowering it tells user space", spin_until(VEC_LOW, 4));
	cli();
	check_eq("by one exit", (u8)(inb(0xe4) - exits), 1);
	WRITE_CR(8, 0);
}

static void apic_base_test(void)
{
	u64 base = rdmsr(0x1b);

	wrmsr(0x1b, base & ~0x800ul);
	check_eq("kvm_run has the APIC base", inl(0xe8), (u32)base & ~0x800u);
	wrmsr(0x1b, base);
}

static void enable_pv_eoi(void *value)
{
	wrmsr(MSR_PV_EOI, (u64)value);
}

/* What CPUID offers a guest whose local APIC is in user space. */
static void cpuid_test(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	check_eq("no TSC-deadline timer without the kernel's APIC", r[2] >> 24 & 1, 0);
	cpuid(0x40000001, 0, r);
	check_eq("paravirtual EOI is offered", r[0] >> 6 & 1, 1);
	check_eq("and may be enabled", (u64)expect_trap(enable_pv_eoi, (void *)0x8001ul), (u64)-1);
	check_eq("and reads back", rdmsr(MSR_PV_EOI), 0x8001);
	check_eq("#GP on its reserved bit", (u64)expect_trap(enable_pv_eoi, (void *)0x8003ul), 13);
	wrmsr(MSR_PV_EOI, 0);
}

int main(void)
{
	u8 mode = inb(0xe3);

	handlers[VEC_LOW] = on_irq;
	handlers[VEC_HIGH] = on_irq;
	puts(mode == IRQCHIP_OFF ? "no interrupt controller in the kernel\n" :
				   "PIC in user space, local APIC in the kernel\n");
	window_tests();
	save_test();
	if (mode == IRQCHIP_OFF) {
		hlt_test();
		cr8_tests();
		apic_base_test();
		cpuid_test();
	}
	return fails();
}
