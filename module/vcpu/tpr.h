/* SPDX-License-Identifier: GPL-2.0-only */
/* Task priority of old 32-bit guests: see tpr.c. */
#ifndef TURTLES_VCPU_TPR_H
#define TURTLES_VCPU_TPR_H

#include <linux/types.h>

struct vcpu;

int vcpu_set_tpr_page(struct vcpu *v, u64 gpa);
/* Around an entry when v->tpr_page is not 0; vm->srcu held, may sleep. */
void tpr_page_to_guest(struct vcpu *v);
void tpr_page_from_guest(struct vcpu *v);

void tpr_access_done(struct vcpu *v, bool is_write);
int tpr_access_report(struct vcpu *v);

#endif /* TURTLES_VCPU_TPR_H */
