/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory: slots, the guest page walker, two-dimensional paging (tdp) and
 * multi-dimensional paging (mdp). Called by api/ (slots, dirty log) and vcpu/.
 *
 * Address spaces: gva (guest linear), gpa (L1 guest-physical), l2gpa, hva (host
 * user virtual), hpa (host physical).
 */
#ifndef TURTLES_MM_MM_H
#define TURTLES_MM_MM_H

#include <linux/kvm.h>
#include <linux/types.h>

struct vm;
struct vcpu;

#define MM_MAX_SLOTS 0x7ffc /* KVM_CAP_NR_MEMSLOTS, as stock KVM answers */
/* Address spaces, each with slots and a tree of its own: 0, and 1 for a vCPU in SMM. */
#define MM_NR_AS 2

int vm_mm_create(struct vm *vm);  /* allocates vm->mm, registers the MMU notifier */
void vm_mm_detach(struct vm *vm); /* unregisters it; before the vCPUs are freed */
void vm_mm_destroy(struct vm *vm);
void mm_vcpu_free(struct vcpu *v); /* the vCPU lets go of its root; before vm_mm_destroy() */

/* mm/memslot.c -------------------------------------------------------------- */
int vm_set_memory_region(struct vm *vm, const struct kvm_userspace_memory_region *r);
/* Dirty log, both protocols; -ENOENT without slot or logging. Buffer is user memory. */
int vm_get_dirty_log(struct vm *vm, const struct kvm_dirty_log *log);
int vm_clear_dirty_log(struct vm *vm, const struct kvm_clear_dirty_log *log);

/* Access by gpa in address space 0; caller holds vm->srcu, may sleep. 0 or -EFAULT (no slot,
 * read-only slot on write, or the user mapping is gone). Writes mark pages dirty. */
int vm_read_guest(struct vm *vm, u64 gpa, void *buf, size_t len);
int vm_write_guest(struct vm *vm, u64 gpa, const void *buf, size_t len);
u64 vm_nr_pages(struct vm *vm);
void vm_mark_dirty(struct vm *vm, u64 gfn);
/* Compare-and-exchange in guest memory of 1,2,4,8 bytes, naturally aligned:
 * 0 done, 1 value differed (*old updated), -EFAULT. */
int vm_cmpxchg_guest(struct vm *vm, u64 gpa, u64 *old, u64 new, int len);
/* The same by the vCPU's own thread, in the address space that the vCPU uses now. */
int vcpu_read_guest(struct vcpu *v, u64 gpa, void *buf, size_t len);
int vcpu_write_guest(struct vcpu *v, u64 gpa, const void *buf, size_t len);
int vcpu_cmpxchg_guest(struct vcpu *v, u64 gpa, u64 *old, u64 new, int len);
bool vcpu_gfn_is_memory(struct vcpu *v, u64 gfn, bool write); /* not a device, nor ROM to write */

/* mm/walk.c: guest paging, pure -------------------------------------------- */
#define WALK_WRITE    0x1u
#define WALK_USER     0x2u /* CPL 3 */
#define WALK_FETCH    0x4u
#define WALK_IMPLICIT 0x8u  /* implicit supervisor access: AC does not override SMAP */
#define WALK_NO_AD    0x10u /* do not set accessed and dirty bits */

/**
 * struct walk_env - what the walker needs of a vCPU, and how it reads memory
 * @read:	read one aligned table entry of @len bytes at a guest-physical address (of the
 *		level that owns the page tables; for L2 under EPT the callback translates);
 *		0, -EFAULT when not backed by memory, 1 = @fault describes an L1-visible
 *		nested fault (EPT violation) that ends the walk
 * @cmpxchg:	set A/D bits; same results, 1 = entry changed, start over is -EAGAIN
 */
struct walk_env {
	u64 cr0, cr3, cr4, efer, rflags;
	u64 pdptrs[4]; /* PAE paging: PDPTE registers, valid when use_pdptrs */
	bool use_pdptrs;
	bool pdpte_a; /* hw->sets_pdpte_a: A may be set in a PDPTE */
	u32 pkru;
	u8 maxphyaddr;
	bool nx, gbpages, pse36;
	void *ctx;
	int (*read)(void *ctx, u64 gpa, void *entry, int len);
	int (*cmpxchg)(void *ctx, u64 gpa, u64 old, u64 new, int len);
};

struct walk_result {
	u64 gpa;
	u64 page_size; /* of the guest's mapping, bytes */
	bool writable, user, executable;
	u32 pf_error; /* valid when guest_walk() returned WALK_FAULT */
};

enum walk_status { WALK_OK, WALK_FAULT, WALK_NESTED_FAULT, WALK_NO_MEMORY };

enum walk_status guest_walk(const struct walk_env *env, u64 gva, u32 access,
			    struct walk_result *res);

/* Access through the vCPU's current paging (L1's, or L2's over EPT12): vcpu/gva.c is the
 * glue that fills walk_env. */

/* mm/ept12.c: walk of L1's EPT tables, pure -------------------------------- */
struct ept12_env {
	u64 eptp;
	u8 maxphyaddr;
	bool ad, exec_only, pages_2m, pages_1g;
	void *ctx;
	int (*read)(void *ctx, u64 gpa, u64 *entry);	     /* 0 or -EFAULT */
	int (*set_ad)(void *ctx, u64 gpa, u64 old, u64 new); /* 0, 1 = changed, -EFAULT */
};

struct ept12_result {
	u64 l1gpa;
	u8 level;		/* of the leaf: 1 = 4K ... */
	bool read, write, exec; /* combined along the walk */
	bool dirty;		/* leaf's D is set, or no A/D: write may be mapped */
	u8 memtype;
	u64 qual;	/* EPT violation qualification bits 0-6 as L1 must see them */
	u64 tables[4];	/* gpa of the table page read at each level, [3] = level 4 */
	u64 entries[4]; /* the entries used, as L1's memory holds them now */
};

enum ept12_status {
	EPT12_OK,
	EPT12_VIOLATION,
	EPT12_MISCONFIG,
	EPT12_AGAIN, /* L1 kept changing the tables: let L2 fault again */
};

#define EPT_ACC_READ  0x1u
#define EPT_ACC_WRITE 0x2u
#define EPT_ACC_FETCH 0x4u

enum ept12_status ept12_walk(const struct ept12_env *env, u64 l2gpa, u32 access,
			     struct ept12_result *res);

/* mm/tdp.c, mm/mdp.c: second-level faults ----------------------------------- */
enum mm_fault_result {
	MM_MAPPED,	 /* resume the guest */
	MM_RETRY,	 /* same, nothing done (a racing invalidation) */
	MM_MMIO,	 /* no slot there: emulate; for L2: gpa_out is the l1gpa */
	MM_READONLY,	 /* write to a read-only slot: emulate */
	MM_L1_VIOLATION, /* L2 only: reflect EPT violation with *qual */
	MM_L1_MISCONFIG, /* L2 only */
	MM_BAD,		 /* -EFAULT to user space: the hva is not mapped */
	MM_NOMEM,
};

/**
 * mm_root - the root to run with
 * Returns the argument for hw->set_root(): tdp for L1 and for an L2 without EPT12, else the
 * composed tree of (VM, @eptp), with HW_ROOT_NO_AD where @eptp does not enable A/D. Allocates; 0 on failure (-ENOMEM to user space).
 * Called by the vCPU thread before entry whenever REQ_MMU_RELOAD was served or L2 was
 * entered or left. A root stays alive while a vCPU has it (v->root_hpa).
 */
u64 mm_root(struct vcpu *v, bool l2_ept, u64 eptp);

/**
 * mm_fault - serve a second-level fault of the running level
 * @gpa: faulting address: gpa for L1, l2gpa when @l2_ept
 * @access: EPT_ACC_*
 * @gpa_out: L1 guest-physical address (after EPT12 when @l2_ept)
 * @qual: for MM_L1_VIOLATION the qualification bits 0-6 that L1 sees (the caller adds GLA bits)
 */
enum mm_fault_result mm_fault(struct vcpu *v, u64 gpa, u32 access, bool l2_ept, u64 eptp,
			      u64 *gpa_out, u64 *qual);

/* l2gpa -> l1gpa through EPT12 in software, for emulation and page walks in L2. */
enum mm_fault_result mdp_translate(struct vcpu *v, u64 eptp, u64 l2gpa, u32 access, u64 *l1gpa,
				   u64 *qual);
/* INVEPT by L1: all contexts (single = false) or the one of @eptp. */
void mdp_invept(struct vcpu *v, bool single, u64 eptp);
/* Host page behind an L1 frame, for pages that hardware reads directly (virtual-APIC page,
 * APIC-access page): hpa or 0; *ref identifies it to mm_unpin(). Released on invalidation:
 * the vCPU gets REQ_L2_PAGES and must ask again. */
u64 mm_pin_gfn(struct vcpu *v, u64 gfn, void **ref);
void mm_unpin_gfn(struct vcpu *v, void *ref, bool dirty);
/* Bytes of page tables, snapshots and indices held for this VM. */
size_t vm_mm_footprint(struct vm *vm);
/* Leaves in the tdp and in all composed trees: [1] 4K, [2] 2M, [3] 1G. Takes a while. */
void vm_mm_leaf_counts(struct vm *vm, u64 tdp[4], u64 mdp[4]);

#endif /* TURTLES_MM_MM_H */
