/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct lapic: one local APIC. Private to irqchip/.
 *
 * Who may touch what:
 *   (v) the vCPU's own thread or an ioctl under its mutex; others read with READ_ONCE
 *   (a) atomic bit operations, any context
 *   (t) timer.lock, interrupts off
 * Delivery from other threads needs only the (a) members and a few (v) registers, each of
 * which is one word: no lock.
 */
#ifndef TURTLES_IRQCHIP_LAPIC_H
#define TURTLES_IRQCHIP_LAPIC_H

#include <linux/bitops.h>
#include <linux/kvm.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>
#include "irqchip/chip.h"

/* A few that apicdef.h does not name. */
#define LAPIC_TIMER_MODE_MASK (3u << 17)
#define LAPIC_NR_REGS	      64
#define LAPIC_VECTOR_WORDS    (256 / BITS_PER_LONG)
#define LAPIC_VERSION	      0x14u

/* Shortest period of a guest's periodic timer that the host is prepared to serve. */
#define LAPIC_MIN_PERIOD_NS 100000ull

struct lapic_timer {
	spinlock_t lock;
	struct vtimer *vt;
	bool armed;	       /* (t) */
	bool periodic;	       /* (t) */
	u64 target_ns;	       /* (t) when it expires */
	u64 period_ns;	       /* (t) initial count in ns; counting and reload */
	u64 deadline;	       /* (v) IA32_TSC_DEADLINE; see @fired */
	unsigned long pending; /* (a) bit 0: expired, not yet turned into an IRR bit */
};

struct lapic {
	struct vcpu *v;			       /* constant */
	struct vm *vm;			       /* constant */
	u32 id;				       /* constant: vCPU id = x2APIC ID */
	u32 regs[LAPIC_NR_REGS];	       /* (v), by offset / 16; IRR, ISR, TMR are below */
	u32 divide;			       /* (v) from TDCR */
	int isrv;			       /* (v) highest bit of isr, -1 = none */
	unsigned long irr[LAPIC_VECTOR_WORDS]; /* (a) */
	unsigned long tmr[LAPIC_VECTOR_WORDS]; /* (a) */
	unsigned long isr[LAPIC_VECTOR_WORDS]; /* (v) */
	unsigned long esr;		       /* (a) errors since the last write to ESR */
	u32 arb; /* racy on purpose: spreads lowest-priority messages */
	struct lapic_timer timer;

	const struct lapic_synth *synth;	    /* (v) or NULL */
	bool has_cmci;				    /* (v) there is an LVT CMCI */
	u64 pv_eoi_msr;				    /* (v) MSR_KVM_PV_EOI_EN */
	bool pv_eoi_armed;			    /* (v) the guest may skip the next EOI */
	unsigned long user_eoi[LAPIC_VECTOR_WORDS]; /* (v) split irqchip: for KVM_EXIT_IOAPIC_EOI */
};

static inline u32 lapic_reg(struct lapic *l, u32 offset)
{
	return READ_ONCE(l->regs[offset >> 4]);
}

static inline void lapic_put(struct lapic *l, u32 offset, u32 val)
{
	WRITE_ONCE(l->regs[offset >> 4], val);
}

/* The APIC version register: number of the last LVT entry in bits 23:16. */
static inline u32 lapic_version(const struct lapic *l)
{
	return LAPIC_VERSION | (l->has_cmci ? 6u : 5u) << 16;
}

static inline u64 lapic_base(struct lapic *l)
{
	return READ_ONCE(*env_apic_base(l->v));
}

static inline bool lapic_hw_on(u64 base)
{
	return base & MSR_IA32_APICBASE_ENABLE;
}

static inline bool lapic_is_x2(u64 base)
{
	return (base & (MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE)) ==
	       (MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE);
}

static inline bool lapic_sw_on(struct lapic *l)
{
	return lapic_reg(l, APIC_SPIV) & APIC_SPIV_APIC_ENABLED;
}

static inline int lapic_highest(const unsigned long *map)
{
	int i;

	for (i = LAPIC_VECTOR_WORDS - 1; i >= 0; i--) {
		unsigned long w = READ_ONCE(map[i]);

		if (w)
			return i * BITS_PER_LONG + __fls(w);
	}
	return -1;
}

/* lapic_deliver.c */
/* Accept @m, which is already known to be for @l: 1 new, 0 coalesced or dropped. */
int lapic_accept(struct lapic *l, const struct apic_msg *m);
void lapic_error(struct lapic *l, u32 esr_bit);
void lapic_send_ipi(struct lapic *l, u32 icr_low, u32 dest);
void lapic_self_ipi(struct lapic *l, u8 vector);

/* lapic.c */
u32 lapic_ppr(struct lapic *l);
void lapic_eoi(struct lapic *l);
u32 lapic_x2_ldr(u32 id);
u32 lapic_lvt_mask(const struct lapic *l, u32 offset);
void lapic_update_event(struct lapic *l);

/* lapic_state.c */
void lapic_withdraw_pv_eoi(struct lapic *l);

/* lapic_timer.c */
int lapic_timer_create(struct lapic *l);
void lapic_timer_free(struct lapic *l);
void lapic_timer_reset(struct lapic *l);
void lapic_timer_set_count(struct lapic *l, u32 tmict);
u32 lapic_timer_count(struct lapic *l);
void lapic_timer_set_divide(struct lapic *l, u32 tdcr);
void lapic_timer_set_lvtt(struct lapic *l, u32 lvtt);
void lapic_timer_restore(struct lapic *l, u32 tmcct);

#endif /* TURTLES_IRQCHIP_LAPIC_H */
