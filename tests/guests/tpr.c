// SPDX-License-Identifier: GPL-2.0-only
/* Task priority as hypervisors help old guests with it: reports of accesses, and the TPR page. */
#include "lib.h"

#define TPR	 0x80
#define VEC	 0x45
#define RIP_PORT 0xd8
#define A_WHILE	 100000
/* KVM_HC_VAPIC_POLL_IRQ, by whichever instruction; the hypervisor replaces the wrong one. */
#define POLL_IRQ 1

static volatile u64 count;
static volatile u8 in_service;
/* TPR, class in service, 0, highest requested. */
static volatile u8 page[4096] __attribute__((aligned(4096)));

static void on_irq(struct trap_frame *f)
{
	count += f->vector == VEC;
	in_service = page[1];
	xapic_write(0xb0, 0);
}

static void poll(void)
{
	u64 ret = POLL_IRQ;

	asm volatile("vmcall" : "+a"(ret) : : "memory");
}

static void report_tests(void)
{
	u8 before = inb(0xd5);
	u64 at;
	u32 val;

	xapic_write(TPR, 0x10);
	check_eq("no report unless asked for", inb(0xd5), before);
	outb(0xd4, 1);
	asm volatile("lea 1f(%%rip), %0\n1: movl %2, (%1)"
		     : "=&r"(at)
		     : "r"(XAPIC + TPR), "r"(0x20)
		     : "memory");
	check_eq("a store is reported", (u8)(inb(0xd5) - before), 1);
	check_eq("as such", inb(0xd6), 1);
	check_eq("with its RIP", inl(RIP_PORT), at);
	asm volatile("lea 1f(%%rip), %0\n1: movl (%2), %1"
		     : "=&r"(at), "=&r"(val)
		     : "r"(XAPIC + TPR)
		     : "memory");
	check_eq("a load is reported", (u8)(inb(0xd5) - before), 2);
	check_eq("as such", inb(0xd6), 0);
	check_eq("with its RIP", inl(RIP_PORT), at);
	check_eq("the store was carried out", val, 0x20);
	xapic_write(0xf0, 0x1ff);
	check_eq("other registers are not reported", (u8)(inb(0xd5) - before), 2);
	outb(0xd4, 0);
	xapic_write(TPR, 0);
	check_eq("switched off again", (u8)(inb(0xd5) - before), 2);
}

static void page_tests(void)
{
	outl(0xd0, (u32)(u64)page);
	check_eq("the page has the TPR", page[0], 0);
	page[0] = 0x80;
	check_eq("the APIC takes it from there", xapic_read(TPR), 0x80);
	xapic_write(0x300, 0x40000 | VEC);
	sti();
	spin(A_WHILE);
	check_eq("it holds an interrupt back", count, 0);
	inb(0xd5);
	check_eq("which the page shows", page[3], VEC);
	page[0] = 0;
	poll();
	spin(A_WHILE);
	check_eq("lowered and polled: it comes", count, 1);
	check_eq("in service meanwhile", in_service, VEC & 0xf0);
	cli();
	xapic_write(TPR, 0x30);
	check_eq("a store to the APIC shows in the page", page[0], 0x30);
	outl(0xd0, 0);
	page[0] = 0x70;
	check_eq("no page any more", xapic_read(TPR), 0x30);
	xapic_write(TPR, 0);
}

int main(void)
{
	handlers[VEC] = on_irq;
	xapic_write(0xf0, 0x1ff);
	report_tests();
	page_tests();
	return fails();
}
