// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a VM's interrupt controllers, and KVM_GET/SET_IRQCHIP. Called by api/.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "irqchip/chip.h"

static struct irqchip *chip_alloc(struct vm *vm)
{
	struct irqchip *ic = kzalloc(sizeof(*ic), GFP_KERNEL_ACCOUNT);

	if (!ic)
		return NULL;
	ic->vm = vm;
	spin_lock_init(&ic->route_lock);
	spin_lock_init(&ic->ack_lock);
	return ic;
}

/** irqchip_create - KVM_CREATE_IRQCHIP: *out is to be published as vm->irqchip */
int irqchip_create(struct vm *vm, struct irqchip **out)
{
	struct irqchip *ic = chip_alloc(vm);
	int err = -ENOMEM;

	if (!ic)
		return -ENOMEM;
	ic->pic = pic_create(ic);
	ic->ioapic = ioapic_create(ic);
	if (!ic->pic || !ic->ioapic)
		goto fail;
	err = route_set_default(ic);
	if (err)
		goto fail;
	err = pic_attach(ic->pic);
	if (err)
		goto fail;
	err = ioapic_attach(ic->ioapic);
	if (err) {
		vm_bus_unregister(vm, BUS_PIO, &ic->pic->dev);
		goto fail;
	}
	*out = ic;
	return 0;
fail:
	irqchip_destroy(ic);
	return err;
}

/** irqchip_create_split - KVM_CAP_SPLIT_IRQCHIP: PIC and IOAPIC stay with user space */
int irqchip_create_split(struct vm *vm, u32 nr_pins, struct irqchip **out)
{
	struct irqchip *ic;
	int err;

	if (nr_pins > MAX_GSI)
		return -EINVAL;
	ic = chip_alloc(vm);
	if (!ic)
		return -ENOMEM;
	ic->split = true;
	ic->split_pins = nr_pins;
	err = route_set_default(ic);
	if (err) {
		irqchip_destroy(ic);
		return err;
	}
	*out = ic;
	return 0;
}

/** irqchip_destroy - after the buses are gone and no vCPU runs */
void irqchip_destroy(struct irqchip *ic)
{
	if (!ic)
		return;
	pit_free(ic->pit);
	ioapic_free(ic->ioapic);
	pic_free(ic->pic);
	route_free(ic);
	kfree(ic);
}

int irqchip_get_state(struct vm *vm, struct kvm_irqchip *chip)
{
	struct irqchip *ic = env_irqchip(vm);

	if (!ic || ic->split)
		return -ENXIO;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		pic_get(ic->pic, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		ioapic_get(ic->ioapic, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}

int irqchip_set_state(struct vm *vm, const struct kvm_irqchip *chip)
{
	struct irqchip *ic = env_irqchip(vm);

	if (!ic || ic->split)
		return -ENXIO;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		pic_set(ic->pic, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		ioapic_set(ic->ioapic, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}
