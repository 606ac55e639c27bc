/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that a payload runs in, for user-space programs that are its VMM: the payload runner,
 * and tests/inject.
 *
 * The payload is loaded at LOAD_AT and started there in real mode, as a boot sector is. Of the ports
 * that it talks to, 0xf4 ends the run with the written byte as exit status, and 0xf0-0xf3 are plain
 * latches: what was written is read back. MMIO_BASE is a page of device memory that behaves like a
 * latch array.
 */
#ifndef TESTS_GUESTS_MACHINE_H
#define TESTS_GUESTS_MACHINE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_SIZE	   (64u << 20)
#define LOAD_AT		   0x7c00u
#define MMIO_BASE	   0xd0000000ull

#define CPUID_TSC_DEADLINE (1u << 24) /* leaf 1, ECX */

struct cpuid_list {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[256];
};

/* What messages begin with; the program's own. */
extern const char program[];

/* machine.c: its parts; what cannot be made ends the program with status 125 */
extern int kvm;
_Noreturn void die(const char *what);
int call(int fd, unsigned long req, void *arg, const char *what);
void open_kvm(const char *device);
int new_vm(void);
int run_size(void);
int new_vcpu(int vm, uint32_t id, struct kvm_run **run);
void *map_memory(size_t size);
void set_slot(int vm, uint32_t slot, uint64_t gpa, void *at, uint64_t size);
void get_supported_cpuid(struct cpuid_list *c);
void intel_cpuid(struct cpuid_list *c, uint32_t apic_id, bool kernel_apic);
void start_at_payload(int vcpu);
void load(uint8_t *mem, const char *path);

/*
 * A program's own ports: serves one access, to or from @data. False: it is none of them.
 */
typedef bool (*port_server)(struct kvm_run *run, uint8_t *data, void *arg);

/* devices.c: what it does at exits */
extern uint8_t latch[4];
bool is_out(const struct kvm_run *run);
void put_port(const struct kvm_run *run, uint8_t *data, uint32_t value);
int port_io(struct kvm_run *run, port_server own, void *arg);
void device_memory(struct kvm_run *run);

#endif /* TESTS_GUESTS_MACHINE_H */
