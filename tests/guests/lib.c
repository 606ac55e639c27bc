// SPDX-License-Identifier: GPL-2.0-only
/* See lib.h. */
#include "lib.h"

struct idt_entry {
	u16 off0, sel;
	u8 ist, type;
	u16 off1;
	u32 off2, zero;
};

static struct idt_entry idt[256];
trap_handler handlers[256];
volatile u64 arrived[256];
u64 last_error, last_cr2;
static int nr_fails;

/* Where expect_trap() continues: a jump buffer of its own. */
static volatile int trap_vector;
static u64 resume_rip, resume_rsp;
static volatile int expecting;

extern char trap_entries[];

void puts(const char *s)
{
	while (*s)
		outb(0xe9, *s++);
}

void puthex(u64 v)
{
	int i;

	for (i = 60; i >= 0; i -= 4)
		outb(0xe9, "0123456789abcdef"[(v >> i) & 15]);
}

void check(const char *name, int ok)
{
	puts(ok ? "PASS " : "FAIL ");
	puts(name);
	puts("\n");
	nr_fails += !ok;
}

void check_eq(const char *name, u64 got, u64 want)
{
	check(name, got == want);
	if (got != want) {
		puts("  got ");
		puthex(got);
		puts(" want ");
		puthex(want);
		puts("\n");
	}
}

int fails(void)
{
	return nr_fails ? 1 : 0;
}

void trap(struct trap_frame *f);
void trap(struct trap_frame *f)
{
	if (f->vector == 14)
		last_cr2 = READ_CR(2);
	last_error = f->error;
	if (handlers[f->vector]) {
		handlers[f->vector](f);
		return;
	}
	if (expecting) {
		expecting = 0;
		trap_vector = (int)f->vector;
		f->rip = resume_rip;
		f->rsp = resume_rsp;
		return;
	}
	puts("FAIL unexpected trap ");
	puthex(f->vector);
	puts(" error ");
	puthex(f->error);
	puts(" rip ");
	puthex(f->rip);
	puts(" cr2 ");
	puthex(READ_CR(2));
	puts("\n");
	outb(0xf4, 2);
}

int __attribute__((noinline)) expect_trap(void (*fn)(void *), void *arg)
{
	trap_vector = -1;
	expecting = 1;
	/* Everything is clobbered: whichever way the label is reached, registers are reloaded. */
	asm volatile("push %%rbp\n\t"
		     "lea 1f(%%rip), %%rcx\n\t"
		     "mov %%rcx, %2\n\t"
		     "mov %%rsp, %3\n\t"
		     "call *%0\n\t"
		     "1: pop %%rbp"
		     : "+a"(fn), "+D"(arg), "=m"(resume_rip), "=m"(resume_rsp)
		     :
		     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		       "r15", "memory", "cc");
	expecting = 0;
	return trap_vector;
}

void lib_load_idt(void);
void lib_load_idt(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) desc = { sizeof(idt) - 1, (u64)idt };

	asm volatile("lidt %0" : : "m"(desc));
}

void spin(u32 pauses)
{
	while (pauses--)
		asm volatile("pause" : : : "memory");
}

void window(void)
{
	sti();
	spin(100);
	cli();
}

void wait_for(u32 vec, u64 n)
{
	while (arrived[vec] < n)
		asm volatile("sti; hlt; cli" : : : "memory");
}

void start_pit(u8 vec, u16 divisor)
{
	outb(0x20, 0x11);
	outb(0x21, vec);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0x21, 0xfe);
	xapic_write(0x350, 0x700); /* LVT0: ExtINT */
	outb(0x43, 0x34);
	outb(0x40, divisor & 0xff);
	outb(0x40, divisor >> 8);
}

/* A payload without one does not start CPUs. */
void __attribute__((weak)) ap_main(u64 cpu)
{
	(void)cpu;
}

#define START_AT 0x1000 /* where a CPU begins: the page that the SIPI names */

int start_cpu(u32 apic_id)
{
	static const u8 jump[] = { 0xea, 0x00, 0x7c, 0x00, 0x00 }; /* ljmp $0, $_start */
	volatile u8 *at = (volatile u8 *)START_AT;
	u32 before = *(volatile u32 *)&cpus_started;
	u64 end;
	u64 i;

	asm volatile("" : "+r"(at)); /* no object of the compiler's is there */
	for (i = 0; i < sizeof(jump); i++)
		at[i] = jump[i];
	wrmsr(0x1b, rdmsr(0x1b) | 0xc00);
	wrmsr(0x830, (u64)apic_id << 32 | 0x4500);
	wrmsr(0x830, (u64)apic_id << 32 | 0x4600 | START_AT >> 12);
	end = rdtsc() + (1ul << 32);
	while (*(volatile u32 *)&cpus_started == before && rdtsc() < end)
		asm volatile("pause");
	return *(volatile u32 *)&cpus_started != before;
}

void lib_init(void);
void lib_init(void)
{
	u64 at = (u64)trap_entries;
	int i;

	for (i = 0; i < 256; i++, at += 16) {
		idt[i].off0 = (u16)at;
		idt[i].sel = 8;
		idt[i].type = 0x8e;
		idt[i].off1 = (u16)(at >> 16);
		idt[i].off2 = (u32)(at >> 32);
	}
	lib_load_idt();
	/* A PIT that nobody has programmed ticks once KVM_SET_PIT2 has loaded it. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

void *memcpy(void *d, const void *s, u64 n);
void *memcpy(void *d, const void *s, u64 n)
{
	void *r = d;

	asm volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
	return r;
}

void *memset(void *d, int c, u64 n);
void *memset(void *d, int c, u64 n)
{
	void *r = d;

	asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	return r;
}
