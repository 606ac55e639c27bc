// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interrupt controller in user space, for vCPU 0, unless they are all in the kernel (runner -i).
 *
 * A vector written to port 0xe0 is raised at once, one written to 0xe1 at the next HLT. Port 0xe3
 * says which mode it is, 0xe4 how many KVM_EXIT_SET_TPR came, 0xe8 gives kvm_run.apic_base; after
 * a 1 to 0xe5 the vCPU's events are saved and restored between KVM_INTERRUPT and KVM_RUN.
 */
#include <stdio.h>

#include "runner.h"

static int waiting = -1, at_hlt = -1; /* vectors, or -1 */
static uint8_t tpr_sets, save_events;

bool pic_port(struct kvm_run *run, uint8_t *data)
{
	switch (run->io.port) {
	case 0xe0:
		if (is_out(run))
			waiting = data[0];
		return true;
	case 0xe1:
		if (is_out(run))
			at_hlt = data[0];
		return true;
	case 0xe3:
		data[0] = irqchip;
		return true;
	case 0xe4:
		data[0] = tpr_sets;
		return true;
	case 0xe5:
		save_events = data[0];
		return true;
	case 0xe8:
		put_port(run, data, (uint32_t)run->apic_base);
		return true;
	}
	return false;
}

/* A machine saved and restored between KVM_INTERRUPT and KVM_RUN: the interrupt must come along. */
static void save_and_restore(int fd, uint8_t vector)
{
	struct kvm_vcpu_events e, none;

	call(fd, KVM_GET_VCPU_EVENTS, &e, "KVM_GET_VCPU_EVENTS");
	if (!e.interrupt.injected || e.interrupt.nr != vector) {
		printf("FAIL queued interrupt is not in KVM_GET_VCPU_EVENTS\n");
		return;
	}
	none = e;
	none.interrupt.injected = 0;
	call(fd, KVM_SET_VCPU_EVENTS, &none, "KVM_SET_VCPU_EVENTS");
	call(fd, KVM_SET_VCPU_EVENTS, &e, "KVM_SET_VCPU_EVENTS");
}

/* Before KVM_RUN: hand over what the vCPU takes now, or ask to be told when it does. */
void pic_before_run(struct vcpu *c)
{
	struct kvm_run *run = c->run;
	struct kvm_interrupt irq = { .irq = (uint32_t)waiting };

	run->request_interrupt_window = 0;
	/* Priorities are a local APIC's affair, and it is here only if it is not in the kernel. */
	if (waiting < 0 || (irqchip == IRQCHIP_OFF && waiting >> 4 <= (int)run->cr8))
		return;
	if (!run->ready_for_interrupt_injection || !run->if_flag) {
		run->request_interrupt_window = 1;
		return;
	}
	waiting = -1;
	call(c->fd, KVM_INTERRUPT, &irq, "KVM_INTERRUPT");
	if (save_events)
		save_and_restore(c->fd, irq.irq);
}

void pic_at_hlt(void)
{
	if (at_hlt >= 0)
		waiting = at_hlt;
	at_hlt = -1;
}

void pic_tpr_set(void)
{
	tpr_sets++;
}
