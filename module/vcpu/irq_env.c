// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world as the interrupt controllers see it (irqchip/env.h), inside the module.
 * The timers are in linux/vtimer.c.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/srcu.h>

#include "irqchip/env.h"
#include "mm/mm.h"
#include "vcpu/hyperv.h"
#include "vcpu/vcpu.h"

struct lapic *env_lapic(struct vcpu *v)
{
	return v->lapic;
}

void env_set_lapic(struct vcpu *v, struct lapic *l)
{
	v->lapic = l;
}

struct irqchip *env_irqchip(struct vm *vm)
{
	/* Pairs with smp_store_release() in the ioctl that creates it. */
	return smp_load_acquire(&vm->irqchip);
}

struct vm *env_vm(struct vcpu *v)
{
	return v->vm;
}

u32 env_vcpu_id(struct vcpu *v)
{
	return v->id;
}

bool env_is_bsp(struct vcpu *v)
{
	return v->id == v->vm->bsp_vcpu_id;
}

unsigned int env_nr_vcpus(struct vm *vm)
{
	return vm_nr_vcpus(vm);
}

struct vcpu *env_vcpu(struct vm *vm, unsigned int idx)
{
	return idx < vm_nr_vcpus(vm) ? vm->vcpus[idx] : NULL;
}

u64 *env_apic_base(struct vcpu *v)
{
	return &v->apic_base;
}

bool env_has_x2apic(struct vcpu *v)
{
	return vcpu_has_feature(v, X86_FEATURE_X2APIC);
}

bool env_has_tsc_deadline(struct vcpu *v)
{
	return vcpu_has_feature(v, X86_FEATURE_TSC_DEADLINE_TIMER);
}

bool env_lint0_extint(struct vm *vm)
{
	return vm_has_quirk(vm, KVM_X86_QUIRK_LINT0_REENABLED);
}

u64 env_x2apic_api(struct vm *vm)
{
	return READ_ONCE(vm->x2apic_api);
}

int env_raise_sint(struct vm *vm, u32 vp_index, u32 sint)
{
	struct vcpu *v = hv_vcpu_by_vp(vm, vp_index);

	return v ? hv_raise_sint(v, sint) : -1;
}

void env_synth_eoi(struct vcpu *v, u8 vector)
{
	hv_synic_eoi(v, vector);
}

void env_event(struct vcpu *v)
{
	vcpu_request_and_kick(v, REQ_EVENT);
}

void env_post_nmi(struct vcpu *v)
{
	vcpu_post_nmi(v);
}

void env_post_init(struct vcpu *v)
{
	vcpu_post_init(v);
}

void env_post_smi(struct vcpu *v)
{
	vcpu_post_smi(v);
}

void env_post_sipi(struct vcpu *v, u8 vector)
{
	vcpu_post_sipi(v, vector);
}

u64 env_now_ns(void)
{
	return ktime_get_ns();
}

u64 env_guest_tsc(struct vcpu *v)
{
	return vcpu_read_tsc(v);
}

u64 env_tsc_to_ns(struct vcpu *v, u64 delta)
{
	u32 khz = vcpu_tsc_khz(v);

	/* The product must not overflow the division: the guest chooses delta. */
	if (!khz || delta / khz >= U64_MAX / NSEC_PER_MSEC)
		return U64_MAX;
	return mul_u64_u64_div_u64(delta, NSEC_PER_MSEC, khz);
}

int env_read_guest(struct vm *vm, u64 gpa, void *buf, size_t len)
{
	int idx = srcu_read_lock(&vm->srcu);
	int ret = vm_read_guest(vm, gpa, buf, len);

	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

int env_write_guest(struct vm *vm, u64 gpa, const void *buf, size_t len)
{
	int idx = srcu_read_lock(&vm->srcu);
	int ret = vm_write_guest(vm, gpa, buf, len);

	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}
