/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the payload runner share. */
#ifndef TESTS_GUESTS_RUNNER_H
#define TESTS_GUESTS_RUNNER_H

#include <pthread.h>

#include "machine.h"

enum irqchip { IRQCHIP_ON, IRQCHIP_SPLIT, IRQCHIP_OFF };

/* Where a vCPU goes on after a shutdown; rip 0: nowhere, it ends the run. */
struct resume {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
};

struct vcpu {
	uint32_t id;
	int fd;
	struct kvm_run *run;
	struct resume resume;
};

/* main.c: the command line; the lock is held by whoever serves an exit or moves the VM */
extern enum irqchip irqchip;
extern bool hyperv, enlightened;
extern unsigned int move_us;
extern pthread_mutex_t lock;

/* vm.c */
extern int vm;
void make_vm(void);
void make_vcpu(struct vcpu *c);
void make_memory(const char *payload);
void give_memory(void);

/* pic.c; the port functions of this and the next three are as port_server is */
bool pic_port(struct kvm_run *run, uint8_t *data);
void pic_before_run(struct vcpu *c);
void pic_at_hlt(void);
void pic_tpr_set(void);

/* tpr.c */
bool tpr_port(struct vcpu *c, uint8_t *data);
void tpr_accessed(const struct kvm_run *run);

/* hyperv.c */
bool hyperv_port(struct kvm_run *run, uint8_t *data);
void hyperv_exit(struct kvm_run *run);
void hyperv_system_event(const struct kvm_run *run);
void hyperv_cpuid(const struct vcpu *v, struct cpuid_list *c);
void hyperv_enable(const struct vcpu *c);
void hyperv_enable_evmcs(const struct vcpu *c);
void hyperv_make_port(void);

/* smm.c */
bool smm_port(struct vcpu *c, const uint8_t *data);
bool smm_after_shutdown(struct vcpu *c);

/* move.c, move_timer.c */
extern unsigned int moves, moves_in_l2, moves_pending, moves_in_smm;
void move_vm(struct vcpu *c);
void start_moving(struct vcpu *c);
void move_soon(void);
bool move_if_due(struct vcpu *c);

#endif /* TESTS_GUESTS_RUNNER_H */
