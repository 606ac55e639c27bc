/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the payload runner share. */
#ifndef TESTS_GUESTS_RUNNER_H
#define TESTS_GUESTS_RUNNER_H

#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>

/* runner.c */
extern int kvm, vm;
_Noreturn void die(const char *what);
int call(int fd, unsigned long req, void *arg, const char *what);
int make_vm(void);
int make_vcpu(uint32_t id, struct kvm_run **run);
int run_size(void);
void give_memory(void);

/* move.c */
extern unsigned int moves, moves_in_l2, moves_pending, moves_in_smm;
int move_vm(int fd, struct kvm_run **run);

#endif /* TESTS_GUESTS_RUNNER_H */
