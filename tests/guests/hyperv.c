// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's interfaces (runner -H): hypercalls in all forms and with hostile inputs, reference
 * time, synthetic interrupts, messages and timers, the VP assist page, what goes to user space.
 * TLFS, by its names.
 */
#include "lib.h"

#define MSR_GUEST_OS_ID	  0x40000000
#define MSR_HYPERCALL	  0x40000001
#define MSR_VP_INDEX	  0x40000002
#define MSR_RESET	  0x40000003
#define MSR_VP_RUNTIME	  0x40000010
#define MSR_REF_COUNT	  0x40000020
#define MSR_REF_TSC	  0x40000021
#define MSR_EOI		  0x40000070
#define MSR_ICR		  0x40000071
#define MSR_TPR		  0x40000072
#define MSR_ASSIST	  0x40000073
#define MSR_SCONTROL	  0x40000080
#define MSR_SVERSION	  0x40000081
#define MSR_SIMP	  0x40000083
#define MSR_EOM		  0x40000084
#define MSR_SINT(n)	  (0x40000090 + (n))
#define MSR_CONFIG(n)	  (0x400000b0 + 2 * (n))
#define MSR_COUNT(n)	  (0x400000b1 + 2 * (n))
#define MSR_CRASH_P0	  0x40000100
#define MSR_CRASH_CTL	  0x40000105
#define MSR_INVARIANT	  0x40000118

#define FAST		  (1ul << 16)
#define VAR(n)		  ((u64)(n) << 17)
#define REP(n)		  ((u64)(n) << 32)
#define REP_AT(n)	  ((u64)(n) << 48)

#define FLUSH_SPACE	  0x02
#define FLUSH_LIST	  0x03
#define LONG_SPIN	  0x08
#define SEND_IPI	  0x0b
#define FLUSH_SPACE_EX	  0x13
#define FLUSH_LIST_EX	  0x14
#define SEND_IPI_EX	  0x15
#define POST_MESSAGE	  0x5c
#define SIGNAL_EVENT	  0x5d
#define EXT_QUERY	  0x8001

#define INVALID_CODE	  2
#define INVALID_INPUT	  3
#define INVALID_ALIGNMENT 4
#define FROM_USER	  0x7e

#define VEC_SINT	  0x50 /* source 2 */
#define VEC_AUTO	  0x51 /* source 3, automatic EOI */
#define VEC_DIRECT	  0x52
#define VEC_IPI		  0x53

#define OUTSIDE		  0x10000000ul /* 256 MiB: no memory */
#define FAR		  (1ul << 45)

struct message {
	volatile u32 type;
	u8 size;
	volatile u8 flags;
	u16 reserved;
	u64 sender;
	u32 timer, zero;
	u64 expiration, delivery;
	u64 rest[27];
};

static u8 call_page[4096] __attribute__((aligned(4096)));
static u8 tsc_page[4096] __attribute__((aligned(4096)));
static u8 assist_page[4096] __attribute__((aligned(4096)));
static struct message messages[16] __attribute__((aligned(4096)));
static u64 input[512] __attribute__((aligned(4096)));

/* Code, one parameter or an address each; words @x go into XMM0 and XMM1. */
static u64 hypercall_xmm(u64 control, u64 in, u64 out, const u64 x[4])
{
	u64 result, target = (u64)call_page;

	asm volatile("mov %4, %%r8\n\t"
		     "movups (%5), %%xmm0\n\t"
		     "movups 16(%5), %%xmm1\n\t"
		     "call *%6"
		     : "=a"(result), "+c"(control), "+d"(in)
		     : "a"(-1ul), "r"(out), "r"(x), "r"(target)
		     : "r8", "r9", "r10", "r11", "memory", "cc");
	return result;
}

static u64 hypercall(u64 control, u64 in, u64 out)
{
	static const u64 none[4];

	return hypercall_xmm(control, in, out, none);
}

/* In memory: the words are put where @at points. */
static u64 hypercall_mem(u64 control, u64 *at, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	at[0] = a;
	at[1] = b;
	at[2] = c;
	at[3] = d;
	at[4] = e;
	return hypercall(control, (u64)at, 0);
}

static void on_eoi(struct trap_frame *f)
{
	arrived[f->vector]++;
	wrmsr(MSR_EOI, 0);
}

static void on_auto(struct trap_frame *f)
{
	arrived[f->vector]++;
}

struct access {
	u32 index;
	u64 val;
};

static void do_wrmsr(void *p)
{
	const struct access *a = p;

	wrmsr(a->index, a->val);
}

static void do_rdmsr(void *p)
{
	rdmsr(((const struct access *)p)->index);
}

static void refused(const char *name, u32 index, u64 val)
{
	struct access a = { index, val };

	check_eq(name, expect_trap(do_wrmsr, &a), 13);
}

static void unreadable(const char *name, u32 index)
{
	struct access a = { index, 0 };

	check_eq(name, expect_trap(do_rdmsr, &a), 13);
}

/* Identity ------------------------------------------------------------------------- */

static void identity_tests(void)
{
	u32 r[4];

	cpuid(0x40000001, 0, r);
	check_eq("CPUID says Hv#1", r[0], 0x31237648);
	cpuid(0x4000000a, 0, r);
	check_eq("no enlightened VMCS", r[0] & 0xffff, 0);
	wrmsr(MSR_HYPERCALL, (u64)call_page | 1);
	check_eq("no hypercall page before the guest has a name", rdmsr(MSR_HYPERCALL), 0);
	wrmsr(MSR_GUEST_OS_ID, 0x8100ul << 48 | 1);
	refused("hypercall page outside memory", MSR_HYPERCALL, OUTSIDE | 1);
	refused("hypercall page beyond the address width", MSR_HYPERCALL, FAR | 1);
	wrmsr(MSR_HYPERCALL, (u64)call_page | 1);
	check_eq("hypercall page", rdmsr(MSR_HYPERCALL), (u64)call_page | 1);
	check_eq("VP index", rdmsr(MSR_VP_INDEX), 0);
	refused("VP index is read only", MSR_VP_INDEX, 1);
	refused("VP runtime is read only", MSR_VP_RUNTIME, 0);
	refused("reference count is read only", MSR_REF_COUNT, 0);
	unreadable("EOI is write only", MSR_EOI);
	unreadable("TSC invariant control is not there", MSR_INVARIANT);
	check_eq("SynIC version", rdmsr(MSR_SVERSION), 1);
	refused("SynIC version is read only", MSR_SVERSION, 1);
}

/* Hypercalls ------------------------------------------------------------------------ */

static void control_tests(void)
{
	check_eq("unknown code", hypercall(0x7777, 0, 0), INVALID_CODE);
	check_eq("code that user space has not offered", hypercall(EXT_QUERY, 0, 0), INVALID_CODE);
	check_eq("long spin wait", hypercall(LONG_SPIN | FAST, 100, 0), 0);
	check_eq("reserved bit 27", hypercall(LONG_SPIN | FAST | 1ul << 27, 0, 0), INVALID_INPUT);
	check_eq("reserved bit 63", hypercall(LONG_SPIN | FAST | 1ul << 63, 0, 0), INVALID_INPUT);
	check_eq("repeat count of a simple call", hypercall(LONG_SPIN | FAST | REP(1), 0, 0),
		 INVALID_INPUT);
	check_eq("variable header of a simple call", hypercall(LONG_SPIN | FAST | VAR(1), 0, 0),
		 INVALID_INPUT);
}

static void flush_tests(void)
{
	const u64 self[4] = { 1 }, sparse[4] = { 0, 1, 1 }, everyone[4] = { 1, 0 };

	check_eq("flush", hypercall_mem(FLUSH_SPACE, input, 0, 0, 1, 0, 0), 0);
	check_eq("flush of absent processors", hypercall_mem(FLUSH_SPACE, input, 0, 0, ~0ul, 0, 0),
		 0);
	check_eq("flush of all", hypercall_mem(FLUSH_SPACE, input, 0, 1, 0, 0, 0), 0);
	check_eq("flush by registers", hypercall_xmm(FLUSH_SPACE | FAST, 0, 0, self), 0);
	check_eq("flush list", hypercall_mem(FLUSH_LIST | REP(2), input, 0, 0, 1, 0x1000, 0x2000),
		 REP(2));
	check_eq("flush list, from the middle",
		 hypercall_mem(FLUSH_LIST | REP(2) | REP_AT(1), input, 0, 0, 1, 0x1000, 0x2000),
		 REP(2));
	check_eq("flush list in registers", hypercall_xmm(FLUSH_LIST | FAST | REP(3), 0, 0, self),
		 REP(3));
	check_eq("flush ex, sparse", hypercall_mem(FLUSH_SPACE_EX | VAR(1), input, 0, 0, 0, 1, 1),
		 0);
	check_eq("flush ex, all", hypercall_mem(FLUSH_SPACE_EX, input, 0, 0, 1, 0, 0), 0);
	check_eq("flush ex, nobody", hypercall_mem(FLUSH_SPACE_EX, input, 0, 0, 0, 0, 0), 0);
	check_eq("flush ex by registers",
		 hypercall_xmm(FLUSH_SPACE_EX | FAST | VAR(1), 0, 0, sparse), 0);
	check_eq("flush ex of all by registers",
		 hypercall_xmm(FLUSH_LIST_EX | FAST | REP(1), 0, 0, everyone), REP(1));
}

static void hostile_flush_tests(void)
{
	const u64 self[4] = { 1 };

	check_eq("misaligned input", hypercall(FLUSH_SPACE, (u64)input + 4, 0), INVALID_ALIGNMENT);
	check_eq("input over the end of the page", hypercall(FLUSH_SPACE, (u64)&input[510], 0),
		 INVALID_ALIGNMENT);
	check_eq("list over the end of the page", hypercall(FLUSH_LIST | REP(510), (u64)input, 0),
		 INVALID_ALIGNMENT);
	check_eq("list of the largest count", hypercall(FLUSH_LIST | REP(4095), (u64)input, 0),
		 INVALID_ALIGNMENT);
	check_eq("input outside memory", hypercall(FLUSH_SPACE, OUTSIDE, 0), INVALID_INPUT);
	check_eq("input beyond the address width", hypercall(FLUSH_SPACE, FAR, 0), INVALID_INPUT);
	check_eq("input at the end of all addresses", hypercall(FLUSH_SPACE, -24ul, 0),
		 INVALID_INPUT);
	check_eq("empty list", hypercall(FLUSH_LIST, (u64)input, 0), INVALID_INPUT);
	check_eq("list that starts at its end",
		 hypercall(FLUSH_LIST | REP(2) | REP_AT(2), (u64)input, 0), INVALID_INPUT);
	check_eq("list too long for registers",
		 hypercall_xmm(FLUSH_LIST | FAST | REP(12), 0, 0, self), INVALID_INPUT);
	check_eq("more banks than announced",
		 hypercall_mem(FLUSH_SPACE_EX | VAR(2), input, 0, 0, 0, 1, 1), INVALID_INPUT);
	check_eq("fewer banks than announced",
		 hypercall_mem(FLUSH_SPACE_EX | VAR(1), input, 0, 0, 0, 3, 1), INVALID_INPUT);
	check_eq("more banks than there can be",
		 hypercall_mem(FLUSH_SPACE_EX | VAR(65), input, 0, 0, 0, ~0ul, 1), INVALID_INPUT);
	check_eq("all banks", hypercall_mem(FLUSH_SPACE_EX | VAR(64), input, 0, 0, 0, ~0ul, 1), 0);
	check_eq("most banks that the control word can say",
		 hypercall(FLUSH_SPACE_EX | VAR(1023), (u64)input, 0), INVALID_INPUT);
	check_eq("unknown format", hypercall_mem(FLUSH_SPACE_EX, input, 0, 0, 2, 0, 0),
		 INVALID_INPUT);
}

/* A changed mapping, and no INVLPG: the flush must do it. */
static void flush_works(void)
{
	extern u64 pml4[];
	u64 *pdpt = (u64 *)(pml4[0] & ~0xffful), *pd = (u64 *)(pdpt[0] & ~0xffful);
	volatile u64 *window_at = (volatile u64 *)(40ul << 20);
	u64 old = pd[20];

	*(volatile u64 *)(42ul << 20) = 42;
	*(volatile u64 *)(44ul << 20) = 44;
	pd[20] = (42ul << 20) | 0x83;
	hypercall_mem(FLUSH_SPACE, input, 0, 0, 1, 0, 0);
	check_eq("mapping before the flush", *window_at, 42);
	pd[20] = (44ul << 20) | 0x83;
	check_eq("flush of this processor", hypercall_mem(FLUSH_SPACE, input, 0, 0, 1, 0, 0), 0);
	check_eq("mapping after the flush", *window_at, 44);
	pd[20] = old;
	hypercall_mem(FLUSH_SPACE_EX, input, 0, 0, 1, 0, 0);
}

static void ipi_tests(void)
{
	const u64 sparse[4] = { 1, 1 };

	check_eq("IPI by registers", hypercall(SEND_IPI | FAST, VEC_IPI, 1), 0);
	check_eq("IPI waits for IF", arrived[VEC_IPI], 0);
	window();
	check_eq("IPI arrives", arrived[VEC_IPI], 1);
	check_eq("IPI by memory", hypercall_mem(SEND_IPI, input, VEC_IPI, 3, 0, 0, 0), 0);
	window();
	check_eq("IPI by memory arrives", arrived[VEC_IPI], 2);
	check_eq("IPI ex, sparse", hypercall_mem(SEND_IPI_EX | VAR(1), input, VEC_IPI, 0, 1, 1, 0),
		 0);
	window();
	check_eq("IPI ex, sparse, arrives", arrived[VEC_IPI], 3);
	check_eq("IPI ex, all", hypercall_mem(SEND_IPI_EX, input, VEC_IPI, 1, 0, 0, 0), 0);
	window();
	check_eq("IPI ex, all, arrives", arrived[VEC_IPI], 4);
	check_eq("IPI ex by registers",
		 hypercall_xmm(SEND_IPI_EX | FAST | VAR(1), VEC_IPI, 0, sparse), 0);
	window();
	check_eq("IPI ex by registers arrives", arrived[VEC_IPI], 5);
	check_eq("IPI to absent processors", hypercall(SEND_IPI | FAST, VEC_IPI, ~3ul), 0);
	check_eq("IPI ex to nobody", hypercall_mem(SEND_IPI_EX, input, 0, 0, 0, 0, 0), 0);
	check_eq("IPI with vector 15", hypercall(SEND_IPI | FAST, 15, 1), INVALID_INPUT);
	check_eq("IPI with vector 256", hypercall(SEND_IPI | FAST, 256, 1), INVALID_INPUT);
	check_eq("IPI ex with vector 0", hypercall_mem(SEND_IPI_EX, input, 0, 1, 0, 0, 0),
		 INVALID_INPUT);
	check_eq("IPI with input outside memory", hypercall(SEND_IPI, OUTSIDE, 0), INVALID_INPUT);
	window();
	check_eq("no other IPI has come", arrived[VEC_IPI], 5);
	wrmsr(MSR_ICR, VEC_IPI | 0x40000);
	window();
	check_eq("IPI by the ICR's MSR", arrived[VEC_IPI], 6);
	wrmsr(MSR_TPR, 0x60);
	hypercall(SEND_IPI | FAST, VEC_IPI, 1);
	window();
	check_eq("TPR's MSR holds it back", arrived[VEC_IPI], 6);
	wrmsr(MSR_TPR, 0);
	window();
	check_eq("and lets it pass", arrived[VEC_IPI], 7);
}

static void user_space_tests(void)
{
	check_eq("message goes to user space", hypercall(POST_MESSAGE, (u64)input, 0), FROM_USER);
	inb(0xf8);
	check_eq("event of a port", hypercall(SIGNAL_EVENT | FAST, 5, 0), 0);
	input[0] = 5;
	check_eq("event by memory", hypercall(SIGNAL_EVENT, (u64)input, 0), 0);
	check_eq("its eventfd was signalled", inb(0xf8), 2);
	check_eq("event of no port goes to user space", hypercall(SIGNAL_EVENT | FAST, 6, 0),
		 FROM_USER);
	check_eq("event with a reserved bit", hypercall(SIGNAL_EVENT | FAST, 5 | 1ul << 24, 0),
		 INVALID_INPUT);
	check_eq("event outside memory", hypercall(SIGNAL_EVENT, OUTSIDE, 0), INVALID_INPUT);
	check_eq("event misaligned", hypercall(SIGNAL_EVENT, (u64)input + 1, 0), INVALID_ALIGNMENT);
	wrmsr(MSR_CRASH_P0, 0xdead);
	check_eq("crash parameter", rdmsr(MSR_CRASH_P0), 0xdead);
	wrmsr(MSR_CRASH_CTL, 1ul << 63);
	check_eq("user space is told of the crash", inb(0xf9), 3);
	wrmsr(MSR_RESET, 0);
	check_eq("reset wants a 1", inb(0xf9), 3);
	wrmsr(MSR_RESET, 1);
	check_eq("user space is told of the reset", inb(0xf9), 2);
}

/* Time ------------------------------------------------------------------------------ */

static u64 page_time(void)
{
	const volatile u32 *sequence = (const volatile u32 *)tsc_page;
	const volatile u64 *scale = (const volatile u64 *)(tsc_page + 8), *offset = scale + 1;

	if (!*sequence)
		return 0;
	return (u64)(((unsigned __int128)rdtsc() * *scale) >> 64) + *offset;
}

static void time_tests(void)
{
	u64 a, b, c;
	int i, ok = 1;

	a = rdmsr(MSR_REF_COUNT);
	for (i = 0; i < 100; i++) {
		b = rdmsr(MSR_REF_COUNT);
		ok &= b >= a;
		a = b;
	}
	check("reference time does not go back", ok);
	check("reference time goes on", a > 0);
	a = rdmsr(MSR_VP_RUNTIME);
	check("VP runtime does not go back", rdmsr(MSR_VP_RUNTIME) >= a);

	wrmsr(MSR_REF_TSC, OUTSIDE | 1); /* nothing is there to write to: the MSR still counts */
	check("time without its page", rdmsr(MSR_REF_COUNT) >= b);
	wrmsr(MSR_REF_TSC, (u64)tsc_page | 1);
	check_eq("TSC page", rdmsr(MSR_REF_TSC), (u64)tsc_page | 1);
	if (!page_time()) {
		puts("the host's TSC is not stable: the page sends its readers to the MSR\n");
	} else {
		for (ok = 1, i = 0; i < 100; i++) {
			a = page_time();
			b = rdmsr(MSR_REF_COUNT);
			c = page_time();
			ok &= a <= b && b <= c;
		}
		check("page and MSR agree", ok);
	}
	wrmsr(MSR_REF_TSC, 0);
	a = rdmsr(MSR_REF_COUNT);
	check("time after its page", rdmsr(MSR_REF_COUNT) >= a);
}

/* Synthetic interrupts ------------------------------------------------------------------ */

#define ENABLE	 1ul
#define PERIODIC 2ul
#define AUTO	 8ul
#define DIRECT	 0x1000ul
#define SINT(n)	 ((u64)(n) << 16)

static void synic_tests(void)
{
	refused("message page outside memory", MSR_SIMP, OUTSIDE | 1);
	refused("message page beyond the address width", MSR_SIMP, FAR | 1);
	messages[3].type = 7;
	wrmsr(MSR_SIMP, (u64)messages | 1);
	check_eq("message page is cleared", messages[3].type, 0);
	check_eq("user space is told of it", inb(0xfa), MSR_SIMP & 0xff);
	wrmsr(MSR_SCONTROL, 1);
	check_eq("user space is told of SCONTROL", inb(0xfa), MSR_SCONTROL & 0xff);
	check_eq("source after reset", rdmsr(MSR_SINT(5)), 0x10000);
	refused("source with vector 15", MSR_SINT(2), 15);
	wrmsr(MSR_SINT(2), 0x1000f);
	check_eq("masked source with vector 15", rdmsr(MSR_SINT(2)), 0x1000f);
	wrmsr(MSR_SINT(2), VEC_SINT);
	wrmsr(MSR_SINT(3), VEC_AUTO | 0x20000);
}

static void message_tests(void)
{
	struct message *m = &messages[2];
	/* 100 ms: it must not be over before it is looked at, on a slow machine either. */
	u64 when = rdmsr(MSR_REF_COUNT) + 1000000;

	wrmsr(MSR_CONFIG(0), SINT(2) | AUTO);
	wrmsr(MSR_COUNT(0), when);
	check_eq("count enables", rdmsr(MSR_CONFIG(0)), SINT(2) | AUTO | ENABLE);
	wait_for(VEC_SINT, 1);
	check_eq("timer message", m->type, 0x80000010);
	check_eq("its size", m->size, 24);
	check_eq("its timer", m->timer, 0);
	check_eq("when it expired", m->expiration, when);
	check("when it was delivered", m->delivery >= when && m->delivery <= rdmsr(MSR_REF_COUNT));
	check_eq("one-shot timer is off", rdmsr(MSR_CONFIG(0)), SINT(2) | AUTO);

	wrmsr(MSR_COUNT(0), 1); /* long past */
	window();
	check_eq("full slot: no message", arrived[VEC_SINT], 1);
	check_eq("full slot: one is pending", m->flags & 1, 1);
	m->type = 0;
	wrmsr(MSR_EOM, 0);
	wait_for(VEC_SINT, 2);
	check_eq("message after EOM", m->expiration, 1);
	m->type = 0;

	wrmsr(MSR_CONFIG(0), ENABLE); /* source 0 */
	check_eq("timer without source stays off", rdmsr(MSR_CONFIG(0)), 0);
	wrmsr(MSR_CONFIG(0), SINT(2) | ENABLE | PERIODIC);
	wrmsr(MSR_COUNT(0), 0);
	check_eq("count 0 disables", rdmsr(MSR_CONFIG(0)), SINT(2) | PERIODIC);
}

static void timer_tests(void)
{
	u64 before, until;

	wrmsr(MSR_CONFIG(1), SINT(3) | PERIODIC | AUTO);
	wrmsr(MSR_COUNT(1), 20000);
	for (before = 1; before <= 3; before++) {
		wait_for(VEC_AUTO, before);
		messages[3].type = 0;
		wrmsr(MSR_EOM, 0);
	}
	check("periodic timer", 1);

	/* What makes the hypervisor look at the timers again must not put them off. */
	until = rdmsr(MSR_REF_COUNT) + 5000000;
	before = arrived[VEC_AUTO];
	while (arrived[VEC_AUTO] == before && rdmsr(MSR_REF_COUNT) < until) {
		wrmsr(MSR_SIMP, (u64)messages | 1);
		window();
	}
	check("periodic timer under writes to SIMP", arrived[VEC_AUTO] > before);
	check_eq("automatic EOI: nothing in service", xapic_read(0x120) & (1u << (VEC_AUTO & 31)),
		 0);
	wrmsr(MSR_CONFIG(1), 0);

	wrmsr(MSR_CONFIG(2), DIRECT | (u64)VEC_DIRECT << 4 | AUTO);
	wrmsr(MSR_COUNT(2), rdmsr(MSR_REF_COUNT) + 10000);
	wait_for(VEC_DIRECT, 1);
	check("direct timer", 1);

	/* The shortest period there is must not keep the host from anything. */
	wrmsr(MSR_CONFIG(3), DIRECT | (u64)VEC_DIRECT << 4 | AUTO | PERIODIC);
	wrmsr(MSR_COUNT(3), 1);
	wait_for(VEC_DIRECT, 10);
	wrmsr(MSR_CONFIG(3), 0);
	window();
	before = arrived[VEC_DIRECT];
	window();
	check_eq("stopped timer", arrived[VEC_DIRECT], before);
	wrmsr(MSR_CONFIG(3), AUTO | SINT(2));
	wrmsr(MSR_COUNT(3), ~0ul);
	window();
	check_eq("timer of the far future", rdmsr(MSR_CONFIG(3)), ENABLE | AUTO | SINT(2));
	wrmsr(MSR_CONFIG(3), 0);
	wrmsr(MSR_CONFIG(2), DIRECT | 3ul << 4 | AUTO);
	wrmsr(MSR_COUNT(2), 1);
	window();
	check("direct timer with an illegal vector", 1);
}

/* VP assist page ------------------------------------------------------------------------- */

static u64 skipped;

static void on_assist(struct trap_frame *f)
{
	volatile u32 *no_eoi = (volatile u32 *)assist_page;

	arrived[f->vector]++;
	if (*no_eoi & 1) {
		*no_eoi = 0;
		skipped++;
	} else {
		wrmsr(MSR_EOI, 0);
	}
}

static void assist_tests(void)
{
	u64 before;
	int i;

	refused("assist page outside memory", MSR_ASSIST, OUTSIDE | 1);
	refused("assist page beyond the address width", MSR_ASSIST, FAR | 1);
	handlers[VEC_IPI] = on_assist;
	*(volatile u32 *)assist_page = 0xff;
	wrmsr(MSR_ASSIST, (u64)assist_page | 1);
	check_eq("assist page", rdmsr(MSR_ASSIST), (u64)assist_page | 1);
	check_eq("its first word is cleared", *(volatile u32 *)assist_page, 0);
	before = arrived[VEC_IPI];
	for (i = 0; i < 10; i++) {
		hypercall(SEND_IPI | FAST, VEC_IPI, 1);
		window();
	}
	check_eq("interrupts with EOIs that may be skipped", arrived[VEC_IPI], before + 10);
	check("some were", skipped > 0);
	wrmsr(MSR_ASSIST, 0);
}

int main(void)
{
	xapic_write(0xf0, 0x1ff);
	handlers[VEC_SINT] = on_eoi;
	handlers[VEC_IPI] = on_eoi;
	handlers[VEC_DIRECT] = on_eoi;
	handlers[VEC_AUTO] = on_auto;
	identity_tests();
	control_tests();
	flush_tests();
	hostile_flush_tests();
	flush_works();
	ipi_tests();
	time_tests();
	synic_tests();
	message_tests();
	timer_tests();
	assist_tests();
	user_space_tests();
	return fails();
}
