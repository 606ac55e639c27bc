// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a GSI to chip pins and MSIs, and the notifiers of acknowledged GSIs. irq_set() is the
 * one way by which devices (KVM_IRQ_LINE, irqfd, PIT) raise interrupts, in any context but NMI.
 *
 * The table is replaced whole. Readers copy the few entries of their GSI under route_lock
 * and deliver after dropping it.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "irqchip/chip.h"

#define MAX_ROUTES 4096 /* entries, KVM_CAP_IRQ_ROUTING */
#define PER_GSI	   KVM_NR_IRQCHIPS

#define NR_SINTS   16	/* synthetic interrupt sources of a vCPU */
#define NR_VPS	   1024 /* KVM_CAP_MAX_VCPUS */

enum route_kind { ROUTE_PIN, ROUTE_MSI, ROUTE_SINT };

struct route {
	enum route_kind kind;
	u8 chip;
	u16 pin; /* or the synthetic interrupt source */
	union {
		struct {
			u32 msi_hi, msi_lo, msi_data;
		};
		u32 vp_index;
	};
};

struct route_table {
	u32 nr_gsi;
	struct gsi_routes {
		u8 nr;
		struct route r[PER_GSI];
	} gsi[];
};

static unsigned int lookup(struct irqchip *ic, u32 gsi, struct route out[PER_GSI])
{
	unsigned long flags;
	unsigned int n = 0;

	spin_lock_irqsave(&ic->route_lock, flags);
	if (ic->routes && gsi < ic->routes->nr_gsi) {
		n = ic->routes->gsi[gsi].nr;
		memcpy(out, ic->routes->gsi[gsi].r, n * sizeof(*out));
	}
	spin_unlock_irqrestore(&ic->route_lock, flags);
	return n;
}

/* KVM_X2APIC_API_USE_32BIT_IDS: bits 31:8 of the destination are in address_hi. */
static bool msi_valid(struct vm *vm, u32 hi)
{
	return !(env_x2apic_api(vm) & KVM_X2APIC_API_USE_32BIT_IDS) || !(hi & 0xff);
}

/* SDM "Message Signalled Interrupts". */
static int send_msi(struct vm *vm, u32 hi, u32 lo, u32 data)
{
	u64 api = env_x2apic_api(vm);
	struct apic_msg m = {
		.dest = (lo >> 12 & 0xff) | (api & KVM_X2APIC_API_USE_32BIT_IDS ? hi & ~0xffu : 0),
		.wide = api & KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK,
		.logical = lo & BIT(2),
		.level = data & BIT(15),
		.mode = data >> 8 & 7,
		.vector = data & 0xff,
	};

	/* Redirection hint: one of the logical destination's processors. */
	if ((lo & BIT(3)) && m.logical && m.mode == 0)
		m.mode = 1;
	return apic_deliver(vm, &m);
}

int irq_send_msi(struct vm *vm, const struct kvm_msi *msi)
{
	if (!env_irqchip(vm))
		return -ENXIO;
	if (msi->flags || !msi_valid(vm, msi->address_hi))
		return -EINVAL;
	/* Clients pass the offset in the APIC page as well as the full address: only the
	 * fields below it count. */
	return max(send_msi(vm, msi->address_hi, msi->address_lo, msi->data), 0);
}

static int set_one(struct irqchip *ic, const struct route *r, unsigned int source, int level)
{
	if (r->kind == ROUTE_MSI)
		return level ? send_msi(ic->vm, r->msi_hi, r->msi_lo, r->msi_data) : -1;
	if (r->kind == ROUTE_SINT)
		return level ? env_raise_sint(ic->vm, r->vp_index, r->pin) : -1;
	if (r->chip == KVM_IRQCHIP_IOAPIC)
		return ic->ioapic ? ioapic_set_pin(ic->ioapic, source, r->pin, level) : -1;
	return ic->pic ? pic_set_pin(ic->pic, source, r->chip * 8 + r->pin, level) : -1;
}

int irq_set(struct vm *vm, unsigned int source, u32 gsi, int level)
{
	struct irqchip *ic = env_irqchip(vm);
	struct route r[PER_GSI];
	unsigned int i, n;
	int ret = -1;

	if (!ic)
		return -ENXIO;
	if (gsi >= MAX_GSI || source > IRQ_SOURCE_RESAMPLE)
		return -EINVAL;
	n = lookup(ic, gsi, r);
	for (i = 0; i < n; i++) {
		int one = set_one(ic, &r[i], source, level);

		if (one >= 0)
			ret = one + max(ret, 0);
	}
	return ret;
}

static int parse_route(const struct irqchip *ic, const struct kvm_irq_routing_entry *e,
		       struct route *r)
{
	memset(r, 0, sizeof(*r));
	/* KVM_MSI_VALID_DEVID is for architectures that have device IDs. */
	if (e->flags)
		return -EINVAL;
	switch (e->type) {
	case KVM_IRQ_ROUTING_MSI:
		if (!msi_valid(ic->vm, e->u.msi.address_hi))
			return -EINVAL;
		r->kind = ROUTE_MSI;
		r->msi_hi = e->u.msi.address_hi;
		r->msi_lo = e->u.msi.address_lo;
		r->msi_data = e->u.msi.data;
		return 0;
	case KVM_IRQ_ROUTING_IRQCHIP:
		if (ic->split)
			return -EINVAL;
		if (e->u.irqchip.irqchip > KVM_IRQCHIP_IOAPIC)
			return -EINVAL;
		if (e->u.irqchip.pin >=
		    (e->u.irqchip.irqchip == KVM_IRQCHIP_IOAPIC ? IOAPIC_NR_PINS : 8))
			return -EINVAL;
		r->chip = e->u.irqchip.irqchip;
		r->pin = e->u.irqchip.pin;
		return 0;
	case KVM_IRQ_ROUTING_HV_SINT:
		if (e->u.hv_sint.vcpu >= NR_VPS || e->u.hv_sint.sint >= NR_SINTS)
			return -EINVAL;
		r->kind = ROUTE_SINT;
		r->vp_index = e->u.hv_sint.vcpu;
		r->pin = e->u.hv_sint.sint;
		return 0;
	default:
		return -EINVAL;
	}
}

/* A GSI has at most one MSI or synthetic source, or one pin of each chip. */
static int add_route(struct gsi_routes *g, const struct route *r)
{
	unsigned int i;

	for (i = 0; i < g->nr; i++)
		if (r->kind != ROUTE_PIN || g->r[i].kind != ROUTE_PIN || g->r[i].chip == r->chip)
			return -EINVAL;
	if (g->nr == PER_GSI)
		return -EINVAL;
	g->r[g->nr++] = *r;
	return 0;
}

static int build_table(struct irqchip *ic, const struct kvm_irq_routing_entry *e, u32 nr,
		       struct route_table **out)
{
	struct route_table *t;
	u32 i, nr_gsi = 0;

	for (i = 0; i < nr; i++) {
		if (e[i].gsi >= MAX_GSI)
			return -EINVAL;
		nr_gsi = max(nr_gsi, e[i].gsi + 1);
	}
	t = kvzalloc(sizeof(*t) + (size_t)nr_gsi * sizeof(t->gsi[0]), GFP_KERNEL_ACCOUNT);
	if (!t)
		return -ENOMEM;
	t->nr_gsi = nr_gsi;
	for (i = 0; i < nr; i++) {
		struct route r;
		int err = parse_route(ic, &e[i], &r);

		if (!err)
			err = add_route(&t->gsi[e[i].gsi], &r);
		if (err) {
			kvfree(t);
			return err;
		}
	}
	*out = t;
	return 0;
}

static int set_routes(struct irqchip *ic, const struct kvm_irq_routing_entry *e, u32 nr)
{
	struct route_table *t, *old;
	unsigned long flags;
	int err;

	if (nr > MAX_ROUTES)
		return -EINVAL;
	err = build_table(ic, e, nr, &t);
	if (err)
		return err;
	spin_lock_irqsave(&ic->route_lock, flags);
	old = ic->routes;
	ic->routes = t;
	spin_unlock_irqrestore(&ic->route_lock, flags);
	kvfree(old);
	if (ic->ioapic)
		ioapic_update_acks(ic->ioapic);
	return 0;
}

/** irq_routing_set - KVM_SET_GSI_ROUTING: replaces the table; -EINVAL, -ENOMEM, -ENXIO */
int irq_routing_set(struct vm *vm, const struct kvm_irq_routing_entry *e, u32 nr)
{
	struct irqchip *ic = env_irqchip(vm);

	return ic ? set_routes(ic, e, nr) : -ENXIO;
}

/* GSIs 0-15 reach the PIC and the IOAPIC pin of the same number, 16-23 the IOAPIC. */
int route_set_default(struct irqchip *ic)
{
	struct kvm_irq_routing_entry *e;
	u32 gsi, n = 0;
	int err;

	if (ic->split)
		return set_routes(ic, NULL, 0);
	e = kcalloc(PIC_NR_PINS + IOAPIC_NR_PINS, sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	for (gsi = 0; gsi < IOAPIC_NR_PINS; gsi++) {
		if (gsi < PIC_NR_PINS) {
			e[n].gsi = gsi;
			e[n].type = KVM_IRQ_ROUTING_IRQCHIP;
			e[n].u.irqchip.irqchip = gsi / 8;
			e[n++].u.irqchip.pin = gsi & 7;
		}
		e[n].gsi = gsi;
		e[n].type = KVM_IRQ_ROUTING_IRQCHIP;
		e[n].u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		e[n++].u.irqchip.pin = gsi;
	}
	err = set_routes(ic, e, n);
	kfree(e);
	return err;
}

void route_free(struct irqchip *ic)
{
	kvfree(ic->routes);
	ic->routes = NULL;
}

bool route_gsi_has_pin(struct irqchip *ic, u32 gsi, u32 chip, u32 pin)
{
	struct route r[PER_GSI];
	unsigned int i, n = lookup(ic, gsi, r);

	for (i = 0; i < n; i++)
		if (r[i].kind == ROUTE_PIN && r[i].chip == chip && r[i].pin == pin)
			return true;
	return false;
}

bool route_split_eoi(struct irqchip *ic, u8 vector)
{
	struct route r[PER_GSI];
	u32 gsi;

	for (gsi = 0; gsi < ic->split_pins; gsi++)
		if (lookup(ic, gsi, r) && r[0].kind == ROUTE_MSI &&
		    (r[0].msi_data & 0xff) == vector && (r[0].msi_data & BIT(15)))
			return true;
	return false;
}

/* Notifiers ---------------------------------------------------------------- */

void irq_acked(struct irqchip *ic, u32 chip, u32 pin)
{
	struct irq_ack_notifier *n;
	unsigned long flags;

	if (!READ_ONCE(ic->acks))
		return;
	spin_lock_irqsave(&ic->ack_lock, flags);
	for (n = ic->acks; n; n = n->next)
		if (route_gsi_has_pin(ic, n->gsi, chip, pin))
			n->acked(n);
	spin_unlock_irqrestore(&ic->ack_lock, flags);
}

static bool gsi_has_sint(struct irqchip *ic, u32 gsi, u32 vp_index, u32 sint)
{
	struct route r[PER_GSI];

	return lookup(ic, gsi, r) && r[0].kind == ROUTE_SINT && r[0].vp_index == vp_index &&
	       r[0].pin == sint;
}

void irq_ack_sint(struct vm *vm, u32 vp_index, u32 sint)
{
	struct irqchip *ic = env_irqchip(vm);
	struct irq_ack_notifier *n;
	unsigned long flags;

	if (!ic || !READ_ONCE(ic->acks))
		return;
	spin_lock_irqsave(&ic->ack_lock, flags);
	for (n = ic->acks; n; n = n->next)
		if (gsi_has_sint(ic, n->gsi, vp_index, sint))
			n->acked(n);
	spin_unlock_irqrestore(&ic->ack_lock, flags);
}

bool irq_has_notifier(struct irqchip *ic, u32 chip, u32 pin)
{
	struct irq_ack_notifier *n;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&ic->ack_lock, flags);
	for (n = ic->acks; n && !found; n = n->next)
		found = route_gsi_has_pin(ic, n->gsi, chip, pin);
	spin_unlock_irqrestore(&ic->ack_lock, flags);
	return found;
}

void irq_ack_register(struct vm *vm, struct irq_ack_notifier *n)
{
	struct irqchip *ic = env_irqchip(vm);
	unsigned long flags;

	if (!ic)
		return;
	spin_lock_irqsave(&ic->ack_lock, flags);
	n->next = ic->acks;
	WRITE_ONCE(ic->acks, n);
	spin_unlock_irqrestore(&ic->ack_lock, flags);
	if (ic->ioapic)
		ioapic_update_acks(ic->ioapic);
}

/** irq_ack_unregister - when this returns @n is not running and will not be called again */
void irq_ack_unregister(struct vm *vm, struct irq_ack_notifier *n)
{
	struct irqchip *ic = env_irqchip(vm);
	struct irq_ack_notifier **p;
	unsigned long flags;

	if (!ic)
		return;
	spin_lock_irqsave(&ic->ack_lock, flags);
	for (p = &ic->acks; *p; p = &(*p)->next)
		if (*p == n) {
			WRITE_ONCE(*p, n->next);
			break;
		}
	spin_unlock_irqrestore(&ic->ack_lock, flags);
	if (ic->ioapic)
		ioapic_update_acks(ic->ioapic);
}
