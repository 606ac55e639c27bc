// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two cascaded 8259A interrupt controllers of a PC, with the edge/level control registers
 * at 0x4d0. Lines come from route.c; port accesses from the bus, the INTA cycle from lapic.c.
 *
 * Notifiers of acknowledged inputs run after the lock is dropped, since they may drive lines.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "irqchip/chip.h"

#define CASCADE	    2 /* master's input for the slave */
#define NO_IRQ	    8

#define ICW1_START  0x10
#define ICW1_ICW4   0x01
#define OCW3_SELECT 0x08

/* Distance of the best request in @mask from the highest priority; NO_IRQ = none. */
static int priority(const struct pic_chip *c, u8 mask)
{
	int i;

	for (i = 0; i < 8; i++)
		if (mask & 1u << ((c->first + i) & 7))
			return i;
	return NO_IRQ;
}

/* The input that the chip would present now, or -1. */
static int chip_irq(const struct pic_chip *c, bool master)
{
	int want = priority(c, c->irr & ~c->imr);
	u8 busy = c->isr;

	if (want == NO_IRQ)
		return -1;
	if (c->special_mask)
		busy &= ~c->imr;
	if (master && c->sfnm)
		busy &= ~(1u << CASCADE);
	return want < priority(c, busy) ? (want + c->first) & 7 : -1;
}

/* Recompute the cascade and the INT pin; true when INT has just gone up. */
static bool update(struct pic *pic)
{
	bool was = pic->output;

	if (chip_irq(&pic->chip[1], false) >= 0)
		pic->chip[0].irr |= 1u << CASCADE;
	else
		pic->chip[0].irr &= ~(1u << CASCADE);
	WRITE_ONCE(pic->output, chip_irq(&pic->chip[0], true) >= 0);
	return pic->output && !was;
}

/* Drop the lock; then do what must not be done under it. */
static void pic_unlock(struct pic *pic, unsigned long flags, bool raised)
{
	unsigned long acked = pic->acked;
	unsigned int pin;

	pic->acked = 0;
	spin_unlock_irqrestore(&pic->lock, flags);
	for_each_set_bit(pin, &acked, PIC_NR_PINS)
		irq_acked(pic->ic, pin / 8, pin & 7);
	if (raised)
		pic_wake(pic->ic);
}

void pic_wake(struct irqchip *ic)
{
	unsigned int i, n = env_nr_vcpus(ic->vm);

	for (i = 0; i < n; i++) {
		struct vcpu *v = env_vcpu(ic->vm, i);

		if (lapic_accepts_pic(v))
			env_event(v);
	}
}

/* Result as of irq_set(). */
static int chip_set_line(struct pic_chip *c, unsigned int irq, bool level)
{
	u8 bit = 1u << irq;
	int ret = 1;

	if (c->elcr & bit) {
		if (level) {
			ret = !(c->irr & bit);
			c->irr |= bit;
			c->lines |= bit;
		} else {
			c->irr &= ~bit;
			c->lines &= ~bit;
		}
	} else if (level) {
		if (!(c->lines & bit)) {
			ret = !(c->irr & bit);
			c->irr |= bit;
		} else {
			ret = 0;
		}
		c->lines |= bit;
	} else {
		c->lines &= ~bit;
	}
	return c->imr & bit ? -1 : ret;
}

int pic_set_pin(struct pic *pic, unsigned int source, u32 pin, int level)
{
	unsigned long flags;
	bool raised;
	int ret;

	if (pin >= PIC_NR_PINS || pin == CASCADE)
		return -1;
	spin_lock_irqsave(&pic->lock, flags);
	if (level)
		pic->sources[pin] |= 1u << source;
	else
		pic->sources[pin] &= ~(1u << source);
	ret = chip_set_line(&pic->chip[pin / 8], pin & 7, pic->sources[pin]);
	raised = update(pic);
	pic_unlock(pic, flags, raised);
	return ret;
}

static void end_of_interrupt(struct pic *pic, int nr, int irq)
{
	pic->chip[nr].isr &= ~(1u << irq);
	pic->acked |= 1u << (nr * 8 + irq);
}

/* One chip's part of an INTA cycle. */
static void chip_ack(struct pic *pic, int nr, int irq)
{
	struct pic_chip *c = &pic->chip[nr];
	u8 bit = 1u << irq;

	c->isr |= bit;
	if (!(c->elcr & bit))
		c->irr &= ~bit;
	if (c->auto_eoi) {
		if (c->rotate_auto)
			c->first = (irq + 1) & 7;
		end_of_interrupt(pic, nr, irq);
	}
}

bool pic_pending(struct irqchip *ic)
{
	return ic->pic && READ_ONCE(ic->pic->output);
}

/* @ack: really run the INTA cycle. A request that is gone gives the spurious input 7. */
static int vector_of(struct pic *pic, bool ack)
{
	struct pic_chip *m = &pic->chip[0], *s = &pic->chip[1];
	int irq = chip_irq(m, true), sub;

	if (irq < 0)
		return m->base + 7;
	if (ack)
		chip_ack(pic, 0, irq);
	if (irq != CASCADE)
		return m->base + irq;
	sub = chip_irq(s, false);
	if (sub < 0)
		return s->base + 7;
	if (ack)
		chip_ack(pic, 1, sub);
	return s->base + sub;
}

int pic_peek(struct irqchip *ic)
{
	unsigned long flags;
	int vector;

	spin_lock_irqsave(&ic->pic->lock, flags);
	vector = vector_of(ic->pic, false);
	spin_unlock_irqrestore(&ic->pic->lock, flags);
	return vector;
}

int pic_inta(struct irqchip *ic)
{
	struct pic *pic = ic->pic;
	unsigned long flags;
	bool raised;
	int vector;

	spin_lock_irqsave(&pic->lock, flags);
	vector = vector_of(pic, true);
	raised = update(pic);
	pic_unlock(pic, flags, raised);
	return vector;
}

static void write_icw1(struct pic *pic, int nr, u8 val)
{
	struct pic_chip *c = &pic->chip[nr];

	c->need_icw4 = val & ICW1_ICW4;
	c->imr = 0;
	c->irr &= c->elcr; /* edges are forgotten, levels are not */
	c->isr = 0;
	c->first = 0;
	c->special_mask = false;
	c->read_isr = false;
	c->poll = false;
	c->rotate_auto = false;
	if (!c->need_icw4) {
		c->sfnm = false;
		c->auto_eoi = false;
	}
	c->init_state = 1;
}

static void write_ocw2(struct pic *pic, int nr, u8 val)
{
	struct pic_chip *c = &pic->chip[nr];
	bool rotate = val & 0x80, specific = val & 0x40, eoi = val & 0x20;
	int irq = val & 7;

	if (!eoi) {
		if (specific && rotate)
			c->first = (irq + 1) & 7;
		else if (!specific)
			c->rotate_auto = rotate;
		return;
	}
	if (!specific) {
		irq = priority(c, c->special_mask ? c->isr & ~c->imr : c->isr);
		if (irq == NO_IRQ)
			return;
		irq = (irq + c->first) & 7;
	}
	if (rotate)
		c->first = (irq + 1) & 7;
	if (c->isr & 1u << irq)
		end_of_interrupt(pic, nr, irq);
}

static void write_command(struct pic *pic, int nr, u8 val)
{
	struct pic_chip *c = &pic->chip[nr];

	if (val & ICW1_START) {
		write_icw1(pic, nr, val);
	} else if (val & OCW3_SELECT) {
		if (val & 4)
			c->poll = true;
		if (val & 2)
			c->read_isr = val & 1;
		if (val & 0x40)
			c->special_mask = val & 0x20;
	} else {
		write_ocw2(pic, nr, val);
	}
}

static void write_data(struct pic_chip *c, u8 val)
{
	switch (c->init_state) {
	case 1:
		c->base = val & 0xf8;
		c->init_state = 2;
		break;
	case 2: /* ICW3: the wiring of a PC cannot be changed */
		c->init_state = c->need_icw4 ? 3 : 0;
		break;
	case 3:
		c->sfnm = val & 0x10;
		c->auto_eoi = val & 0x02;
		c->init_state = 0;
		break;
	default:
		c->imr = val;
	}
}

static void write_byte(struct pic *pic, u64 port, u8 val)
{
	switch (port) {
	case 0x20:
	case 0xa0:
		write_command(pic, port == 0xa0, val);
		break;
	case 0x21:
	case 0xa1:
		write_data(&pic->chip[port == 0xa1], val);
		break;
	case 0x4d0:
	case 0x4d1:
		pic->chip[port & 1].elcr = val & pic->chip[port & 1].elcr_mask;
		break;
	}
}

static u8 read_byte(struct pic *pic, u64 port)
{
	struct pic_chip *c;
	int nr, irq;

	switch (port) {
	case 0x20:
	case 0x21:
	case 0xa0:
	case 0xa1:
		break;
	case 0x4d0:
	case 0x4d1:
		return pic->chip[port & 1].elcr;
	default:
		return 0xff;
	}
	nr = port >= 0xa0;
	c = &pic->chip[nr];
	if (c->poll) { /* a polled read is an INTA cycle */
		c->poll = false;
		irq = chip_irq(c, !nr);
		if (irq < 0)
			return 0;
		chip_ack(pic, nr, irq);
		return 0x80 | irq;
	}
	if (port & 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static int pic_read(struct vcpu *v, struct io_dev *dev, u64 addr, int len, void *val)
{
	struct pic *pic = container_of(dev, struct pic, dev);
	unsigned long flags;
	bool raised;
	int i;

	spin_lock_irqsave(&pic->lock, flags);
	for (i = 0; i < len; i++)
		((u8 *)val)[i] = read_byte(pic, addr + i);
	raised = update(pic);
	pic_unlock(pic, flags, raised);
	return 0;
}

static int pic_write(struct vcpu *v, struct io_dev *dev, u64 addr, int len, const void *val)
{
	struct pic *pic = container_of(dev, struct pic, dev);
	unsigned long flags;
	bool raised;
	int i;

	spin_lock_irqsave(&pic->lock, flags);
	for (i = 0; i < len; i++)
		write_byte(pic, addr + i, ((const u8 *)val)[i]);
	raised = update(pic);
	/* An output that is up already is announced again: an EOI may have changed who is
	 * behind it. */
	pic_unlock(pic, flags, raised || pic->output);
	return 0;
}

static const struct io_dev_ops pic_ops = { .read = pic_read, .write = pic_write };

struct pic *pic_create(struct irqchip *ic)
{
	struct pic *pic = kzalloc(sizeof(*pic), GFP_KERNEL_ACCOUNT);

	if (!pic)
		return NULL;
	spin_lock_init(&pic->lock);
	pic->ic = ic;
	pic->dev.ops = &pic_ops;
	/* Timer, keyboard, cascade, RTC and FPU inputs are edge triggered by design. */
	pic->chip[0].elcr_mask = 0xf8;
	pic->chip[1].elcr_mask = 0xde;
	return pic;
}

int pic_attach(struct pic *pic)
{
	static const u16 ports[] = { 0x20, 0xa0, 0x4d0 };
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		err = vm_bus_register(pic->ic->vm, BUS_PIO, ports[i], 2, &pic->dev);
		if (err) {
			while (i--)
				vm_bus_unregister(pic->ic->vm, BUS_PIO, &pic->dev);
			return err;
		}
	}
	return 0;
}

void pic_free(struct pic *pic)
{
	kfree(pic);
}

void pic_get(struct pic *pic, int nr, struct kvm_pic_state *s)
{
	const struct pic_chip *c = &pic->chip[nr];
	unsigned long flags;

	memset(s, 0, sizeof(*s));
	spin_lock_irqsave(&pic->lock, flags);
	s->last_irr = c->lines;
	s->irr = c->irr;
	s->imr = c->imr;
	s->isr = c->isr;
	s->priority_add = c->first;
	s->irq_base = c->base;
	s->read_reg_select = c->read_isr;
	s->poll = c->poll;
	s->special_mask = c->special_mask;
	s->init_state = c->init_state;
	s->auto_eoi = c->auto_eoi;
	s->rotate_on_auto_eoi = c->rotate_auto;
	s->special_fully_nested_mode = c->sfnm;
	s->init4 = c->need_icw4;
	s->elcr = c->elcr;
	s->elcr_mask = c->elcr_mask;
	spin_unlock_irqrestore(&pic->lock, flags);
}

void pic_set(struct pic *pic, int nr, const struct kvm_pic_state *s)
{
	struct pic_chip *c = &pic->chip[nr];
	unsigned long flags;
	bool raised;

	spin_lock_irqsave(&pic->lock, flags);
	c->lines = s->last_irr;
	c->irr = s->irr;
	c->imr = s->imr;
	c->isr = s->isr;
	c->first = s->priority_add & 7;
	c->base = s->irq_base & 0xf8;
	c->read_isr = s->read_reg_select;
	c->poll = s->poll;
	c->special_mask = s->special_mask;
	c->init_state = s->init_state & 3;
	c->auto_eoi = s->auto_eoi;
	c->rotate_auto = s->rotate_on_auto_eoi;
	c->sfnm = s->special_fully_nested_mode;
	c->need_icw4 = s->init4;
	c->elcr = s->elcr & c->elcr_mask;
	raised = update(pic);
	pic_unlock(pic, flags, raised || pic->output);
}
