/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct vcpu_exit: all that is known of one VM exit.
 *
 * The vocabulary is that of VMX on both backends (basic exit reasons, exit
 * qualifications and interruption information as in SDM "VM-Exit Information
 * Fields"), because the hypervisors inside our VMs are written for VMX: on an
 * Intel host a reflected exit is passed on verbatim, and on an AMD host there
 * is exactly one place, hw/svm/exit.c, where it is translated.
 */
#ifndef TURTLES_HW_EXIT_H
#define TURTLES_HW_EXIT_H

#include <linux/types.h>

/* Set in vcpu_exit.reason when a VM entry failed (SDM "Basic VM-Exit Information"). */
#define VCPU_EXIT_FAILED_ENTRY 0x80000000u

/*
 * Reasons of our own, outside the range of VMX's. They are never reflected.
 */
#define VCPU_EXIT_NONE	   0x10000u /* nothing to do: host interrupt, NMI, aborted entry */
#define VCPU_EXIT_HW_ERROR 0x10001u /* VMLAUNCH/VMRUN itself failed; qual = hardware's error */

/**
 * struct vcpu_exit - one VM exit, filled by hw_ops.enter()
 * @reason:     VMX basic exit reason, or VCPU_EXIT_*; bit 31 = failed entry
 * @raw:        the hardware's own exit code, for traces only
 * @insn_len:   instruction length in bytes; 0 = the hardware does not tell
 * @insn_info:  VM-exit instruction information (VMX hosts only, else 0)
 * @qual:       exit qualification in VMX format. On SVM without decode assists
 *		the GPR number of a MOV CR/DR is not known: see @partial.
 * @gpa:        guest-physical address (EPT violation, EPT misconfiguration)
 * @gla:        guest linear address where the qualification says it is valid
 * @intr_info:  VM-exit interruption information (exceptions, NMI)
 * @intr_error: its error code
 * @idt_info:   IDT-vectoring information: the event whose delivery was cut short
 * @idt_error:  its error code
 * @partial:    the instruction must be decoded to complete @qual and @insn_len
 * @nr_bytes:   count of instruction bytes in @bytes (SVM decode assists)
 */
struct vcpu_exit {
	u32 reason;
	u32 raw;
	u32 insn_len;
	u32 insn_info;
	u64 qual;
	u64 gpa;
	u64 gla;
	u32 intr_info;
	u32 intr_error;
	u32 idt_info;
	u32 idt_error;
	bool partial;
	u8 nr_bytes;
	u8 bytes[15];
};

#endif /* TURTLES_HW_EXIT_H */
