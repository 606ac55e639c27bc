// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU fd's ioctls but KVM_RUN. All run with vcpu->mutex held, the vCPU loaded and
 * vm->srcu read-locked.
 */
#include <linux/mm.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/api.h"
#include "irqchip/irqchip.h"
#include "nested/state.h"
#include "vcpu/nested.h"
#include "vcpu/tpr.h"
#include "vcpu/vcpu.h"

/* Registers ----------------------------------------------------------------- */

static long get_regs(void *v, void *buf, unsigned long arg)
{
	vcpu_get_regs(v, buf);
	return 0;
}

static long set_regs(void *v, void *buf, unsigned long arg)
{
	vcpu_set_regs(v, buf);
	return 0;
}

static long get_sregs(void *v, void *buf, unsigned long arg)
{
	vcpu_get_sregs(v, buf);
	return 0;
}

static long set_sregs(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_sregs(v, buf);
}

static long get_sregs2(void *v, void *buf, unsigned long arg)
{
	vcpu_get_sregs2(v, buf);
	return 0;
}

static long set_sregs2(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_sregs2(v, buf);
}

static long get_fpu(void *v, void *buf, unsigned long arg)
{
	vcpu_get_fpu(v, buf);
	return 0;
}

static long set_fpu(void *v, void *buf, unsigned long arg)
{
	vcpu_set_fpu(v, buf);
	return 0;
}

static long get_xsave(void *v, void *buf, unsigned long arg)
{
	vcpu_get_xsave(v, buf, sizeof(struct kvm_xsave));
	return 0;
}

static long set_xsave(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_xsave(v, buf, sizeof(struct kvm_xsave));
}

static long get_xcrs(void *v, void *buf, unsigned long arg)
{
	vcpu_get_xcrs(v, buf);
	return 0;
}

static long set_xcrs(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_xcrs(v, buf);
}

static long get_debugregs(void *v, void *buf, unsigned long arg)
{
	vcpu_get_debugregs(v, buf);
	return 0;
}

static long set_debugregs(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_debugregs(v, buf);
}

static long set_guest_debug(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_guest_debug(v, buf);
}

static long translate(void *v, void *buf, unsigned long arg)
{
	return vcpu_translate(v, buf);
}

/* MSRs ------------------------------------------------------------------------ */

static int read_msr(struct vcpu *v, struct kvm_msr_entry *e)
{
	u64 val = 0;
	int ret = vcpu_get_msr(v, e->index, &val, true);

	e->data = val;
	return ret;
}

static int write_msr(struct vcpu *v, struct kvm_msr_entry *e)
{
	return vcpu_set_msr(v, e->index, e->data, true);
}

static long get_msrs(void *v, void *buf, unsigned long arg)
{
	return api_msrs(v, read_msr, arg, true);
}

static long set_msrs(void *v, void *buf, unsigned long arg)
{
	return api_msrs(v, write_msr, arg, false);
}

/* CPUID ------------------------------------------------------------------------ */

static long set_cpuid2(void *v, void *buf, unsigned long arg)
{
	struct kvm_cpuid2 __user *u = (void __user *)arg;
	struct kvm_cpuid_entry2 *e = NULL;
	struct kvm_cpuid2 head;
	long ret;

	if (copy_from_user(&head, u, sizeof(head)))
		return -EFAULT;
	if (head.nent > API_MAX_CPUID_ENTRIES)
		return -E2BIG;
	if (head.nent) {
		e = vmemdup_user(u->entries, array_size(head.nent, sizeof(*e)));
		if (IS_ERR(e))
			return PTR_ERR(e);
	}
	ret = vcpu_set_cpuid(v, e, head.nent);
	kvfree(e);
	return ret;
}

/* The first form of the ioctl, without subleaves. */
static long set_cpuid(void *v, void *buf, unsigned long arg)
{
	struct kvm_cpuid __user *u = (void __user *)arg;
	struct kvm_cpuid_entry *old;
	struct kvm_cpuid_entry2 *e;
	struct kvm_cpuid head;
	long ret = -ENOMEM;
	u32 i;

	if (copy_from_user(&head, u, sizeof(head)))
		return -EFAULT;
	if (head.nent > API_MAX_CPUID_ENTRIES)
		return -E2BIG;
	old = vmemdup_user(u->entries, array_size(head.nent, sizeof(*old)));
	if (IS_ERR(old))
		return PTR_ERR(old);
	e = kvcalloc(head.nent ?: 1, sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (e) {
		for (i = 0; i < head.nent; i++) {
			e[i].function = old[i].function;
			e[i].eax = old[i].eax;
			e[i].ebx = old[i].ebx;
			e[i].ecx = old[i].ecx;
			e[i].edx = old[i].edx;
		}
		ret = vcpu_set_cpuid(v, e, head.nent);
	}
	kvfree(e);
	kvfree(old);
	return ret;
}

static long get_cpuid2(void *v, void *buf, unsigned long arg)
{
	return api_fill_cpuid(v, vcpu_get_cpuid, arg, true);
}

static long get_supported_hv_cpuid(void *v, void *buf, unsigned long arg)
{
	return api_supported_hv_cpuid(v, arg);
}

/* Events ------------------------------------------------------------------------ */

static long get_events(void *v, void *buf, unsigned long arg)
{
	vcpu_get_events(v, buf);
	return 0;
}

static long set_events(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_events(v, buf);
}

static long get_mp_state(void *v, void *buf, unsigned long arg)
{
	return vcpu_get_mp_state(v, buf);
}

static long set_mp_state(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_mp_state(v, buf);
}

static long interrupt(void *v, void *buf, unsigned long arg)
{
	const struct kvm_interrupt *irq = buf;

	return vcpu_queue_user_irq(v, irq->irq);
}

static long nmi(void *v, void *buf, unsigned long arg)
{
	vcpu_post_nmi(v);
	return 0;
}

static long smi(void *v, void *buf, unsigned long arg)
{
	vcpu_post_smi(v);
	return 0;
}

static long set_signal_mask(void *obj, void *buf, unsigned long arg)
{
	struct kvm_signal_mask __user *u = (void __user *)arg;
	struct vcpu *v = obj;
	sigset_t set;
	u32 len;

	if (!arg) {
		v->sigset_active = false;
		return 0;
	}
	if (get_user(len, &u->len))
		return -EFAULT;
	if (len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, u->sigset, sizeof(set)))
		return -EFAULT;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	v->sigset = set;
	v->sigset_active = true;
	return 0;
}

/* Nested virtualization --------------------------------------------------------------- */

static long get_nested_state(void *v, void *buf, unsigned long arg)
{
	struct kvm_nested_state __user *u = (void __user *)arg;
	struct kvm_nested_state *s;
	long ret = 0;
	u32 size;

	if (get_user(size, &u->size))
		return -EFAULT;
	s = kzalloc(NESTED_STATE_SIZE_SHADOW, GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	nested_get_state(v, s);
	if (size < s->size)
		ret = put_user(s->size, &u->size) ? -EFAULT : -E2BIG;
	else if (copy_to_user(u, s, s->size))
		ret = -EFAULT;
	kfree(s);
	return ret;
}

static long set_nested_state(void *v, void *buf, unsigned long arg)
{
	struct kvm_nested_state __user *u = (void __user *)arg;
	struct kvm_nested_state *s;
	long ret = -EFAULT;
	u32 size;

	if (get_user(size, &u->size))
		return -EFAULT;
	if (size < sizeof(*s))
		return -EINVAL;
	s = kzalloc(NESTED_STATE_SIZE_SHADOW, GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	if (!copy_from_user(s, u, min_t(u32, size, NESTED_STATE_SIZE_SHADOW))) {
		/* The one that was looked at, whatever is there now. */
		s->size = size;
		ret = nested_set_state(v, s);
	}
	kfree(s);
	return ret;
}

/* Local APIC ---------------------------------------------------------------------- */

static long get_lapic(void *obj, void *buf, unsigned long arg)
{
	struct vcpu *v = obj;

	if (!v->lapic)
		return -EINVAL;
	lapic_get_state(v, buf);
	return 0;
}

static long set_lapic(void *obj, void *buf, unsigned long arg)
{
	struct vcpu *v = obj;

	return v->lapic ? lapic_set_state(v, buf) : -EINVAL;
}

static long tpr_reporting(void *obj, void *buf, unsigned long arg)
{
	struct vcpu *v = obj;
	struct kvm_tpr_access_ctl *c = buf;

	if (c->flags || !v->lapic)
		return -EINVAL;
	v->tpr_access_reporting = !!c->enabled;
	return 0;
}

static long set_vapic_addr(void *v, void *buf, unsigned long arg)
{
	const struct kvm_vapic_addr *a = buf;

	return vcpu_set_tpr_page(v, a->vapic_addr);
}

/* Machine check -------------------------------------------------------------------- */

static long setup_mce(void *v, void *buf, unsigned long arg)
{
	return vcpu_setup_mce(v, *(u64 *)buf);
}

static long set_mce(void *v, void *buf, unsigned long arg)
{
	return vcpu_set_mce(v, buf);
}

/* Time, statistics, capabilities ------------------------------------------------------ */

static long get_tsc_khz(void *v, void *buf, unsigned long arg)
{
	return vcpu_tsc_khz(v);
}

static long set_tsc_khz(void *v, void *buf, unsigned long khz)
{
	if (khz > U32_MAX)
		return -EINVAL;
	return vcpu_set_tsc_khz(v, khz ?: tsc_khz);
}

/* The one attribute of a vCPU: its TSC's offset from the host's. */
static bool is_tsc_offset(const struct kvm_device_attr *a)
{
	return a->group == KVM_VCPU_TSC_CTRL && a->attr == KVM_VCPU_TSC_OFFSET;
}

static long has_device_attr(void *v, void *buf, unsigned long arg)
{
	return is_tsc_offset(buf) ? 0 : -ENXIO;
}

static long get_device_attr(void *obj, void *buf, unsigned long arg)
{
	const struct kvm_device_attr *a = buf;
	struct vcpu *v = obj;

	if (!is_tsc_offset(a))
		return -ENXIO;
	return put_user(v->tsc_offset, (u64 __user *)(unsigned long)a->addr);
}

static long set_device_attr(void *v, void *buf, unsigned long arg)
{
	const struct kvm_device_attr *a = buf;
	u64 offset;

	if (!is_tsc_offset(a))
		return -ENXIO;
	if (get_user(offset, (u64 __user *)(unsigned long)a->addr))
		return -EFAULT;
	vcpu_set_tsc_offset(v, offset);
	return 0;
}

static long clock_ctrl(void *v, void *buf, unsigned long arg)
{
	return vcpu_clock_ctrl(v);
}

static long stats_fd(void *v, void *buf, unsigned long arg)
{
	return api_vcpu_stats_fd(v);
}

static long enable_cap(void *vcpu, void *buf, unsigned long arg)
{
	const struct kvm_enable_cap *cap = buf;
	struct vcpu *v = vcpu;

	if (cap->flags)
		return -EINVAL;
	switch (cap->cap) {
	case KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
		v->enforce_pv = cap->args[0];
		return 0;
	default:
		return api_enable_hv_cap(v, cap);
	}
}

const struct api_call api_vcpu_calls[] = {
	API_CALL(KVM_GET_REGS, API_OUT, struct kvm_regs, get_regs),
	API_CALL(KVM_SET_REGS, API_IN, struct kvm_regs, set_regs),
	API_CALL(KVM_GET_SREGS, API_OUT, struct kvm_sregs, get_sregs),
	API_CALL(KVM_SET_SREGS, API_IN, struct kvm_sregs, set_sregs),
	API_CALL(KVM_GET_SREGS2, API_OUT, struct kvm_sregs2, get_sregs2),
	API_CALL(KVM_SET_SREGS2, API_IN, struct kvm_sregs2, set_sregs2),
	API_CALL(KVM_INTERRUPT, API_IN, struct kvm_interrupt, interrupt),
	API_NONE(KVM_NMI, nmi),
	API_NONE(KVM_SMI, smi),
	API_NONE(KVM_GET_MSRS, get_msrs),
	API_NONE(KVM_SET_MSRS, set_msrs),
	API_NONE(KVM_SET_CPUID, set_cpuid),
	API_NONE(KVM_SET_CPUID2, set_cpuid2),
	API_NONE(KVM_GET_CPUID2, get_cpuid2),
	API_NONE(KVM_GET_SUPPORTED_HV_CPUID, get_supported_hv_cpuid),
	API_NONE(KVM_SET_SIGNAL_MASK, set_signal_mask),
	API_CALL(KVM_GET_FPU, API_OUT, struct kvm_fpu, get_fpu),
	API_CALL(KVM_SET_FPU, API_IN, struct kvm_fpu, set_fpu),
	API_CALL(KVM_GET_XSAVE, API_OUT, struct kvm_xsave, get_xsave),
	API_CALL(KVM_GET_XSAVE2, API_OUT, struct kvm_xsave, get_xsave),
	API_CALL(KVM_SET_XSAVE, API_IN, struct kvm_xsave, set_xsave),
	API_CALL(KVM_GET_XCRS, API_OUT, struct kvm_xcrs, get_xcrs),
	API_CALL(KVM_SET_XCRS, API_IN, struct kvm_xcrs, set_xcrs),
	API_CALL(KVM_GET_DEBUGREGS, API_OUT, struct kvm_debugregs, get_debugregs),
	API_CALL(KVM_SET_DEBUGREGS, API_IN, struct kvm_debugregs, set_debugregs),
	API_CALL(KVM_SET_GUEST_DEBUG, API_IN, struct kvm_guest_debug, set_guest_debug),
	API_CALL(KVM_TRANSLATE, API_IN | API_OUT, struct kvm_translation, translate),
	API_CALL(KVM_GET_LAPIC, API_OUT, struct kvm_lapic_state, get_lapic),
	API_CALL(KVM_SET_LAPIC, API_IN, struct kvm_lapic_state, set_lapic),
	API_CALL(KVM_TPR_ACCESS_REPORTING, API_IN | API_OUT, struct kvm_tpr_access_ctl,
		 tpr_reporting),
	API_CALL(KVM_SET_VAPIC_ADDR, API_IN, struct kvm_vapic_addr, set_vapic_addr),
	API_CALL(KVM_GET_MP_STATE, API_OUT, struct kvm_mp_state, get_mp_state),
	API_CALL(KVM_SET_MP_STATE, API_IN, struct kvm_mp_state, set_mp_state),
	API_CALL(KVM_GET_VCPU_EVENTS, API_OUT, struct kvm_vcpu_events, get_events),
	API_CALL(KVM_SET_VCPU_EVENTS, API_IN, struct kvm_vcpu_events, set_events),
	API_NONE(KVM_GET_NESTED_STATE, get_nested_state),
	API_NONE(KVM_SET_NESTED_STATE, set_nested_state),
	API_CALL(KVM_X86_SETUP_MCE, API_IN, u64, setup_mce),
	API_CALL(KVM_X86_SET_MCE, API_IN, struct kvm_x86_mce, set_mce),
	API_NONE(KVM_GET_TSC_KHZ, get_tsc_khz),
	API_NONE(KVM_SET_TSC_KHZ, set_tsc_khz),
	API_CALL(KVM_HAS_DEVICE_ATTR, API_IN, struct kvm_device_attr, has_device_attr),
	API_CALL(KVM_GET_DEVICE_ATTR, API_IN, struct kvm_device_attr, get_device_attr),
	API_CALL(KVM_SET_DEVICE_ATTR, API_IN, struct kvm_device_attr, set_device_attr),
	API_NONE(KVM_KVMCLOCK_CTRL, clock_ctrl),
	API_NONE(KVM_GET_STATS_FD, stats_fd),
	API_CALL(KVM_ENABLE_CAP, API_IN, struct kvm_enable_cap, enable_cap),
};

const size_t api_nr_vcpu_calls = ARRAY_SIZE(api_vcpu_calls);
