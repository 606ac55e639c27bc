// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt controllers' part of the VM fd: creation, lines, routing, state.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/api.h"
#include "irqchip/env.h"
#include "irqchip/irqchip.h"
#include "vcpu/vcpu.h"

#define MAX_SPLIT_PINS 64 /* more IOAPIC pins than any client has */
#define MAX_IRQ_ROUTES 4096

/* Only KVM_CREATE_IRQCHIP's kind has a PIC and an IOAPIC. */
static bool full_irqchip(struct vm *vm)
{
	return env_irqchip(vm) && !vm->irqchip_split;
}

static long create_irqchip(struct vm *vm, bool split, u32 nr_pins)
{
	struct irqchip *ic;
	long ret;

	mutex_lock(&vm->lock);
	if (vm->irqchip) {
		ret = -EEXIST;
	} else if (vm_nr_vcpus(vm)) {
		ret = split ? -EEXIST : -EINVAL;
	} else if (split) {
		ret = irqchip_create_split(vm, nr_pins, &ic);
	} else {
		ret = irqchip_create(vm, &ic);
	}
	if (!ret) {
		vm->irqchip_split = split;
		vm->nr_reserved_ioapic_pins = nr_pins;
		/* Pairs with env_irqchip(). */
		smp_store_release(&vm->irqchip, ic);
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static long vm_create_irqchip(void *vm, void *buf, unsigned long arg)
{
	return create_irqchip(vm, false, 0);
}

long api_create_irqchip_split(struct vm *vm, u64 nr_pins)
{
	if (nr_pins > MAX_SPLIT_PINS)
		return -EINVAL;
	return create_irqchip(vm, true, nr_pins);
}

static long create_pit(struct vm *vm, u32 flags)
{
	long ret;

	if (flags & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	mutex_lock(&vm->lock);
	ret = full_irqchip(vm) ? pit_create(vm, flags) : -ENOENT;
	mutex_unlock(&vm->lock);
	return ret;
}

static long vm_create_pit(void *vm, void *buf, unsigned long arg)
{
	return create_pit(vm, KVM_PIT_SPEAKER_DUMMY);
}

static long vm_create_pit2(void *vm, void *buf, unsigned long arg)
{
	const struct kvm_pit_config *c = buf;

	return create_pit(vm, c->flags);
}

static long vm_irq_line_status(void *vm, void *buf, unsigned long arg)
{
	struct kvm_irq_level *l = buf;
	int ret;

	if (!env_irqchip(vm))
		return -ENXIO;
	ret = irq_set(vm, IRQ_SOURCE_USER, l->irq, !!l->level);
	if (ret < -1)
		return ret;
	l->status = ret;
	return 0;
}

static long vm_irq_line(void *vm, void *buf, unsigned long arg)
{
	return vm_irq_line_status(vm, buf, arg);
}

static long vm_signal_msi(void *vm, void *buf, unsigned long arg)
{
	const struct kvm_msi *msi = buf;

	if (!env_irqchip(vm) || msi->flags)
		return -EINVAL;
	return irq_send_msi(vm, msi);
}

static long vm_set_gsi_routing(void *vm, void *buf, unsigned long arg)
{
	struct kvm_irq_routing __user *u = (void __user *)arg;
	struct kvm_irq_routing_entry *e = NULL;
	struct kvm_irq_routing head;
	long ret;

	if (copy_from_user(&head, u, sizeof(head)))
		return -EFAULT;
	if (!env_irqchip(vm) || head.nr > MAX_IRQ_ROUTES || head.flags)
		return -EINVAL;
	if (head.nr) {
		e = vmemdup_user(u->entries, array_size(head.nr, sizeof(*e)));
		if (IS_ERR(e))
			return PTR_ERR(e);
	}
	ret = irq_routing_set(vm, e, head.nr);
	kvfree(e);
	return ret;
}

static long vm_get_irqchip(void *vm, void *buf, unsigned long arg)
{
	return full_irqchip(vm) ? irqchip_get_state(vm, buf) : -ENXIO;
}

static long vm_set_irqchip(void *vm, void *buf, unsigned long arg)
{
	return full_irqchip(vm) ? irqchip_set_state(vm, buf) : -ENXIO;
}

static long vm_get_pit2(void *vm, void *buf, unsigned long arg)
{
	return full_irqchip(vm) ? pit_get_state(vm, buf) : -ENXIO;
}

static long vm_set_pit2(void *vm, void *buf, unsigned long arg)
{
	return full_irqchip(vm) ? pit_set_state(vm, buf) : -ENXIO;
}

/* The older structs have the channels only. */
static long vm_get_pit(void *vm, void *buf, unsigned long arg)
{
	struct kvm_pit_state2 s = {};
	long ret = vm_get_pit2(vm, &s, 0);

	if (!ret)
		memcpy(buf, s.channels, sizeof(s.channels));
	return ret;
}

static long vm_set_pit(void *vm, void *buf, unsigned long arg)
{
	struct kvm_pit_state2 s = {};
	long ret = vm_get_pit2(vm, &s, 0);

	if (ret)
		return ret;
	memcpy(s.channels, buf, sizeof(s.channels));
	return vm_set_pit2(vm, &s, 0);
}

static long vm_reinject_control(void *vm, void *buf, unsigned long arg)
{
	return full_irqchip(vm) ? pit_reinject(vm, buf) : -ENXIO;
}

static long vm_irqfd(void *vm, void *buf, unsigned long arg)
{
	return api_irqfd(vm, buf);
}

/* The hottest first. */
const struct api_call api_irq_calls[] = {
	API_CALL(KVM_IRQ_LINE_STATUS, API_IN | API_OUT, struct kvm_irq_level, vm_irq_line_status),
	API_CALL(KVM_IRQ_LINE, API_IN, struct kvm_irq_level, vm_irq_line),
	API_CALL(KVM_SIGNAL_MSI, API_IN, struct kvm_msi, vm_signal_msi),
	API_NONE(KVM_SET_GSI_ROUTING, vm_set_gsi_routing),
	API_CALL(KVM_IRQFD, API_IN, struct kvm_irqfd, vm_irqfd),
	API_NONE(KVM_CREATE_IRQCHIP, vm_create_irqchip),
	API_CALL(KVM_GET_IRQCHIP, API_IN | API_OUT, struct kvm_irqchip, vm_get_irqchip),
	API_CALL(KVM_SET_IRQCHIP, API_IN, struct kvm_irqchip, vm_set_irqchip),
	API_NONE(KVM_CREATE_PIT, vm_create_pit),
	API_CALL(KVM_CREATE_PIT2, API_IN, struct kvm_pit_config, vm_create_pit2),
	API_CALL(KVM_GET_PIT, API_OUT, struct kvm_pit_state, vm_get_pit),
	API_CALL(KVM_SET_PIT, API_IN, struct kvm_pit_state, vm_set_pit),
	API_CALL(KVM_GET_PIT2, API_OUT, struct kvm_pit_state2, vm_get_pit2),
	API_CALL(KVM_SET_PIT2, API_IN, struct kvm_pit_state2, vm_set_pit2),
	API_CALL(KVM_REINJECT_CONTROL, API_IN, struct kvm_reinject_control, vm_reinject_control),
};

const size_t api_nr_irq_calls = ARRAY_SIZE(api_irq_calls);
