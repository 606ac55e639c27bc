// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOAPIC (82093AA): 24 pins, each with a redirection entry that turns it into a message to
 * local APICs. Lines come from route.c, MMIO from the bus, EOI messages from lapic.c.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "irqchip/chip.h"

#define IOAPIC_VERSION 0x11u
#define IOAPIC_BASE    0xfec00000ull
#define IOAPIC_SIZE    0x100

#define REG_SELECT     0x00
#define REG_WINDOW     0x10

/* Redirection entry. */
#define RE_VECTOR     0xffull
#define RE_MODE_SHIFT 8
#define RE_LOGICAL    BIT_ULL(11)
#define RE_STATUS     BIT_ULL(12)
#define RE_REMOTE_IRR BIT_ULL(14)
#define RE_LEVEL      BIT_ULL(15)
#define RE_MASKED     BIT_ULL(16)
#define RE_DEST_SHIFT 56
#define RE_READONLY   (RE_STATUS | RE_REMOTE_IRR)
#define RE_WRITABLE   (0xff0000000001ffffull & ~RE_READONLY)

/* A level that comes straight back this often gets a pause: user space that never
 * lowers its line must not keep the vCPU busy for ever. */
#define STORM_EOIS     10000
#define STORM_PAUSE_NS 10000000ull

/* Send what pin @pin stands for; result as of irq_set(). Under io->lock. */
static int send_pin(struct ioapic *io, unsigned int pin)
{
	u64 e = io->redir[pin];
	struct apic_msg m = {
		.dest = e >> RE_DEST_SHIFT,
		.logical = e & RE_LOGICAL,
		.level = e & RE_LEVEL,
		.mode = (e >> RE_MODE_SHIFT) & 7,
		.vector = e & RE_VECTOR,
	};
	int ret;

	if (e & RE_MASKED)
		return -1;
	if (m.level && (e & RE_REMOTE_IRR))
		return 0;
	ret = apic_deliver(io->ic->vm, &m);
	if (ret < 0)
		return ret;
	/* Only messages that end with an EOI can have a remote IRR. */
	if (m.level && m.mode <= 1)
		io->redir[pin] |= RE_REMOTE_IRR;
	if (!m.level)
		io->delivered |= 1u << pin;
	return ret;
}

int ioapic_set_pin(struct ioapic *io, unsigned int source, u32 pin, int level)
{
	unsigned long flags;
	u32 bit;
	int ret = 1;

	if (pin >= IOAPIC_NR_PINS)
		return -1;
	bit = 1u << pin;
	spin_lock_irqsave(&io->lock, flags);
	if (level)
		io->sources[pin] |= 1u << source;
	else
		io->sources[pin] &= ~(1u << source);
	if (!io->sources[pin]) {
		io->lines &= ~bit;
		io->delivered &= ~bit;
	} else if (!(io->redir[pin] & RE_LEVEL) && (io->lines & bit)) {
		ret = 0; /* no new edge */
	} else {
		io->lines |= bit;
		ret = send_pin(io, pin);
	}
	spin_unlock_irqrestore(&io->lock, flags);
	return ret;
}

static void recompute_ack_vectors(struct ioapic *io)
{
	unsigned long map[ARRAY_SIZE(io->ack_vectors)] = { 0 };
	unsigned int i;

	for (i = 0; i < IOAPIC_NR_PINS; i++)
		if ((io->notified & 1u << i) && !(io->redir[i] & RE_LEVEL))
			__set_bit(io->redir[i] & RE_VECTOR, map);
	for (i = 0; i < ARRAY_SIZE(map); i++)
		WRITE_ONCE(io->ack_vectors[i], map[i]);
}

/* Notifiers or routing have changed. Not under io->lock. */
void ioapic_update_acks(struct ioapic *io)
{
	unsigned long flags;
	u32 i, mask = 0;

	for (i = 0; i < IOAPIC_NR_PINS; i++)
		if (irq_has_notifier(io->ic, KVM_IRQCHIP_IOAPIC, i))
			mask |= 1u << i;
	spin_lock_irqsave(&io->lock, flags);
	io->notified = mask;
	recompute_ack_vectors(io);
	spin_unlock_irqrestore(&io->lock, flags);
}

/* The line is still up after an EOI: the interrupt comes again. Under io->lock. */
static void send_again(struct ioapic *io, unsigned int pin)
{
	if (++io->successive_eoi[pin] < STORM_EOIS) {
		send_pin(io, pin);
		return;
	}
	io->successive_eoi[pin] = 0;
	io->storm_pins |= 1u << pin;
	vtimer_start(io->storm_timer, env_now_ns() + STORM_PAUSE_NS);
}

static void storm_over(void *arg)
{
	struct ioapic *io = arg;
	unsigned long flags, pins;
	unsigned int pin;

	spin_lock_irqsave(&io->lock, flags);
	pins = io->storm_pins;
	io->storm_pins = 0;
	for_each_set_bit(pin, &pins, IOAPIC_NR_PINS)
		if ((io->lines & 1u << pin) && (io->redir[pin] & RE_LEVEL))
			send_pin(io, pin);
	spin_unlock_irqrestore(&io->lock, flags);
}

static unsigned long pins_of_vector(struct ioapic *io, u8 vector, bool level)
{
	unsigned long pins = 0;
	unsigned int i;

	for (i = 0; i < IOAPIC_NR_PINS; i++) {
		u64 e = io->redir[i];

		if ((e & RE_VECTOR) != vector || !!(e & RE_LEVEL) != level)
			continue;
		if (level ? !!(e & RE_REMOTE_IRR) : !!(io->notified & 1u << i))
			pins |= 1ul << i;
	}
	return pins;
}

/**
 * ioapic_eoi - a local APIC has finished with @vector
 * Notifiers run first and unlocked: they may lower the line, and then nothing comes again.
 */
void ioapic_eoi(struct irqchip *ic, u8 vector, bool level)
{
	struct ioapic *io = ic->ioapic;
	unsigned long flags, pins;
	unsigned int pin;

	if (!io || (!level && !test_bit(vector, io->ack_vectors)))
		return;
	spin_lock_irqsave(&io->lock, flags);
	pins = pins_of_vector(io, vector, level);
	spin_unlock_irqrestore(&io->lock, flags);

	for_each_set_bit(pin, &pins, IOAPIC_NR_PINS)
		irq_acked(ic, KVM_IRQCHIP_IOAPIC, pin);
	if (!level)
		return;

	spin_lock_irqsave(&io->lock, flags);
	for_each_set_bit(pin, &pins, IOAPIC_NR_PINS) {
		if (!(io->redir[pin] & RE_LEVEL))
			continue;
		io->redir[pin] &= ~RE_REMOTE_IRR;
		if (!(io->lines & 1u << pin))
			io->successive_eoi[pin] = 0;
		else if (!(io->redir[pin] & RE_MASKED))
			send_again(io, pin);
	}
	spin_unlock_irqrestore(&io->lock, flags);
}

static void write_redir(struct ioapic *io, unsigned int pin, bool high, u32 val)
{
	u64 old = io->redir[pin], e;

	if (high)
		e = (old & 0xffffffffull) | (u64)val << 32;
	else
		e = (old & ~0xffffffffull) | val;
	e = (e & RE_WRITABLE) | (old & RE_READONLY);
	/* Software without an EOI register gets rid of a remote IRR this way. */
	if (!(e & RE_LEVEL))
		e &= ~RE_REMOTE_IRR;
	io->redir[pin] = e;
	recompute_ack_vectors(io);
	if ((e & RE_LEVEL) && (io->lines & 1u << pin))
		send_pin(io, pin);
}

static void write_window(struct ioapic *io, u32 val)
{
	unsigned int index = (io->regsel - 0x10) / 2;

	if (io->regsel == 0)
		io->id = val >> 24 & 0xf;
	else if (io->regsel >= 0x10 && index < IOAPIC_NR_PINS)
		write_redir(io, index, io->regsel & 1, val);
}

static u32 read_window(struct ioapic *io)
{
	unsigned int index = (io->regsel - 0x10) / 2;

	switch (io->regsel) {
	case 0:
	case 2:
		return io->id << 24;
	case 1:
		return IOAPIC_VERSION | (IOAPIC_NR_PINS - 1) << 16;
	default:
		if (io->regsel < 0x10 || index >= IOAPIC_NR_PINS)
			return 0xffffffff;
		return io->regsel & 1 ? io->redir[index] >> 32 : io->redir[index];
	}
}

static int ioapic_read(struct vcpu *v, struct io_dev *dev, u64 addr, int len, void *val)
{
	struct ioapic *io = container_of(dev, struct ioapic, dev);
	unsigned long flags;
	u32 reg = 0;

	memset(val, 0, len);
	if (addr & 0xf)
		return 0;
	spin_lock_irqsave(&io->lock, flags);
	switch (addr & (IOAPIC_SIZE - 1)) {
	case REG_SELECT:
		reg = io->regsel;
		break;
	case REG_WINDOW:
		reg = read_window(io);
		break;
	}
	spin_unlock_irqrestore(&io->lock, flags);
	memcpy(val, &reg, min_t(int, len, sizeof(reg)));
	return 0;
}

static int ioapic_write(struct vcpu *v, struct io_dev *dev, u64 addr, int len, const void *val)
{
	struct ioapic *io = container_of(dev, struct ioapic, dev);
	unsigned long flags;
	u32 reg = 0;

	if (addr & 0xf)
		return 0;
	memcpy(&reg, val, min_t(int, len, sizeof(reg)));
	spin_lock_irqsave(&io->lock, flags);
	switch (addr & (IOAPIC_SIZE - 1)) {
	case REG_SELECT:
		io->regsel = reg & 0xff;
		break;
	case REG_WINDOW:
		if (len >= 4)
			write_window(io, reg);
		break;
	}
	spin_unlock_irqrestore(&io->lock, flags);
	return 0;
}

static const struct io_dev_ops ioapic_ops = { .read = ioapic_read, .write = ioapic_write };

struct ioapic *ioapic_create(struct irqchip *ic)
{
	struct ioapic *io = kzalloc(sizeof(*io), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!io)
		return NULL;
	spin_lock_init(&io->lock);
	io->ic = ic;
	io->dev.ops = &ioapic_ops;
	io->base = IOAPIC_BASE;
	for (i = 0; i < IOAPIC_NR_PINS; i++)
		io->redir[i] = RE_MASKED;
	io->storm_timer = vtimer_alloc(storm_over, io);
	if (!io->storm_timer) {
		kfree(io);
		return NULL;
	}
	return io;
}

int ioapic_attach(struct ioapic *io)
{
	return vm_bus_register(io->ic->vm, BUS_MMIO, io->base, IOAPIC_SIZE, &io->dev);
}

void ioapic_free(struct ioapic *io)
{
	if (!io)
		return;
	vtimer_free(io->storm_timer);
	kfree(io);
}

void ioapic_get(struct ioapic *io, struct kvm_ioapic_state *s)
{
	unsigned long flags;
	unsigned int i;

	memset(s, 0, sizeof(*s));
	spin_lock_irqsave(&io->lock, flags);
	s->base_address = io->base;
	s->ioregsel = io->regsel;
	s->id = io->id;
	s->irr = io->lines & ~io->delivered; /* an edge that was sent must not be sent again */
	for (i = 0; i < IOAPIC_NR_PINS; i++)
		s->redirtbl[i].bits = io->redir[i];
	spin_unlock_irqrestore(&io->lock, flags);
}

void ioapic_set(struct ioapic *io, const struct kvm_ioapic_state *s)
{
	unsigned long flags, lines = s->irr;
	unsigned int i;

	spin_lock_irqsave(&io->lock, flags);
	io->regsel = s->ioregsel & 0xff;
	io->id = s->id & 0xf;
	io->lines = s->irr & ((1u << IOAPIC_NR_PINS) - 1);
	io->delivered = 0;
	io->storm_pins = 0;
	for (i = 0; i < IOAPIC_NR_PINS; i++) {
		io->sources[i] = io->lines & 1u << i ? 1u << IRQ_SOURCE_USER : 0;
		io->successive_eoi[i] = 0;
		io->redir[i] = s->redirtbl[i].bits & (RE_WRITABLE | RE_READONLY);
		if (!(io->redir[i] & RE_LEVEL))
			io->redir[i] &= ~RE_REMOTE_IRR;
	}
	recompute_ack_vectors(io);
	for_each_set_bit(i, &lines, IOAPIC_NR_PINS)
		send_pin(io, i);
	spin_unlock_irqrestore(&io->lock, flags);
}
