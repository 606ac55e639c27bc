/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt controllers: local APIC, IOAPIC, PIC, PIT and routing.
 *
 * Pure: compiles in user space over the functions of irqchip/env.h. Called by the run loop
 * (lapic_*), by exits (MMIO, x2APIC MSRs), by devices through irq_set(), and by api/.
 */
#ifndef TURTLES_IRQCHIP_IRQCHIP_H
#define TURTLES_IRQCHIP_IRQCHIP_H

#include <linux/kvm.h>
#include <linux/types.h>

struct vm;
struct vcpu;
struct lapic;
struct irqchip;

/* Life. irqchip_create() makes PIC, IOAPIC and the default routing, registers their I/O
 * ranges on the buses. Both return -errno. */
int irqchip_create(struct vm *vm, struct irqchip **out);
int irqchip_create_split(struct vm *vm, u32 nr_pins, struct irqchip **out); /* routing only */
void irqchip_destroy(struct irqchip *ic);
int pit_create(struct vm *vm, u32 flags);

/* Raising interrupts: any context but NMI, takes the chips' own spinlocks.
 * @source: a small number naming who drives the line (levels of sources are ORed).
 * Returns >0 delivered, 0 coalesced, -1 masked (KVM_IRQ_LINE_STATUS), -errno no such gsi. */
#define IRQ_SOURCE_USER	    0 /* KVM_IRQ_LINE, irqfd */
#define IRQ_SOURCE_PIT	    1
#define IRQ_SOURCE_RESAMPLE 2 /* irqfd with resampler */
int irq_set(struct vm *vm, unsigned int source, u32 gsi, int level);
int irq_send_msi(struct vm *vm, const struct kvm_msi *msi);
int irq_routing_set(struct vm *vm, const struct kvm_irq_routing_entry *e, u32 nr);
/* EOI of a level-triggered GSI: callbacks for irqfd resample and the PIT. */
struct irq_ack_notifier {
	struct irq_ack_notifier *next;
	u32 gsi;
	void (*acked)(struct irq_ack_notifier *n);
};
void irq_ack_register(struct vm *vm, struct irq_ack_notifier *n);
void irq_ack_unregister(struct vm *vm, struct irq_ack_notifier *n);
/* The guest is done with a synthetic interrupt: runs the notifiers of the GSIs routed to it. */
void irq_ack_sint(struct vm *vm, u32 vp_index, u32 sint);

/* The KVM API's state structs. */
int irqchip_get_state(struct vm *vm, struct kvm_irqchip *chip); /* -EINVAL: chip_id */
int irqchip_set_state(struct vm *vm, const struct kvm_irqchip *chip);
int pit_get_state(struct vm *vm, struct kvm_pit_state2 *s); /* -ENXIO without PIT */
int pit_set_state(struct vm *vm, const struct kvm_pit_state2 *s);
int pit_reinject(struct vm *vm, const struct kvm_reinject_control *c);

/* Local APIC ------------------------------------------------------------------ */
int lapic_create(struct vcpu *v); /* sets v->lapic */
void lapic_free(struct vcpu *v);
void lapic_reset(struct vcpu *v, bool init);
/* IA32_APIC_BASE: 0 or 1 (#GP); handles enable, disable, xAPIC <-> x2APIC. */
int lapic_set_base(struct vcpu *v, u64 val, bool host);
/* Highest interrupt that the APIC (or, through LVT0/ExtINT, the PIC) would deliver
 * now above the processor priority: vector, or -1. Called with interrupts on or off. */
int lapic_pending_irq(struct vcpu *v);
/* Acknowledge: moves IRR to ISR (or runs the PIC's INTA cycle); vector or -1. */
int lapic_ack_irq(struct vcpu *v);
u64 lapic_get_cr8(struct vcpu *v);
void lapic_set_cr8(struct vcpu *v, u64 cr8);
/* The paravirtual TPR page: TPR, class in service, highest requested vector, a byte each. */
u32 lapic_tpr_word(struct vcpu *v);
void lapic_set_tpr(struct vcpu *v, u8 tpr);
/* Priority class that CR8 must fall below for the best IRR interrupt to be delivered; 0 = none:
 * what hw->set_cr8_intercept() wants. */
u32 lapic_tpr_threshold(struct vcpu *v);
/* MMIO inside the page at IA32_APIC_BASE: 0, or -EOPNOTSUPP (address outside, or disabled). */
int lapic_mmio_read(struct vcpu *v, u64 gpa, int len, void *val);
int lapic_mmio_write(struct vcpu *v, u64 gpa, int len, const void *val);
/* x2APIC MSRs 0x800-0x8ff and IA32_TSC_DEADLINE: 0, or 1 (#GP). */
int lapic_msr_read(struct vcpu *v, u32 index, u64 *val);
int lapic_msr_write(struct vcpu *v, u32 index, u64 val);
u64 lapic_get_tsc_deadline(struct vcpu *v);
void lapic_set_tsc_deadline(struct vcpu *v, u64 deadline);
void lapic_get_state(struct vcpu *v, struct kvm_lapic_state *s);
int lapic_set_state(struct vcpu *v, const struct kvm_lapic_state *s);
bool lapic_has_pending_timer(struct vcpu *v);
/* Timer expired in hrtimer context: turns into an IRR bit when the vCPU next looks. */
void lapic_service_timer(struct vcpu *v);
bool lapic_sw_enabled(struct vcpu *v);
/* LVT CMCI: whether there is one, and the interrupt of it; by the vCPU's thread. */
void lapic_set_cmci(struct vcpu *v, bool there);
void lapic_cmci(struct vcpu *v);
/* A fixed, edge-triggered interrupt as by an IPI, any context but NMI: as irq_set(). */
int lapic_raise(struct vcpu *v, u8 vector);
/* APIC_EOI, APIC_ICR and APIC_TASKPRI as synthetic MSRs reach them, in any mode: 0, or 1 (#GP). */
int lapic_reg_read(struct vcpu *v, u32 offset, u64 *val);
int lapic_reg_write(struct vcpu *v, u32 offset, u64 val);
/**
 * struct lapic_synth - vectors of synthetic interrupt sources; (v)
 * @vectors:  env_synth_eoi() is told of their EOI
 * @auto_eoi: they have none: never in service
 */
struct lapic_synth {
	unsigned long vectors[256 / (8 * sizeof(long))];
	unsigned long auto_eoi[256 / (8 * sizeof(long))];
};
void lapic_set_synth(struct vcpu *v, const struct lapic_synth *synth); /* outlives the local APIC */
bool lapic_accepts_pic(struct vcpu *v); /* virtual wire: LVT0 ExtINT or APIC off */
/* Paravirtual EOI (MSR_KVM_PV_EOI_EN): called around entry. */
bool lapic_pv_eoi_valid(u64 msr);
int lapic_set_pv_eoi(struct vcpu *v, u64 msr);
u64 lapic_get_pv_eoi(struct vcpu *v);
void lapic_sync_pv_eoi(struct vcpu *v); /* after an exit, before events are looked at */
bool lapic_pv_eoi_armed(struct vcpu *v);
void lapic_arm_pv_eoi(struct vcpu *v); /* after events were injected; may sleep */
/* Split irqchip: next vector for KVM_EXIT_IOAPIC_EOI, or -1. */
int lapic_take_user_eoi(struct vcpu *v);
/* What a local APIC waits for; of any vCPU, from any thread: a moment's view, not a state to restore. */
struct lapic_view {
	int irr, isr; /* highest vector, or -1 */
	u8 ppr;
	u32 lvtt;
	bool timer_armed, timer_pending;
	s64 timer_left_ns;
	u64 tsc_deadline;
};
void lapic_look(struct vcpu *v, struct lapic_view *view);
/* vCPU re-computed time base (offset changed): re-arm the timer. */
void lapic_rearm_timer(struct vcpu *v);

#endif /* TURTLES_IRQCHIP_IRQCHIP_H */
