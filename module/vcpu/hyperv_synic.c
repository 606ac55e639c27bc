// SPDX-License-Identifier: GPL-2.0-only
/*
 * The synthetic interrupt controller: sixteen sources, each with a vector of the local APIC and a
 * slot in the message page (TLFS "Synthetic Interrupt Controller"). Messages and event flags other
 * than the timers' are user space's, which is told where the pages are (KVM_EXIT_HYPERV).
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nospec.h>

#include "mm/mm.h"
#include "vcpu/hyperv.h"

static unsigned int sint_nr(u32 index)
{
	return array_index_nospec(index - TLFS_MSR_INDEX_SINT0, TLFS_NR_SINTS);
}

/** hv_synic_get_msr - SCONTROL to SINT15 */
int hv_synic_get_msr(struct vcpu *v, u32 index, u64 *val, bool host)
{
	const struct hv_synic *s = &v->hv->synic;

	if (!s->active && !host)
		return 1;
	switch (index) {
	case TLFS_MSR_INDEX_SCONTROL:
		*val = s->control;
		break;
	case TLFS_MSR_INDEX_SVERSION:
		*val = TLFS_SYNIC_VERSION;
		break;
	case TLFS_MSR_INDEX_SIEFP:
		*val = s->siefp;
		break;
	case TLFS_MSR_INDEX_SIMP:
		*val = s->simp;
		break;
	case TLFS_MSR_INDEX_EOM:
		*val = 0;
		break;
	default:
		*val = s->sint[sint_nr(index)];
	}
	return 0;
}

/* The vectors of all sources, and those that need no EOI. */
static void update_lines(struct hv_synic *s)
{
	struct lapic_synth *l = &s->lines;
	unsigned int i;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < TLFS_NR_SINTS; i++) {
		u8 vector = TLFS_SINT_VECTOR(s->sint[i]);

		if (vector < TLFS_FIRST_VECTOR || (s->sint[i] & TLFS_SINT_MASKED))
			continue;
		__set_bit(vector, l->vectors);
		if (s->sint[i] & TLFS_SINT_AUTO_EOI)
			__set_bit(vector, l->auto_eoi);
	}
}

/* A hypervisor that runs as the guest writes the masked default, whose vector is 0. */
static int set_sint(struct vcpu *v, unsigned int nr, u64 val, bool host)
{
	struct hv_synic *s = &v->hv->synic;

	if (TLFS_SINT_VECTOR(val) < TLFS_FIRST_VECTOR && !host && !(val & TLFS_SINT_MASKED))
		return 1;
	WRITE_ONCE(s->sint[nr], val);
	update_lines(s);
	return 0;
}

static int clear_page_of(struct vcpu *v, u64 msr)
{
	return vm_write_guest(v->vm, TLFS_PAGE_ADDRESS(msr), page_address(ZERO_PAGE(0)), PAGE_SIZE);
}

static int set_page(struct vcpu *v, u64 *page, u64 val, bool host)
{
	if ((val & TLFS_PAGE_ENABLE) && !host && !v->hv->synic.keep_pages && clear_page_of(v, val))
		return 1;
	*page = val;
	hv_stimers_look(v);
	return 0;
}

static void ack_sint(struct vcpu *v, unsigned int sint)
{
	hv_stimers_retry(v, sint);
	irq_ack_sint(v->vm, hv_vp_index(v), sint);
}

static void end_of_messages(struct vcpu *v)
{
	unsigned int i;

	for (i = 0; i < TLFS_NR_SINTS; i++)
		ack_sint(v, i);
}

static void tell_user_space(struct vcpu *v, u32 index, bool host)
{
	if (host)
		return;
	v->hv->synic.msr = index;
	hv_pend(v, HV_PENDING_SYNIC);
}

static int set_active(struct vcpu *v, u32 index, u64 val, bool host)
{
	struct hv_synic *s = &v->hv->synic;

	switch (index) {
	case TLFS_MSR_INDEX_SCONTROL:
		s->control = val;
		break;
	case TLFS_MSR_INDEX_SVERSION:
		return !host;
	case TLFS_MSR_INDEX_SIEFP:
		if (set_page(v, &s->siefp, val, host))
			return 1;
		break;
	case TLFS_MSR_INDEX_SIMP:
		if (set_page(v, &s->simp, val, host))
			return 1;
		break;
	case TLFS_MSR_INDEX_EOM:
		end_of_messages(v);
		return 0;
	default:
		return set_sint(v, sint_nr(index), val, host);
	}
	tell_user_space(v, index, host);
	return 0;
}

/** hv_synic_set_msr - SCONTROL to SINT15; while inactive user space can restore zeros */
int hv_synic_set_msr(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (v->hv->synic.active)
		return set_active(v, index, val, host);
	return host && !val ? 0 : 1;
}

void hv_synic_exit(struct vcpu *v)
{
	const struct hv_synic *s = &v->hv->synic;
	struct kvm_hyperv_exit *e = &v->run->hyperv;

	memset(e, 0, sizeof(*e));
	v->run->exit_reason = KVM_EXIT_HYPERV;
	e->type = KVM_EXIT_HYPERV_SYNIC;
	e->u.synic.msr = s->msr;
	e->u.synic.control = s->control;
	e->u.synic.evt_page = s->siefp;
	e->u.synic.msg_page = s->simp;
}

/**
 * hv_raise_sint - raise a synthetic interrupt
 * @v: the vCPU; any context but NMI
 * Return: >0 delivered, 0 coalesced, -1 masked or not there.
 */
int hv_raise_sint(struct vcpu *v, unsigned int sint)
{
	struct vcpu_hv *hv = hv_of(v);
	u64 val;

	if (!hv || !READ_ONCE(hv->synic.active) || sint >= TLFS_NR_SINTS)
		return -1;
	val = READ_ONCE(hv->synic.sint[array_index_nospec(sint, TLFS_NR_SINTS)]);
	if ((val & (TLFS_SINT_MASKED | TLFS_SINT_POLLING)) ||
	    TLFS_SINT_VECTOR(val) < TLFS_FIRST_VECTOR)
		return -1;
	return lapic_raise(v, TLFS_SINT_VECTOR(val));
}

/** hv_synic_eoi - EOI of a vector in our lines; by the vCPU's thread, may not sleep */
void hv_synic_eoi(struct vcpu *v, u8 vector)
{
	const struct hv_synic *s = &v->hv->synic;
	unsigned int i;

	for (i = 0; i < TLFS_NR_SINTS; i++) {
		if (!(s->sint[i] & TLFS_SINT_MASKED) && TLFS_SINT_VECTOR(s->sint[i]) == vector)
			ack_sint(v, i);
	}
}

/* The guest empties a slot, then looks whether it has to write EOM. */
static int slot_is_full(struct vm *vm, u64 gpa)
{
	u64 flags_gpa = gpa + offsetof(struct tlfs_message, flags);
	u32 type;
	u8 flags;

	if (vm_read_guest(vm, gpa, &type, sizeof(type)))
		return -ENOENT;
	if (type == TLFS_MESSAGE_NONE)
		return 0;
	if (vm_read_guest(vm, flags_gpa, &flags, sizeof(flags)))
		return -ENOENT;
	flags |= TLFS_MESSAGE_PENDING;
	return vm_write_guest(vm, flags_gpa, &flags, sizeof(flags)) ? -ENOENT : -EAGAIN;
}

/**
 * hv_post_timer_message - put a timer's message into its slot and raise the source
 * @v: the vCPU, its own thread; vm->srcu held, may sleep
 *
 * The type is written last: it makes the message valid.
 * Return: 0, -EAGAIN: the slot is full, and the guest will write EOM; -ENOENT: no message page.
 */
int hv_post_timer_message(struct vcpu *v, unsigned int sint, const struct tlfs_timer_payload *p)
{
	const struct hv_synic *s = &v->hv->synic;
	struct tlfs_message m = { .payload_size = sizeof(*p) };
	u64 gpa = TLFS_PAGE_ADDRESS(s->simp) + sint * sizeof(m);
	u32 type = TLFS_MESSAGE_TIMER;
	int r;

	BUILD_BUG_ON(sizeof(m) * TLFS_NR_SINTS != PAGE_SIZE);
	if (!(s->simp & TLFS_PAGE_ENABLE))
		return -ENOENT;
	r = slot_is_full(v->vm, gpa);
	if (r)
		return r;
	memcpy(m.payload, p, sizeof(*p));
	if (vm_write_guest(v->vm, gpa, &m, offsetof(struct tlfs_message, payload) + sizeof(*p)))
		return -ENOENT;
	smp_wmb();
	if (vm_write_guest(v->vm, gpa, &type, sizeof(type)))
		return -ENOENT;
	hv_raise_sint(v, sint);
	return 0;
}
