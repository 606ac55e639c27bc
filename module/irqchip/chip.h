/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of irqchip/ share: the chips of one VM and the interrupt message that travels
 * from an IOAPIC pin, an MSI or an ICR to local APICs. Nobody outside irqchip/ includes this.
 *
 * Locks, all taken with interrupts off: ack_lock first, under it any one of pit.lock,
 * route_lock, pic.lock and ioapic.lock, which are never nested in each other. Local APICs need
 * no lock to accept an interrupt (lapic.h).
 */
#ifndef TURTLES_IRQCHIP_CHIP_H
#define TURTLES_IRQCHIP_CHIP_H

#include <linux/kvm.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "irqchip/env.h"
#include "irqchip/irqchip.h"
#include "vcpu/bus.h"

#define IOAPIC_NR_PINS KVM_IOAPIC_NUM_PINS
#define PIC_NR_PINS    16
#define MAX_GSI	       4096 /* KVM_CAP_IRQ_ROUTING */

/**
 * struct apic_msg - an interrupt message on the (virtual) system bus
 * @dest:    destination field; 8 bits, or 32 when @wide
 * @wide:    32-bit destination: 0xff is a processor of x2APIC mode, not all
 * @logical: logical destination mode
 * @mode:    delivery mode, 0-7 as in the ICR
 * @level:   level triggered: sets the TMR bit
 * @vector:  vector of fixed, lowest priority and start-up messages
 */
struct apic_msg {
	u32 dest;
	bool wide;
	bool logical;
	bool level;
	u8 mode;
	u8 vector;
};

/* One 8259A. The names are those of its datasheet. */
struct pic_chip {
	u8 lines; /* current level of the eight inputs */
	u8 irr, imr, isr;
	u8 elcr, elcr_mask;
	u8 first;      /* input with the highest priority: rotation */
	u8 base;       /* ICW2 */
	u8 init_state; /* 0 ready, 1-3 awaiting ICW2-ICW4 */
	bool need_icw4, read_isr, poll, special_mask, auto_eoi, rotate_auto, sfnm;
};

struct pic {
	spinlock_t lock;
	struct irqchip *ic;
	struct io_dev dev;
	struct pic_chip chip[2];  /* master, slave */
	u32 sources[PIC_NR_PINS]; /* who drives each input, bit per source */
	bool output;		  /* the INT pin */
	u32 acked;		  /* inputs whose notifiers are due once unlocked */
};

/* The 82093AA. Under @lock but what is constant: @ic, @dev, @base, @storm_timer. */
struct ioapic {
	spinlock_t lock;
	struct irqchip *ic;
	struct io_dev dev;
	u64 base;
	u32 regsel;
	u32 id;
	u32 lines;     /* level of each pin */
	u32 delivered; /* edges of lines that have been sent */
	u32 sources[IOAPIC_NR_PINS];
	u32 successive_eoi[IOAPIC_NR_PINS];
	u64 redir[IOAPIC_NR_PINS];
	/* Pins with a notifier, and the vectors of those among them that are edge triggered:
	 * their EOI is of interest too. */
	u32 notified;
	unsigned long ack_vectors[256 / (8 * sizeof(long))];
	struct vtimer *storm_timer; /* re-sends a level interrupt that never goes quiet */
	u32 storm_pins;
};

struct pit;
struct route_table;

/**
 * struct irqchip - the interrupt controllers of a VM
 * @route_lock: @routes, which is replaced whole
 * @ack_lock:  the list @acks; the notifiers run under it
 * @pit:       set once, under vm->lock; the other members are constant
 * @split:     no PIC and no IOAPIC here, only routing; user space owns the chips
 * @split_pins: in split mode, GSIs that are pins of the IOAPIC in user space
 */
struct irqchip {
	struct vm *vm;
	bool split;
	u32 split_pins;
	struct pic *pic;
	struct ioapic *ioapic;
	struct pit *pit;

	spinlock_t route_lock;
	struct route_table *routes;

	spinlock_t ack_lock;
	struct irq_ack_notifier *acks;
};

/* Delivery: number of local APICs that took it (an IRR bit that was already set does not
 * count: coalesced), -1 when no enabled local APIC matches. Any context but NMI. */
int apic_deliver(struct vm *vm, const struct apic_msg *m);
/* Same for everyone but (or including) the sender: ICR shorthands. */
int apic_deliver_all(struct vm *vm, const struct apic_msg *m, struct vcpu *except);

struct pic *pic_create(struct irqchip *ic);
int pic_attach(struct pic *pic); /* on the port bus */
void pic_free(struct pic *pic);
int pic_set_pin(struct pic *pic, unsigned int source, u32 pin, int level);
bool pic_pending(struct irqchip *ic); /* INT is asserted */
int pic_peek(struct irqchip *ic);     /* the vector an INTA cycle would give */
int pic_inta(struct irqchip *ic);     /* the INTA cycle */
void pic_wake(struct irqchip *ic);    /* tell the CPUs that INTR is up */
void pic_get(struct pic *pic, int nr, struct kvm_pic_state *s);
void pic_set(struct pic *pic, int nr, const struct kvm_pic_state *s);

struct ioapic *ioapic_create(struct irqchip *ic);
int ioapic_attach(struct ioapic *io);
void ioapic_free(struct ioapic *io);
int ioapic_set_pin(struct ioapic *io, unsigned int source, u32 pin, int level);
/* EOI message from a local APIC; @level: its TMR bit was set. */
void ioapic_eoi(struct irqchip *ic, u8 vector, bool level);
void ioapic_update_acks(struct ioapic *io);
void ioapic_get(struct ioapic *io, struct kvm_ioapic_state *s);
void ioapic_set(struct ioapic *io, const struct kvm_ioapic_state *s);

void pit_free(struct pit *pit);

int route_set_default(struct irqchip *ic);
void route_free(struct irqchip *ic);
bool route_gsi_has_pin(struct irqchip *ic, u32 gsi, u32 chip, u32 pin);
/* Split mode: is @vector the vector of a level-triggered route of a user-space IOAPIC pin? */
bool route_split_eoi(struct irqchip *ic, u8 vector);
/* Runs the notifiers of all GSIs that lead to this pin. */
void irq_acked(struct irqchip *ic, u32 chip, u32 pin);
bool irq_has_notifier(struct irqchip *ic, u32 chip, u32 pin);

#endif /* TURTLES_IRQCHIP_CHIP_H */
