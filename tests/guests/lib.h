/* SPDX-License-Identifier: GPL-2.0-only */
/* What payloads share: printing, checks, traps, port and register access. */
#ifndef GUEST_LIB_H
#define GUEST_LIB_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error, rip, cs, rflags, rsp, ss;
};

typedef void (*trap_handler)(struct trap_frame *f);
extern trap_handler handlers[256];
/* How often each vector has come; handlers count here what window() and wait_for() are for. */
extern volatile u64 arrived[256];

void puts(const char *s);
void puthex(u64 v);
/* One named check: prints PASS or FAIL; main() returns fails(). */
void check(const char *name, int ok);
void check_eq(const char *name, u64 got, u64 want);
int fails(void);

/*
 * Expect a fault: run @fn; if it raises a trap, execution goes on after it. Returns the
 * vector, or -1 when nothing was raised. The error code and CR2 are left in last_error, last_cr2.
 */
int expect_trap(void (*fn)(void *), void *arg);
extern u64 last_error, last_cr2;

/* PAUSE, that many times: nothing that user space would see. */
void spin(u32 pauses);
/* Interrupts on for a while: long enough for what is pending to be delivered. */
void window(void);
/* HLT until @vec has arrived @n times. */
void wait_for(u32 vec, u64 n);
/* The PIT's periodic ticks, by the PIC and the local APIC's LINT0, at @vec. */
void start_pit(u8 vec, u16 divisor);

#define GUEST_STACK_SIZE 16384 /* of each of up to four CPUs */

extern u32 cpus_started;
extern u8 stack_top[];
/* Starts another CPU, in x2APIC mode; it calls ap_main() with its number. 0 = it did not come. */
int start_cpu(u32 apic_id);
void ap_main(u64 cpu);

static inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void outl(u16 port, u32 v)
{
	asm volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline u32 inl(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

#define XAPIC 0xfee00000ul

static inline void xapic_write(u32 reg, u32 v)
{
	*(volatile u32 *)(XAPIC + reg) = v;
}

static inline u32 xapic_read(u32 reg)
{
	return *(volatile u32 *)(XAPIC + reg);
}

static inline u64 rdmsr(u32 index)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(index));
	return lo | (u64)hi << 32;
}

static inline void wrmsr(u32 index, u64 v)
{
	asm volatile("wrmsr" : : "c"(index), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (u64)hi << 32;
}

static inline void cpuid(u32 leaf, u32 sub, u32 r[4])
{
	asm volatile("cpuid"
		     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
		     : "a"(leaf), "c"(sub));
}

#define READ_CR(n)                                             \
	({                                                     \
		u64 v_;                                        \
		asm volatile("mov %%cr" #n ", %0" : "=r"(v_)); \
		v_;                                            \
	})
#define WRITE_CR(n, val) asm volatile("mov %0, %%cr" #n : : "r"((u64)(val)) : "memory")

static inline void sti(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void cli(void)
{
	asm volatile("cli" : : : "memory");
}

#endif /* GUEST_LIB_H */
