// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_LAPIC and KVM_SET_LAPIC: the register page as user space sees it, and the
 * paravirtual end of interrupt (MSR_KVM_PV_EOI_EN). Called under the vCPU's mutex.
 *
 * The page has the xAPIC layout in both modes, and the high half of the ICR is at its xAPIC place.
 * In x2APIC mode the ID is in bits 31:24, or all 32 with KVM_X2APIC_API_USE_32BIT_IDS.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "irqchip/lapic.h"

static void page_put(struct kvm_lapic_state *s, u32 offset, u32 val)
{
	memcpy(s->regs + offset, &val, sizeof(val));
}

static u32 page_get(const struct kvm_lapic_state *s, u32 offset)
{
	u32 val;

	memcpy(&val, s->regs + offset, sizeof(val));
	return val;
}

static void put_bitmap(struct kvm_lapic_state *s, u32 offset, const unsigned long *map)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		page_put(s, offset + 0x10 * i, (u32)(READ_ONCE(map[i / 2]) >> (32 * (i & 1))));
}

static void get_bitmap(const struct kvm_lapic_state *s, u32 offset, unsigned long *map)
{
	unsigned int i;

	for (i = 0; i < LAPIC_VECTOR_WORDS; i++)
		WRITE_ONCE(map[i], page_get(s, offset + 0x20 * i) |
					   (u64)page_get(s, offset + 0x20 * i + 0x10) << 32);
}

static void pv_eoi_sync(struct lapic *l, bool withdraw);

/* The ID register of the page in x2APIC mode. */
static u32 page_x2_id(struct lapic *l)
{
	return env_x2apic_api(l->vm) & KVM_X2APIC_API_USE_32BIT_IDS ? l->id : l->id << 24;
}

void lapic_get_state(struct vcpu *v, struct kvm_lapic_state *s)
{
	struct lapic *l = env_lapic(v);
	u32 offset;

	if (l->pv_eoi_armed)
		pv_eoi_sync(l, true);
	lapic_service_timer(v);
	memset(s, 0, sizeof(*s));
	for (offset = 0; offset < KVM_APIC_REG_SIZE; offset += 0x10)
		page_put(s, offset, lapic_reg(l, offset));
	put_bitmap(s, APIC_ISR, l->isr);
	put_bitmap(s, APIC_TMR, l->tmr);
	put_bitmap(s, APIC_IRR, l->irr);
	page_put(s, APIC_PROCPRI, lapic_ppr(l));
	page_put(s, APIC_TMCCT, lapic_timer_count(l));
	if (lapic_is_x2(lapic_base(l)))
		page_put(s, APIC_ID, page_x2_id(l));
}

void lapic_look(struct vcpu *v, struct lapic_view *view)
{
	struct lapic *l = env_lapic(v);
	unsigned long flags;

	view->irr = lapic_highest(l->irr);
	view->isr = lapic_highest(l->isr);
	view->ppr = lapic_ppr(l);
	view->lvtt = lapic_reg(l, APIC_LVTT);
	view->tsc_deadline = READ_ONCE(l->timer.deadline);
	view->timer_pending = READ_ONCE(l->timer.pending);
	spin_lock_irqsave(&l->timer.lock, flags);
	view->timer_armed = l->timer.armed;
	view->timer_left_ns = l->timer.target_ns - env_now_ns();
	spin_unlock_irqrestore(&l->timer.lock, flags);
}

static void restore_regs(struct lapic *l, const struct kvm_lapic_state *s)
{
	u32 offset;

	for (offset = 0; offset < KVM_APIC_REG_SIZE; offset += 0x10) {
		u32 val = page_get(s, offset);

		if (lapic_lvt_mask(l, offset))
			val &= lapic_lvt_mask(l, offset);
		lapic_put(l, offset, val);
	}
	lapic_put(l, APIC_LVR, lapic_version(l));
	lapic_put(l, APIC_TASKPRI, page_get(s, APIC_TASKPRI) & 0xff);
	lapic_put(l, APIC_ICR, page_get(s, APIC_ICR) & ~APIC_ICR_BUSY);
	lapic_put(l, APIC_TDCR, page_get(s, APIC_TDCR) & 0xb);
	if ((lapic_reg(l, APIC_LVTT) & LAPIC_TIMER_MODE_MASK) == LAPIC_TIMER_MODE_MASK)
		lapic_put(l, APIC_LVTT, lapic_reg(l, APIC_LVTT) & ~LAPIC_TIMER_MODE_MASK);
}

/**
 * lapic_set_state - KVM_SET_LAPIC: 0, or -EINVAL when a 32-bit x2APIC ID is not the vCPU's
 * In x2APIC mode ID and LDR are not state: they follow from the vCPU's ID.
 */
int lapic_set_state(struct vcpu *v, const struct kvm_lapic_state *s)
{
	struct lapic *l = env_lapic(v);
	bool x2 = lapic_is_x2(lapic_base(l));

	if (x2 && (env_x2apic_api(l->vm) & KVM_X2APIC_API_USE_32BIT_IDS) &&
	    page_get(s, APIC_ID) != l->id)
		return -EINVAL;
	if (l->pv_eoi_armed)
		pv_eoi_sync(l, true);
	restore_regs(l, s);
	if (x2) {
		lapic_put(l, APIC_ID, l->id);
		lapic_put(l, APIC_LDR, lapic_x2_ldr(l->id));
	}
	get_bitmap(s, APIC_TMR, l->tmr);
	get_bitmap(s, APIC_ISR, l->isr);
	get_bitmap(s, APIC_IRR, l->irr);
	l->isrv = lapic_highest(l->isr);
	l->esr = 0;
	lapic_timer_restore(l, page_get(s, APIC_TMCCT));
	env_event(v);
	return 0;
}

/* Paravirtual EOI ---------------------------------------------------------- */

#define PV_EOI_ENABLED	0x1ull
#define PV_EOI_GPA(msr) ((msr) & ~3ull)

/** lapic_pv_eoi_valid - a value that MSR_KVM_PV_EOI_EN takes */
bool lapic_pv_eoi_valid(u64 msr)
{
	return !(msr & 2) && ((msr & PV_EOI_ENABLED) || !msr);
}

/** lapic_set_pv_eoi - write MSR_KVM_PV_EOI_EN: 0, or 1 = #GP */
int lapic_set_pv_eoi(struct vcpu *v, u64 msr)
{
	struct lapic *l = env_lapic(v);

	if (!l || !lapic_pv_eoi_valid(msr))
		return 1;
	if (l->pv_eoi_armed)
		pv_eoi_sync(l, true);
	l->pv_eoi_msr = msr;
	return 0;
}

u64 lapic_get_pv_eoi(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);

	return l ? l->pv_eoi_msr : 0;
}

/* The word says again that an EOI is needed. */
void lapic_withdraw_pv_eoi(struct lapic *l)
{
	u32 word = 0;

	l->pv_eoi_armed = false;
	env_write_guest(l->vm, PV_EOI_GPA(l->pv_eoi_msr), &word, sizeof(word));
}

/*
 * If the guest was allowed to skip an EOI and has used that (it cleared the word), the EOI
 * happens now. If not, the permission is withdrawn when the EOI has come to matter, or
 * because user space wants the whole truth (@withdraw).
 */
static void pv_eoi_sync(struct lapic *l, bool withdraw)
{
	u64 gpa = PV_EOI_GPA(l->pv_eoi_msr);
	u32 word;

	if (env_read_guest(l->vm, gpa, &word, sizeof(word))) {
		l->pv_eoi_armed = false;
		return;
	}
	if (!(word & 1)) {
		l->pv_eoi_armed = false;
		lapic_eoi(l);
		return;
	}
	if (withdraw || lapic_highest(l->irr) >= 0)
		lapic_withdraw_pv_eoi(l);
}

/** lapic_sync_pv_eoi - after an exit, before events are looked at; may sleep */
void lapic_sync_pv_eoi(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);

	if (l && l->pv_eoi_armed)
		pv_eoi_sync(l, false);
}

/* An EOI would have to write guest memory, which may sleep. */
bool lapic_pv_eoi_armed(struct vcpu *v)
{
	return env_lapic(v)->pv_eoi_armed;
}

/* Would nobody but the local APIC notice the EOI of the interrupt in service? */
static bool pv_eoi_allowed(struct lapic *l)
{
	struct irqchip *ic;

	if (l->isrv < 0 || lapic_highest(l->irr) >= 0 || test_bit(l->isrv, l->tmr))
		return false;
	if (l->synth && test_bit(l->isrv, l->synth->vectors))
		return false;
	ic = env_irqchip(l->vm);
	return !ic || !ic->ioapic || !test_bit(l->isrv, ic->ioapic->ack_vectors);
}

/**
 * lapic_arm_pv_eoi - after events were injected, before the entry; may sleep
 * Permits the guest to skip the EOI of the interrupt in service when it is edge triggered,
 * has no listener, and nothing else waits; takes back a permission that no longer holds.
 */
void lapic_arm_pv_eoi(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);
	u32 word = 1;

	if (!l || !(l->pv_eoi_msr & PV_EOI_ENABLED))
		return;
	if (pv_eoi_allowed(l) == l->pv_eoi_armed)
		return;
	if (l->pv_eoi_armed)
		pv_eoi_sync(l, true);
	else if (!env_write_guest(l->vm, PV_EOI_GPA(l->pv_eoi_msr), &word, sizeof(word)))
		l->pv_eoi_armed = true;
}

/* Split irqchip: the next vector whose EOI user space must be told of, or -1. */
int lapic_take_user_eoi(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);
	int vector = l ? lapic_highest(l->user_eoi) : -1;

	if (vector >= 0)
		clear_bit(vector, l->user_eoi);
	return vector;
}
