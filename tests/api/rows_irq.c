// SPDX-License-Identifier: GPL-2.0-only
/* The VM fd's ioctls about interrupt controllers. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "surface.h"

static bool create_irqchip(struct world *w)
{
	struct world bare;

	return bare_world(&bare) && calln(w, bare.vm, KVM_CREATE_IRQCHIP, 0);
}

static bool create_irqchip_bad(struct world *w)
{
	return refusedn(w, w->vm, KVM_CREATE_IRQCHIP, 0, EEXIST);
}

/* A PIT wants an irqchip, and a VM has one. */
static bool create_pit(struct world *w)
{
	struct world bare;

	return bare_world(&bare) && calln(w, bare.vm, KVM_CREATE_IRQCHIP, 0) &&
	       calln(w, bare.vm, KVM_CREATE_PIT, 0);
}

static bool create_pit_bad(struct world *w)
{
	return refusedn(w, w->vm, KVM_CREATE_PIT, 0, EEXIST);
}

static bool create_pit2(struct world *w)
{
	struct kvm_pit_config c = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct world bare;

	return bare_world(&bare) && calln(w, bare.vm, KVM_CREATE_IRQCHIP, 0) &&
	       call(w, bare.vm, KVM_CREATE_PIT2, &c);
}

static bool create_pit2_bad(struct world *w)
{
	struct kvm_pit_config c = { 0 };
	struct world bare;

	return bare_world(&bare) && refused(w, bare.vm, KVM_CREATE_PIT2, &c, ENOENT);
}

static bool get_pic(struct world *w, struct kvm_irqchip *c)
{
	memset(c, 0, sizeof(*c));
	c->chip_id = KVM_IRQCHIP_PIC_MASTER;
	return call(w, w->vm, KVM_GET_IRQCHIP, c);
}

static bool set_irqchip(struct world *w)
{
	struct kvm_irqchip c, back;

	if (!get_pic(w, &c))
		return false;
	c.chip.pic.imr = 0x5a;
	c.chip.pic.irq_base = 0x20;
	return call(w, w->vm, KVM_SET_IRQCHIP, &c) && get_pic(w, &back) &&
	       back.chip.pic.imr == 0x5a && back.chip.pic.irq_base == 0x20;
}

static bool set_irqchip_bad(struct world *w)
{
	struct kvm_irqchip c = { .chip_id = 9 };

	return refused(w, w->vm, KVM_SET_IRQCHIP, &c, EINVAL);
}

static bool get_irqchip_bad(struct world *w)
{
	struct kvm_irqchip c = { .chip_id = 9 };

	return refused(w, w->vm, KVM_GET_IRQCHIP, &c, EINVAL);
}

/* Pin 4 of the PIC, edge triggered: seen in its IRR. */
static bool line(struct world *w, unsigned long cmd)
{
	struct kvm_irq_level l = { .irq = 4, .level = 1 };
	struct kvm_irqchip c;

	if (!get_pic(w, &c))
		return false;
	c.chip.pic.imr = 0;
	return call(w, w->vm, KVM_SET_IRQCHIP, &c) && call(w, w->vm, cmd, &l) && get_pic(w, &c) &&
	       (c.chip.pic.irr & 1 << 4);
}

static bool line_bad(struct world *w, unsigned long cmd)
{
	struct kvm_irq_level l = { .irq = 4 };
	struct world bare;

	return bare_world(&bare) && refused(w, bare.vm, cmd, &l, ENXIO);
}

static bool irq_line(struct world *w)
{
	return line(w, KVM_IRQ_LINE);
}

static bool irq_line_bad(struct world *w)
{
	return line_bad(w, KVM_IRQ_LINE);
}

static bool irq_line_status(struct world *w)
{
	return line(w, KVM_IRQ_LINE_STATUS);
}

static bool irq_line_status_bad(struct world *w)
{
	return line_bad(w, KVM_IRQ_LINE_STATUS);
}

struct routing {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry entry;
};

static bool routing(struct world *w)
{
	struct routing r = { .head.nr = 1,
			     .entry = { .gsi = 5,
					.type = KVM_IRQ_ROUTING_MSI,
					.u.msi = { .address_lo = 0xfee00000, .data = 0x41 } } };

	return call(w, w->vm, KVM_SET_GSI_ROUTING, &r);
}

static bool routing_bad(struct world *w)
{
	struct routing r = { .head.nr = 1, .entry = { .gsi = 5, .type = 77 } };

	return refused(w, w->vm, KVM_SET_GSI_ROUTING, &r, EINVAL);
}

static bool lapic_on(struct world *w)
{
	struct kvm_lapic_state l;
	uint32_t spiv = 0x1ff;

	if (!call(w, w->vcpu, KVM_GET_LAPIC, &l))
		return false;
	memcpy(l.regs + 0xf0, &spiv, 4);
	return call(w, w->vcpu, KVM_SET_LAPIC, &l);
}

static bool in_irr(struct world *w, uint8_t vector)
{
	struct kvm_lapic_state l;
	uint32_t irr;

	if (!call(w, w->vcpu, KVM_GET_LAPIC, &l))
		return false;
	memcpy(&irr, l.regs + 0x200 + vector / 32 * 16, 4);
	return irr & 1u << vector % 32;
}

static bool signal_msi(struct world *w)
{
	struct kvm_msi m = { .address_lo = 0xfee00000, .data = 0x41 };

	return lapic_on(w) && call(w, w->vm, KVM_SIGNAL_MSI, &m) && in_irr(w, 0x41);
}

static bool signal_msi_bad(struct world *w)
{
	struct kvm_msi m = { .flags = 0x100 };

	return refused(w, w->vm, KVM_SIGNAL_MSI, &m, EINVAL);
}

static bool irqfd(struct world *w)
{
	int fd = eventfd(1, 0);
	struct kvm_irqfd f = { .fd = fd, .gsi = 5 };

	/* The eventfd counts one already: it is delivered at once. */
	return lapic_on(w) && routing(w) && call(w, w->vm, KVM_IRQFD, &f) && in_irr(w, 0x41);
}

static bool irqfd_bad(struct world *w)
{
	struct kvm_irqfd f = { .fd = 10000, .gsi = 5 };

	return refused(w, w->vm, KVM_IRQFD, &f, EBADF);
}

static bool pit(struct world *w)
{
	struct kvm_pit_state s;

	if (!call(w, w->vm, KVM_GET_PIT, &s))
		return false;
	s.channels[2].count = 0x1234;
	return call(w, w->vm, KVM_SET_PIT, &s) && call(w, w->vm, KVM_GET_PIT, &s) &&
	       s.channels[2].count == 0x1234;
}

static bool pit2(struct world *w)
{
	struct kvm_pit_state2 s;

	if (!call(w, w->vm, KVM_GET_PIT2, &s))
		return false;
	s.channels[2].count = 0x1234;
	return call(w, w->vm, KVM_SET_PIT2, &s) && call(w, w->vm, KVM_GET_PIT2, &s) &&
	       s.channels[2].count == 0x1234;
}

static bool no_pit(struct world *w, unsigned long cmd)
{
	struct kvm_pit_state2 s = { 0 };
	struct world bare;

	return bare_world(&bare) && refused(w, bare.vm, cmd, &s, ENXIO);
}

static bool get_pit_bad(struct world *w)
{
	return no_pit(w, KVM_GET_PIT);
}

static bool set_pit_bad(struct world *w)
{
	return no_pit(w, KVM_SET_PIT);
}

static bool get_pit2_bad(struct world *w)
{
	return no_pit(w, KVM_GET_PIT2);
}

static bool set_pit2_bad(struct world *w)
{
	return no_pit(w, KVM_SET_PIT2);
}

static bool reinject(struct world *w)
{
	struct kvm_reinject_control c = { .pit_reinject = 0 };

	return call(w, w->vm, KVM_REINJECT_CONTROL, &c);
}

static bool reinject_bad(struct world *w)
{
	struct kvm_reinject_control c = { 0 };
	struct world bare;

	return bare_world(&bare) && refused(w, bare.vm, KVM_REINJECT_CONTROL, &c, ENXIO);
}

const struct row irq_rows[] = {
	{ "KVM_CREATE_IRQCHIP", VM, create_irqchip, create_irqchip_bad },
	{ "KVM_CREATE_PIT", VM, create_pit, create_pit_bad },
	{ "KVM_CREATE_PIT2", VM, create_pit2, create_pit2_bad },
	{ "KVM_GET_IRQCHIP", VM, set_irqchip, get_irqchip_bad },
	{ "KVM_SET_IRQCHIP", VM, set_irqchip, set_irqchip_bad },
	{ "KVM_IRQ_LINE", VM, irq_line, irq_line_bad },
	{ "KVM_IRQ_LINE_STATUS", VM, irq_line_status, irq_line_status_bad },
	{ "KVM_SET_GSI_ROUTING", VM, routing, routing_bad },
	{ "KVM_SIGNAL_MSI", VM, signal_msi, signal_msi_bad },
	{ "KVM_IRQFD", VM, irqfd, irqfd_bad },
	{ "KVM_GET_PIT", VM, pit, get_pit_bad },
	{ "KVM_SET_PIT", VM, pit, set_pit_bad },
	{ "KVM_GET_PIT2", VM, pit2, get_pit2_bad },
	{ "KVM_SET_PIT2", VM, pit2, set_pit2_bad },
	{ "KVM_REINJECT_CONTROL", VM, reinject, reinject_bad },
	{ 0 },
};
