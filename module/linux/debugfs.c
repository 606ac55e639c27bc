// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/turtles: where the exits and the memory of all VMs went, the ones that
 * have ended included.
 *
 * exits:  lines of "level reason count"; level is L1 or L2, reason a VMX basic exit reason,
 *	   or hw_exits (world switches back to L0), reflected (exits passed on to L1)
 * memory: lines of "item bytes"; the last one is "total bytes"
 * vcpus:  where each vCPU is and what it waits for, seen from outside while it may run on: for a
 *	   guest that does not go on
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <asm/vmx.h>

#include "irqchip/irqchip.h"
#include "linux/parts.h"
#include "mm/mm.h"
#include "vcpu/vcpu.h"

static struct dentry *dir;

static const struct {
	u32 reason;
	const char *name;
} reasons[] = { VMX_EXIT_REASONS };

static void show_reason(struct seq_file *m, int level, u32 reason, u64 count)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (reasons[i].reason == reason) {
			seq_printf(m, "L%d %s %llu\n", level, reasons[i].name, count);
			return;
		}
	}
	seq_printf(m, "L%d REASON_%u %llu\n", level, reason, count);
}

static int exits_show(struct seq_file *m, void *unused)
{
	struct vcpu_stats *s = kzalloc(sizeof(*s), GFP_KERNEL);
	u64 from_l2 = 0;
	u32 level, r;

	if (!s)
		return -ENOMEM;
	vm_sum_stats(s);
	for (level = 0; level < 2; level++) {
		for (r = 0; r < VCPU_NR_EXIT_REASONS; r++) {
			if (s->exits[level][r])
				show_reason(m, level + 1, r, s->exits[level][r]);
			if (level)
				from_l2 += s->exits[level][r];
		}
	}
	seq_printf(m, "L1 hw_exits %llu\n", s->hw_exits - min(from_l2, s->hw_exits));
	seq_printf(m, "L2 hw_exits %llu\n", from_l2);
	seq_printf(m, "L2 reflected %llu\n", s->reflected);
	kfree(s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(exits);

static void add_footprint(struct vm *vm, void *sum)
{
	*(unsigned long *)sum += vm_mm_footprint(vm);
}

static int memory_show(struct seq_file *m, void *unused)
{
	static const char *const names[NR_MEM_ITEMS] = {
		[MEM_VM] = "vm",
		[MEM_VCPU] = "vcpu",
		[MEM_FPU] = "fpu",
		[MEM_HW] = "hw",
	};
	unsigned long total = 0, pages = 0;
	int i;

	vm_for_each(add_footprint, &pages);
	seq_printf(m, "page_tables %lu\n", pages);
	for (i = 0; i < NR_MEM_ITEMS; i++) {
		seq_printf(m, "%s %ld\n", names[i], mem_accounted(i));
		total += mem_accounted(i);
	}
	seq_printf(m, "total %lu\n", total + pages);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(memory);

static const char *run_state(const struct vcpu *v)
{
	static const char *const names[] = {
		[KVM_MP_STATE_RUNNABLE] = "runnable",
		[KVM_MP_STATE_UNINITIALIZED] = "uninitialized",
		[KVM_MP_STATE_INIT_RECEIVED] = "wait-for-SIPI",
		[KVM_MP_STATE_HALTED] = "halted",
	};
	unsigned int state = READ_ONCE(v->mp_state);

	if (READ_ONCE(v->l2_halted))
		return "entered halted";
	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "?";
}

static void show_lapic(struct seq_file *m, struct vcpu *v)
{
	struct lapic_view l;

	lapic_look(v, &l);
	seq_printf(
		m,
		"  lapic irr=%d isr=%d ppr=%#x lvtt=%#x timer=%s%s left_ns=%lld deadline=%#llx\n",
		l.irr, l.isr, l.ppr, l.lvtt, l.timer_armed ? "armed" : "off",
		l.timer_pending ? ",pending" : "", l.timer_left_ns, l.tsc_deadline);
}

static void show_vcpu(struct seq_file *m, struct vcpu *v)
{
	const struct vcpu_events *ev = &v->ev;

	seq_printf(m, "vcpu %u: L%d %s, %s guest mode, cpu %d, requests %#lx\n", v->id,
		   READ_ONCE(v->in_l2) ? 2 : 1, run_state(v),
		   READ_ONCE(v->mode) == IN_GUEST ? "in" : "not in", READ_ONCE(v->last_cpu),
		   READ_ONCE(v->requests));
	seq_printf(m, "  rip=%#llx rflags=%#llx cr8=%#llx last exit=%u\n", READ_ONCE(v->rip),
		   READ_ONCE(v->rflags), READ_ONCE(v->cr8), READ_ONCE(v->exit.reason));
	seq_printf(m, "  exception=%u%s%s irq=%u%s nmi%s,%d waiting\n", ev->exc.vector,
		   ev->exc.pending ? ",pending" : "", ev->exc.injected ? ",injected" : "",
		   ev->irq.vector, ev->irq.injected ? ",injected" : "",
		   ev->nmi_injected ? ",injected" : "", atomic_read(&ev->nmi_pending));
	if (v->lapic)
		show_lapic(m, v);
}

static void show_vm(struct vm *vm, void *m)
{
	struct vcpu *v;
	unsigned int i;

	seq_puts(m, "vm\n");
	vm_for_each_vcpu(vm, i, v) show_vcpu(m, v);
}

static int vcpus_show(struct seq_file *m, void *unused)
{
	vm_for_each(show_vm, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpus);

void debugfs_init(void)
{
	dir = debugfs_create_dir("turtles", NULL);
	debugfs_create_file("exits", 0444, dir, NULL, &exits_fops);
	debugfs_create_file("memory", 0444, dir, NULL, &memory_fops);
	debugfs_create_file("vcpus", 0444, dir, NULL, &vcpus_fops);
}

void debugfs_exit(void)
{
	debugfs_remove(dir);
}
