// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts: local APIC (xAPIC and x2APIC), its timer in all modes, self IPI, PIT through the PIC. */
#include "lib.h"

#define VEC_TIMER 0x40
#define VEC_IPI	  0x41
#define VEC_PIT	  0x20

static int x2apic;

static void apic_write(u32 reg, u32 val)
{
	if (x2apic)
		wrmsr(0x800 + reg / 16, val);
	else
		xapic_write(reg, val);
}

static u32 apic_read(u32 reg)
{
	return x2apic ? (u32)rdmsr(0x800 + reg / 16) : xapic_read(reg);
}

static void on_apic(struct trap_frame *f)
{
	arrived[f->vector]++;
	apic_write(0xb0, 0);
}

static void on_pit(struct trap_frame *f)
{
	arrived[f->vector]++;
	outb(0x20, 0x20);
}

static void apic_tests(const char *mode)
{
	u64 before;

	puts(mode);
	puts("\n");
	apic_write(0xf0, 0x1ff);
	check("version", (apic_read(0x30) & 0xff) >= 0x10);

	before = arrived[VEC_IPI];
	if (x2apic)
		wrmsr(0x83f, VEC_IPI);
	else
		apic_write(0x300, 0x40000 | VEC_IPI);
	check_eq("self IPI waits for IF", arrived[VEC_IPI], before);
	window();
	check_eq("self IPI", arrived[VEC_IPI], before + 1);

	before = arrived[VEC_TIMER];
	apic_write(0x3e0, 0xb);
	apic_write(0x320, VEC_TIMER);
	apic_write(0x380, 100000);
	wait_for(VEC_TIMER, before + 1);
	check("one-shot timer", 1);
	check_eq("one-shot timer stays at 0", apic_read(0x390), 0);

	apic_write(0x320, VEC_TIMER | 0x20000);
	apic_write(0x380, 100000);
	wait_for(VEC_TIMER, before + 4);
	check("periodic timer", 1);
	apic_write(0x320, 0x10000);
	apic_write(0x380, 0);
	window(); /* a tick may have been pending */

	before = arrived[VEC_TIMER];
	apic_write(0x320, VEC_TIMER | 0x40000);
	wrmsr(0x6e0, rdtsc() + 100000);
	wait_for(VEC_TIMER, before + 1);
	check_eq("TSC deadline disarms itself", rdmsr(0x6e0), 0);
	wrmsr(0x6e0, 1);
	window();
	check_eq("TSC deadline in the past", arrived[VEC_TIMER], before + 2);

	WRITE_CR(8, 8);
	before = arrived[VEC_IPI];
	if (x2apic)
		wrmsr(0x83f, VEC_IPI);
	else
		apic_write(0x300, 0x40000 | VEC_IPI);
	window();
	check_eq("TPR holds an interrupt back", arrived[VEC_IPI], before);
	WRITE_CR(8, 0);
	window();
	check_eq("TPR lets it pass", arrived[VEC_IPI], before + 1);
}

static void pit_test(void)
{
	start_pit(VEC_PIT, 0x1000);
	wait_for(VEC_PIT, 3);
	check("PIT through the PIC", 1);
	outb(0x21, 0xff);
}

int main(void)
{
	handlers[VEC_TIMER] = on_apic;
	handlers[VEC_IPI] = on_apic;
	handlers[VEC_PIT] = on_pit;
	apic_tests("xAPIC");
	pit_test();
	wrmsr(0x1b, rdmsr(0x1b) | 0x400);
	x2apic = 1;
	apic_tests("x2APIC");
	return fails();
}
