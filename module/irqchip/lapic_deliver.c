// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an interrupt message to the local APICs that it names, and what each does with it.
 * Called from any context but NMI: by ICR writes, IOAPIC pins, MSIs and local interrupts.
 *
 * SDM "Determining IPI Destination" and "Local APIC Interrupt Acceptance". No lock: an IRR or
 * TMR bit is set atomically, the registers that decide the match are single words.
 */
#include <linux/errno.h>
#include "irqchip/lapic.h"

/* ESR bits by number, for the bit operations. */
static unsigned int esr_nr(u32 bit)
{
	return __ffs(bit);
}

static void set_irr(struct lapic *l, u8 vector, bool level)
{
	if (level)
		set_bit(vector, l->tmr);
	else if (test_bit(vector, l->tmr))
		clear_bit(vector, l->tmr);
}

static int accept_fixed(struct lapic *l, u8 vector, bool level)
{
	if (vector < 16) {
		lapic_error(l, APIC_ESR_RECVILL);
		return 0;
	}
	set_irr(l, vector, level);
	if (test_and_set_bit(vector, l->irr))
		return 0;
	env_event(l->v);
	return 1;
}

/** lapic_error - note an error; raise the error interrupt when LVT Error allows */
void lapic_error(struct lapic *l, u32 esr_bit)
{
	u32 lvt = lapic_reg(l, APIC_LVTERR);
	u8 vector = lvt & APIC_VECTOR_MASK;

	if (test_and_set_bit(esr_nr(esr_bit), &l->esr))
		return;
	/* An illegal vector in LVT Error itself must not report itself for ever. */
	if (!(lvt & APIC_LVT_MASKED) && vector >= 16)
		accept_fixed(l, vector, false);
}

int lapic_accept(struct lapic *l, const struct apic_msg *m)
{
	u64 base = lapic_base(l);

	if (!lapic_hw_on(base))
		return 0;
	switch (m->mode << 8) {
	case APIC_DM_FIXED:
	case APIC_DM_LOWEST:
		if (!lapic_sw_on(l))
			return 0;
		WRITE_ONCE(l->arb, l->arb + 1);
		return accept_fixed(l, m->vector, m->level);
	case APIC_DM_NMI:
		env_post_nmi(l->v);
		return 1;
	case APIC_DM_INIT:
		env_post_init(l->v);
		return 1;
	case APIC_DM_STARTUP:
		env_post_sipi(l->v, m->vector);
		return 1;
	case APIC_DM_SMI:
		env_post_smi(l->v);
		return 1;
	default:
		/* ExtINT comes over LINT0 only. */
		return 0;
	}
}

static bool match_logical_xapic(struct lapic *l, u32 dest)
{
	u32 ldr = lapic_reg(l, APIC_LDR) >> 24;

	if (dest > 0xff)
		return false;
	if (lapic_reg(l, APIC_DFR) >> 28 == 0xf)
		return dest & ldr;
	/* Cluster model: the high nibble names the cluster, the low one its members. */
	if (lapic_reg(l, APIC_DFR) >> 28 == 0)
		return dest >> 4 == ldr >> 4 && (dest & ldr & 0xf);
	return false;
}

static bool match_logical_x2(struct lapic *l, u32 dest)
{
	u32 ldr = lapic_reg(l, APIC_LDR);

	return dest >> 16 == ldr >> 16 && (dest & ldr & 0xffff);
}

static bool is_broadcast(struct lapic *l, const struct apic_msg *m)
{
	return m->dest == 0xffffffffu ||
	       (m->dest == 0xff && !(m->wide && lapic_is_x2(lapic_base(l))));
}

static bool match(struct lapic *l, const struct apic_msg *m)
{
	u64 base = lapic_base(l);

	if (!lapic_hw_on(base))
		return false;
	if (is_broadcast(l, m))
		return true;
	if (m->logical)
		return lapic_is_x2(base) ? match_logical_x2(l, m->dest) :
					   match_logical_xapic(l, m->dest);
	return m->dest == (lapic_is_x2(base) ? l->id : lapic_reg(l, APIC_ID) >> 24);
}

static bool takes_fixed(struct lapic *l)
{
	return lapic_hw_on(lapic_base(l)) && lapic_sw_on(l);
}

/* Lower is a better target of a lowest-priority message: idle first, then in turn. */
static u64 arb_key(struct lapic *l)
{
	return (u64)(lapic_reg(l, APIC_TASKPRI) >> 4 & 0xf) << 32 | READ_ONCE(l->arb);
}

static int deliver_lowest(struct vm *vm, const struct apic_msg *m)
{
	unsigned int i, n = env_nr_vcpus(vm);
	struct lapic *best = NULL;

	for (i = 0; i < n; i++) {
		struct lapic *l = env_lapic(env_vcpu(vm, i));

		if (!l || !match(l, m) || !takes_fixed(l))
			continue;
		if (!best || arb_key(l) < arb_key(best))
			best = l;
	}
	return best ? lapic_accept(best, m) : -1;
}

/* The common case, one CPU by its physical ID, without a search. */
static struct lapic *unicast(struct vm *vm, const struct apic_msg *m)
{
	struct lapic *l;

	if (m->logical || m->mode << 8 == APIC_DM_LOWEST || m->dest >= env_nr_vcpus(vm))
		return NULL;
	l = env_lapic(env_vcpu(vm, m->dest));
	return l && l->id == m->dest && !is_broadcast(l, m) && match(l, m) ? l : NULL;
}

static bool would_take(struct lapic *l, const struct apic_msg *m)
{
	return m->mode << 8 != APIC_DM_FIXED || takes_fixed(l);
}

int apic_deliver(struct vm *vm, const struct apic_msg *m)
{
	struct lapic *l = unicast(vm, m);
	unsigned int i, n;
	int ret = -1;

	if (l)
		return would_take(l, m) ? lapic_accept(l, m) : -1;
	if (m->mode << 8 == APIC_DM_LOWEST)
		return deliver_lowest(vm, m);
	n = env_nr_vcpus(vm);
	for (i = 0; i < n; i++) {
		l = env_lapic(env_vcpu(vm, i));
		if (!l || !match(l, m) || !would_take(l, m))
			continue;
		if (ret < 0)
			ret = 0;
		ret += lapic_accept(l, m);
	}
	return ret;
}

int apic_deliver_all(struct vm *vm, const struct apic_msg *m, struct vcpu *except)
{
	unsigned int i, n = env_nr_vcpus(vm);
	int ret = -1;

	for (i = 0; i < n; i++) {
		struct vcpu *v = env_vcpu(vm, i);
		struct lapic *l = env_lapic(v);

		if (!l || v == except || !would_take(l, m))
			continue;
		if (ret < 0)
			ret = 0;
		ret += lapic_accept(l, m);
	}
	return ret;
}

int lapic_raise(struct vcpu *v, u8 vector)
{
	struct lapic *l = env_lapic(v);
	const struct apic_msg m = { .vector = vector };

	return takes_fixed(l) ? lapic_accept(l, &m) : -1;
}

/** lapic_cmci - corrected machine-check error interrupt; SDM "CMCI Local APIC Interface" */
void lapic_cmci(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);
	struct apic_msg m = {};
	u32 lvt;

	if (!l || !l->has_cmci)
		return;
	lvt = lapic_reg(l, APIC_LVTCMCI);
	m.mode = (lvt & APIC_MODE_MASK) >> 8;
	m.vector = lvt & APIC_VECTOR_MASK;
	if (!(lvt & APIC_LVT_MASKED))
		lapic_accept(l, &m);
}

void lapic_self_ipi(struct lapic *l, u8 vector)
{
	if (vector < 16) {
		lapic_error(l, APIC_ESR_SENDILL);
		return;
	}
	if (lapic_sw_on(l))
		accept_fixed(l, vector, false);
}

/**
 * lapic_send_ipi - a write to the ICR's low half (xAPIC) or to the ICR (x2APIC)
 * SDM "Interrupt Command Register (ICR)". IPIs are always edge triggered, except the
 * INIT level de-assert, which has no effect on processors of this kind.
 */
void lapic_send_ipi(struct lapic *l, u32 icr_low, u32 dest)
{
	struct apic_msg m = {
		.dest = dest,
		.wide = lapic_is_x2(lapic_base(l)),
		.logical = icr_low & APIC_DEST_LOGICAL,
		.mode = (icr_low >> 8) & 7,
		.vector = icr_low & APIC_VECTOR_MASK,
	};
	u32 shorthand = icr_low & APIC_DEST_ALLBUT;

	if (m.mode << 8 == APIC_DM_INIT &&
	    (icr_low & (APIC_INT_LEVELTRIG | APIC_INT_ASSERT)) == APIC_INT_LEVELTRIG)
		return;
	if ((m.mode << 8 == APIC_DM_FIXED || m.mode << 8 == APIC_DM_LOWEST) && m.vector < 16) {
		lapic_error(l, APIC_ESR_SENDILL);
		return;
	}
	switch (shorthand) {
	case APIC_DEST_SELF:
		if (m.mode << 8 == APIC_DM_FIXED && lapic_sw_on(l))
			accept_fixed(l, m.vector, false);
		else if (m.mode << 8 == APIC_DM_SMI)
			lapic_accept(l, &m); /* the SDM calls it invalid, stock KVM delivers it */
		return;
	case APIC_DEST_ALLINC:
		apic_deliver_all(l->vm, &m, NULL);
		return;
	case APIC_DEST_ALLBUT:
		apic_deliver_all(l->vm, &m, l->v);
		return;
	default:
		apic_deliver(l->vm, &m);
	}
}
