// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_STATS_FD: counters of a VM or a vCPU in the API's self-describing binary format:
 * header, name of the object, descriptors, values.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "api/api.h"
#include "mm/mm.h"
#include "vcpu/vcpu.h"

#define NAME_SIZE 48

struct counter {
	const char *name;
	u32 flags;
	u64 (*get)(void *obj);
};

/* What one stats fd shows. */
struct stats_file {
	struct vm *vm; /* one reference */
	void *obj;     /* the VM or one of its vCPUs */
	const struct counter *stats;
	u32 nr;
	char id[NAME_SIZE];
};

#define COUNTER (KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10)
#define GAUGE	(KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10)
#define BYTES	(KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BYTES | KVM_STATS_BASE_POW2)

static u64 exits_from(const struct vcpu *v, int level)
{
	u64 sum = 0;
	u32 r;

	for (r = 0; r < VCPU_NR_EXIT_REASONS; r++)
		sum += READ_ONCE(v->stats.exits[level][r]);
	return sum;
}

static u64 stat_exits_l1(void *v)
{
	return exits_from(v, 0);
}

static u64 stat_exits_l2(void *v)
{
	return exits_from(v, 1);
}

#define VCPU_STAT(field)                                           \
	static u64 stat_##field(void *v)                           \
	{                                                          \
		return READ_ONCE(((struct vcpu *)v)->stats.field); \
	}

VCPU_STAT(hw_exits)
VCPU_STAT(reflected)
VCPU_STAT(user_exits)
VCPU_STAT(halt_wakeups)
VCPU_STAT(mmio)
VCPU_STAT(pio)
VCPU_STAT(irq_injections)
VCPU_STAT(nmi_injections)
VCPU_STAT(tdp_faults)
VCPU_STAT(mdp_faults)
VCPU_STAT(emulated)

static u64 stat_guest_mode(void *obj)
{
	struct vcpu *v = obj;

	return READ_ONCE(v->in_l2);
}

/* Where stock KVM has the same counter, it has the same name. */
static const struct counter vcpu_stats[] = {
	{ "exits", COUNTER, stat_hw_exits },
	{ "exits_l1", COUNTER, stat_exits_l1 },
	{ "exits_l2", COUNTER, stat_exits_l2 },
	{ "reflected_exits", COUNTER, stat_reflected },
	{ "user_exits", COUNTER, stat_user_exits },
	{ "mmio_exits", COUNTER, stat_mmio },
	{ "io_exits", COUNTER, stat_pio },
	{ "halt_wakeup", COUNTER, stat_halt_wakeups },
	{ "irq_injections", COUNTER, stat_irq_injections },
	{ "nmi_injections", COUNTER, stat_nmi_injections },
	{ "pf_taken", COUNTER, stat_tdp_faults },
	{ "mdp_faults", COUNTER, stat_mdp_faults },
	{ "insn_emulation", COUNTER, stat_emulated },
	{ "guest_mode", GAUGE, stat_guest_mode },
};

static u64 stat_page_tables(void *vm)
{
	return vm_mm_footprint(vm);
}

static u64 stat_vcpus(void *vm)
{
	return vm_nr_vcpus(vm);
}

static const struct counter vm_stats[] = {
	{ "page_table_bytes", BYTES, stat_page_tables },
	{ "vcpus", GAUGE, stat_vcpus },
};

/* The whole file, as it is now. */
static void *stats_image(const struct stats_file *sf, size_t *size)
{
	const size_t desc_size = sizeof(struct kvm_stats_desc) + NAME_SIZE;
	struct kvm_stats_header *head;
	struct kvm_stats_desc *desc;
	u64 *data;
	void *image;
	u32 i;

	*size = sizeof(*head) + NAME_SIZE + sf->nr * (desc_size + sizeof(u64));
	image = kvzalloc(*size, GFP_KERNEL);
	if (!image)
		return NULL;
	head = image;
	head->name_size = NAME_SIZE;
	head->num_desc = sf->nr;
	head->id_offset = sizeof(*head);
	head->desc_offset = head->id_offset + NAME_SIZE;
	head->data_offset = head->desc_offset + sf->nr * desc_size;
	memcpy(image + head->id_offset, sf->id, NAME_SIZE);
	data = image + head->data_offset;
	for (i = 0; i < sf->nr; i++) {
		desc = image + head->desc_offset + i * desc_size;
		desc->flags = sf->stats[i].flags;
		desc->size = 1;
		desc->offset = i * sizeof(u64);
		strscpy((char *)(desc + 1), sf->stats[i].name, NAME_SIZE);
		data[i] = sf->stats[i].get(sf->obj);
	}
	return image;
}

static ssize_t stats_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	const struct stats_file *sf = file->private_data;
	size_t size;
	ssize_t ret;
	void *image = stats_image(sf, &size);

	if (!image)
		return -ENOMEM;
	ret = simple_read_from_buffer(buf, len, pos, image, size);
	kvfree(image);
	return ret;
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats_file *sf = file->private_data;

	vm_put(sf->vm);
	kfree(sf);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.read = stats_read,
	.release = stats_release,
	.llseek = noop_llseek,
};

static long stats_fd(struct stats_file *sf, const char *name)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		kfree(sf);
		return fd;
	}
	file = anon_inode_getfile(name, &stats_fops, sf, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		kfree(sf);
		return PTR_ERR(file);
	}
	file->f_mode |= FMODE_PREAD;
	vm_get(sf->vm);
	fd_install(fd, file);
	return fd;
}

long api_vm_stats_fd(struct vm *vm)
{
	struct stats_file *sf = kzalloc(sizeof(*sf), GFP_KERNEL_ACCOUNT);

	if (!sf)
		return -ENOMEM;
	sf->vm = vm;
	sf->obj = vm;
	sf->stats = vm_stats;
	sf->nr = ARRAY_SIZE(vm_stats);
	snprintf(sf->id, sizeof(sf->id), "kvm-%d", task_pid_nr(current));
	return stats_fd(sf, "kvm-vm-stats");
}

long api_vcpu_stats_fd(struct vcpu *v)
{
	struct stats_file *sf = kzalloc(sizeof(*sf), GFP_KERNEL_ACCOUNT);

	if (!sf)
		return -ENOMEM;
	sf->vm = v->vm;
	sf->obj = v;
	sf->stats = vcpu_stats;
	sf->nr = ARRAY_SIZE(vcpu_stats);
	snprintf(sf->id, sizeof(sf->id), "kvm-%d/vcpu-%u", task_pid_nr(current), v->id);
	return stats_fd(sf, "kvm-vcpu-stats");
}
