/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: one per stop of docs/tour.md, under events/turtles/ of tracefs.
 *
 * Included by the code in vcpu/, api/ and hw/ that runs in the module only; the pure parts
 * know nothing of it. Level 1 is L1 or a plain guest, level 2 its guest.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM turtles

#if !defined(TURTLES_LINUX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TURTLES_LINUX_TRACE_H

#include <linux/tracepoint.h>
#include <linux/version.h>
#include <asm/vmx.h>

#include "hw/exit.h"

#ifndef TURTLES_ASSIGN_STR
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define TURTLES_ASSIGN_STR(dst, src) __assign_str(dst, src)
#else
#define TURTLES_ASSIGN_STR(dst, src) __assign_str(dst)
#endif
#endif

/* The fields of an event read best one a line. */
/* clang-format off */

TRACE_EVENT(turtles_entry,
	TP_PROTO(u32 vcpu, int level, u64 rip),
	TP_ARGS(vcpu, level, rip),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u8, level)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->level = level;
		__entry->rip = rip;
	),
	TP_printk("vcpu %u L%u rip 0x%llx", __entry->vcpu, __entry->level, __entry->rip)
);

TRACE_EVENT(turtles_exit,
	TP_PROTO(u32 vcpu, int level, u64 rip, u32 reason, u32 raw, u64 qual, u32 intr_info),
	TP_ARGS(vcpu, level, rip, reason, raw, qual, intr_info),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u8, level)
		__field(u64, rip)
		__field(u32, reason)
		__field(u32, raw)
		__field(u64, qual)
		__field(u32, intr_info)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->level = level;
		__entry->rip = rip;
		__entry->reason = reason;
		__entry->raw = raw;
		__entry->qual = qual;
		__entry->intr_info = intr_info;
	),
	TP_printk("vcpu %u L%u rip 0x%llx reason %s%s raw 0x%x qual 0x%llx intr_info 0x%x",
		  __entry->vcpu, __entry->level, __entry->rip,
		  __print_symbolic(__entry->reason & 0x7fffffffu, VMX_EXIT_REASONS,
				   { VCPU_EXIT_NONE, "NONE" }, { VCPU_EXIT_HW_ERROR, "HW_ERROR" }),
		  __entry->reason & 0x80000000u ? " (failed entry)" : "",
		  __entry->raw, __entry->qual, __entry->intr_info)
);

TRACE_EVENT(turtles_mmio,
	TP_PROTO(bool write, int len, u64 gpa, u64 val),
	TP_ARGS(write, len, gpa, val),
	TP_STRUCT__entry(
		__field(bool, write)
		__field(u8, len)
		__field(u64, gpa)
		__field(u64, val)
	),
	TP_fast_assign(
		__entry->write = write;
		__entry->len = len;
		__entry->gpa = gpa;
		__entry->val = val;
	),
	TP_printk("%s len %u gpa 0x%llx val 0x%llx", __entry->write ? "write" : "read",
		  __entry->len, __entry->gpa, __entry->val)
);

TRACE_EVENT(turtles_pio,
	TP_PROTO(bool write, u16 port, u32 size, u32 count, u32 val),
	TP_ARGS(write, port, size, count, val),
	TP_STRUCT__entry(
		__field(bool, write)
		__field(u16, port)
		__field(u8, size)
		__field(u32, count)
		__field(u32, val)
	),
	TP_fast_assign(
		__entry->write = write;
		__entry->port = port;
		__entry->size = size;
		__entry->count = count;
		__entry->val = val;
	),
	TP_printk("%s port 0x%x size %u count %u val 0x%x", __entry->write ? "out" : "in",
		  __entry->port, __entry->size, __entry->count, __entry->val)
);

TRACE_EVENT(turtles_msr,
	TP_PROTO(bool write, u32 index, u64 data, bool fault),
	TP_ARGS(write, index, data, fault),
	TP_STRUCT__entry(
		__field(bool, write)
		__field(bool, fault)
		__field(u32, index)
		__field(u64, data)
	),
	TP_fast_assign(
		__entry->write = write;
		__entry->fault = fault;
		__entry->index = index;
		__entry->data = data;
	),
	TP_printk("%s 0x%x = 0x%llx%s", __entry->write ? "wrmsr" : "rdmsr",
		  __entry->index, __entry->data, __entry->fault ? " (#GP)" : "")
);

TRACE_EVENT(turtles_smm,
	TP_PROTO(u32 vcpu, bool enter, u64 rip, u64 smbase),
	TP_ARGS(vcpu, enter, rip, smbase),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(bool, enter)
		__field(u64, rip)
		__field(u64, smbase)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->enter = enter;
		__entry->rip = rip;
		__entry->smbase = smbase;
	),
	TP_printk("vcpu %u %s rip 0x%llx smbase 0x%llx", __entry->vcpu,
		  __entry->enter ? "SMI" : "RSM", __entry->rip, __entry->smbase)
);

TRACE_EVENT(turtles_cr,
	TP_PROTO(bool write, u32 cr, u64 val),
	TP_ARGS(write, cr, val),
	TP_STRUCT__entry(
		__field(bool, write)
		__field(u8, cr)
		__field(u64, val)
	),
	TP_fast_assign(
		__entry->write = write;
		__entry->cr = cr;
		__entry->val = val;
	),
	TP_printk("%s cr%u = 0x%llx", __entry->write ? "write" : "read",
		  __entry->cr, __entry->val)
);

TRACE_EVENT(turtles_inj_virq,
	TP_PROTO(u32 vcpu, u32 vector, bool soft),
	TP_ARGS(vcpu, vector, soft),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u8, vector)
		__field(bool, soft)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->vector = vector;
		__entry->soft = soft;
	),
	TP_printk("vcpu %u %s 0x%x", __entry->vcpu, __entry->soft ? "INTn" : "IRQ",
		  __entry->vector)
);

TRACE_EVENT(turtles_inj_exception,
	TP_PROTO(u32 vcpu, u32 vector, bool has_error, u32 error),
	TP_ARGS(vcpu, vector, has_error, error),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u8, vector)
		__field(bool, has_error)
		__field(u32, error)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->vector = vector;
		__entry->has_error = has_error;
		__entry->error = error;
	),
	TP_printk("vcpu %u vector %u%s 0x%x", __entry->vcpu, __entry->vector,
		  __entry->has_error ? " error" : "", __entry->error)
);

TRACE_EVENT(turtles_page_fault,
	TP_PROTO(u32 vcpu, int level, u64 gpa, u32 access, int result),
	TP_ARGS(vcpu, level, gpa, access, result),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u8, level)
		__field(u64, gpa)
		__field(u32, access)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->level = level;
		__entry->gpa = gpa;
		__entry->access = access;
		__entry->result = result;
	),
	TP_printk("vcpu %u L%u gpa 0x%llx access 0x%x result %d", __entry->vcpu,
		  __entry->level, __entry->gpa, __entry->access, __entry->result)
);

TRACE_EVENT(turtles_userspace_exit,
	TP_PROTO(u32 vcpu, u32 reason, int err),
	TP_ARGS(vcpu, reason, err),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, reason)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->reason = reason;
		__entry->err = err;
	),
	TP_printk("vcpu %u reason %u error %d", __entry->vcpu, __entry->reason, __entry->err)
);

TRACE_EVENT(turtles_nested_vmenter,
	TP_PROTO(u32 vcpu, u64 l1rip, u64 vmcs12_gpa, u64 l2rip, u64 eptp, u32 intr_info),
	TP_ARGS(vcpu, l1rip, vmcs12_gpa, l2rip, eptp, intr_info),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u64, l1rip)
		__field(u64, vmcs12_gpa)
		__field(u64, l2rip)
		__field(u64, eptp)
		__field(u32, intr_info)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->l1rip = l1rip;
		__entry->vmcs12_gpa = vmcs12_gpa;
		__entry->l2rip = l2rip;
		__entry->eptp = eptp;
		__entry->intr_info = intr_info;
	),
	TP_printk("vcpu %u L1 rip 0x%llx vmcs12 0x%llx L2 rip 0x%llx eptp 0x%llx inject 0x%x",
		  __entry->vcpu, __entry->l1rip, __entry->vmcs12_gpa, __entry->l2rip,
		  __entry->eptp, __entry->intr_info)
);

TRACE_EVENT(turtles_nested_vmexit,
	TP_PROTO(u32 vcpu, u64 l2rip, u32 reason, u64 qual, u32 intr_info),
	TP_ARGS(vcpu, l2rip, reason, qual, intr_info),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u64, l2rip)
		__field(u32, reason)
		__field(u64, qual)
		__field(u32, intr_info)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->l2rip = l2rip;
		__entry->reason = reason;
		__entry->qual = qual;
		__entry->intr_info = intr_info;
	),
	TP_printk("vcpu %u L2 rip 0x%llx reason %s%s qual 0x%llx intr_info 0x%x",
		  __entry->vcpu, __entry->l2rip,
		  __print_symbolic(__entry->reason & 0xffff, VMX_EXIT_REASONS),
		  __entry->reason & 0x80000000u ? " (failed entry)" : "",
		  __entry->qual, __entry->intr_info)
);

/* @check names the row of the entry-check table, or what the hardware refused. */
TRACE_EVENT(turtles_nested_vmenter_failed,
	TP_PROTO(u32 vcpu, const char *check, u32 code),
	TP_ARGS(vcpu, check, code),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, code)
		__string(check, check)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu;
		__entry->code = code;
		TURTLES_ASSIGN_STR(check, check);
	),
	TP_printk("vcpu %u check %s code %u", __entry->vcpu, __get_str(check), __entry->code)
);

/* clang-format on */

#endif /* TURTLES_LINUX_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
