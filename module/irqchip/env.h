/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the interrupt controllers need of the world around them. The module implements these in
 * vcpu/irq_env.c and linux/vtimer.c, the unit tests in their own harness.
 */
#ifndef TURTLES_IRQCHIP_ENV_H
#define TURTLES_IRQCHIP_ENV_H

#include <linux/types.h>

struct vm;
struct vcpu;
struct lapic;
struct irqchip;

struct lapic *env_lapic(struct vcpu *v);
void env_set_lapic(struct vcpu *v, struct lapic *l);
struct irqchip *env_irqchip(struct vm *vm);
struct vm *env_vm(struct vcpu *v);
u32 env_vcpu_id(struct vcpu *v);
bool env_is_bsp(struct vcpu *v);
unsigned int env_nr_vcpus(struct vm *vm);
struct vcpu *env_vcpu(struct vm *vm, unsigned int idx);
u64 *env_apic_base(struct vcpu *v);  /* IA32_APIC_BASE as the guest sees it */
bool env_has_x2apic(struct vcpu *v); /* guest CPUID */
bool env_has_tsc_deadline(struct vcpu *v);
bool env_lint0_extint(struct vm *vm); /* KVM_X86_QUIRK_LINT0_REENABLED */
u64 env_x2apic_api(struct vm *vm);    /* KVM_X2APIC_API_* that user space enabled */

int env_raise_sint(struct vm *vm, u32 vp_index, u32 sint); /* as irq_set() */
void env_synth_eoi(struct vcpu *v, u8 vector);		   /* EOI of one of lapic_synth.vectors */
void env_event(struct vcpu *v); /* an interrupt may be deliverable: request + kick */
void env_post_nmi(struct vcpu *v);
void env_post_init(struct vcpu *v);
void env_post_smi(struct vcpu *v);
void env_post_sipi(struct vcpu *v, u8 vector);

u64 env_now_ns(void); /* monotonic */
u64 env_guest_tsc(struct vcpu *v);
u64 env_tsc_to_ns(struct vcpu *v, u64 delta); /* guest TSC ticks to ns */
int env_read_guest(struct vm *vm, u64 gpa, void *buf, size_t len);
int env_write_guest(struct vm *vm, u64 gpa, const void *buf, size_t len);

/* A one-shot timer; @fn runs in interrupt context. */
struct vtimer;
struct vtimer *vtimer_alloc(void (*fn)(void *arg), void *arg);
void vtimer_free(struct vtimer *t);		 /* waits for a running @fn */
void vtimer_start(struct vtimer *t, u64 abs_ns); /* re-arms */
void vtimer_cancel(struct vtimer *t); /* may be called from @fn's own lock: does not wait */

#endif /* TURTLES_IRQCHIP_ENV_H */
