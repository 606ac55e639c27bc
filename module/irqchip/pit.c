// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254 interval timer: three counters at ports 0x40-0x43, and the speaker port 0x61 when
 * user space asks for it. Counter 0 drives GSI 0 through a vtimer. Called by the bus and api/.
 *
 * A tick whose predecessor is not yet acknowledged is kept and sent at the acknowledgement
 * ("reinject"), so that guests which count ticks keep time.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "irqchip/chip.h"

#define PIT_HZ		  1193182u
#define NS_PER_SEC	  1000000000u
#define PIT_MIN_PERIOD_NS 200000ull /* what the host is prepared to serve */
#define PIT_MAX_PENDING	  1000u

#define PORT_PIT	  0x40
#define PORT_CONTROL	  0x43
#define PORT_SPEAKER	  0x61

/* In struct kvm_pit_channel_state, as stock KVM has it: a counter that nobody has programmed. */
#define MODE_UNUSED 0xff

enum rw_state { RW_LSB = 1, RW_MSB, RW_WORD0, RW_WORD1 };

/* The names of struct kvm_pit_channel_state. */
struct counter {
	u32 count; /* 1 to 65536, binary */
	u16 latched_count;
	u8 count_latched; /* enum rw_state of what is still to be read; 0 = none */
	u8 status_latched, status;
	u8 read_state, write_state, write_latch, rw_mode;
	u8 mode, bcd, gate;
	bool unused;	 /* no control word yet: no ticks, whatever its count is */
	bool null_count; /* programmed, but no count written yet */
	u64 load_ns;
};

struct pit {
	spinlock_t lock;
	struct irqchip *ic;
	struct io_dev dev, speaker_dev;
	bool speaker_port;
	struct counter c[3];
	bool speaker_on;
	bool hpet_legacy; /* the HPET has taken over GSI 0 */

	struct vtimer *vt;
	bool armed, periodic;
	u64 target_ns, period_ns;
	bool reinject;
	bool acked;  /* the last tick was acknowledged */
	u32 pending; /* ticks waiting for that */
	struct irq_ack_notifier ack;
};

static u64 ticks_since_load(const struct counter *c)
{
	return mul_u64_u32_div(env_now_ns() - c->load_ns, PIT_HZ, NS_PER_SEC);
}

static u32 modulus(const struct counter *c)
{
	return c->bcd ? 10000 : 0x10000;
}

static u32 to_bcd(u32 n)
{
	return n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 | n / 1000 % 10 << 12;
}

static u32 from_bcd(u32 n)
{
	return (n & 0xf) + (n >> 4 & 0xf) * 10 + (n >> 8 & 0xf) * 100 + (n >> 12 & 0xf) * 1000;
}

/* The 16 bits that a read of the counting element gives. */
static u16 current_count(const struct counter *c)
{
	u64 t = ticks_since_load(c);
	u32 rest, n;

	switch (c->mode) {
	case 2:
		div64_u64_rem(t, c->count, &t);
		n = c->count - (u32)t;
		break;
	case 3: /* counts by two, twice per period */
		div64_u64_rem(2 * t, c->count, &t);
		n = c->count - (u32)t;
		break;
	default:
		div64_u64_rem(t, modulus(c), &t);
		rest = (u32)t;
		n = c->count >= rest ? c->count - rest : c->count + modulus(c) - rest;
	}
	n %= modulus(c);
	return c->bcd ? to_bcd(n) : n;
}

/* Level of the OUT pin. */
static bool out_pin(const struct counter *c)
{
	u64 t = ticks_since_load(c), phase;

	if (c->null_count)
		return c->mode != 0;
	switch (c->mode) {
	case 0:
		return t >= c->count;
	case 1:
		return t >= c->count;
	case 2:
		div64_u64_rem(t, c->count, &phase);
		return phase != c->count - 1;
	case 3:
		div64_u64_rem(t, c->count, &phase);
		return phase < (c->count + 1) / 2;
	default:
		return t != c->count;
	}
}

static void timer_stop(struct pit *pit)
{
	pit->armed = false;
	vtimer_cancel(pit->vt);
}

/* Counter 0 was loaded: when does its OUT rise? */
static void timer_restart(struct pit *pit)
{
	struct counter *c = &pit->c[0];
	u64 ns = div_u64((u64)c->count * NS_PER_SEC, PIT_HZ);

	timer_stop(pit);
	pit->pending = 0;
	pit->acked = true;
	if (pit->hpet_legacy || c->unused || c->mode == 1 || c->mode == 5)
		return; /* modes 1 and 5 wait for a gate edge that counter 0 never gets */
	pit->periodic = c->mode == 2 || c->mode == 3;
	pit->period_ns = pit->periodic ? max_t(u64, ns, PIT_MIN_PERIOD_NS) : ns;
	pit->target_ns = c->load_ns + pit->period_ns;
	pit->armed = true;
	vtimer_start(pit->vt, pit->target_ns);
}

static void load_count(struct pit *pit, unsigned int nr, u32 val)
{
	struct counter *c = &pit->c[nr];

	if (c->bcd)
		val = from_bcd(val);
	c->count = val ? val : modulus(c);
	c->null_count = false;
	c->load_ns = env_now_ns();
	if (nr == 0)
		timer_restart(pit);
}

static void latch_count(struct counter *c)
{
	if (c->count_latched)
		return;
	c->latched_count = current_count(c);
	c->count_latched = c->rw_mode;
}

static void latch_status(struct counter *c)
{
	if (c->status_latched)
		return;
	c->status = out_pin(c) << 7 | c->null_count << 6 | (c->rw_mode & 3) << 4 | c->mode << 1 |
		    c->bcd;
	c->status_latched = 1;
}

static void write_control(struct pit *pit, u8 val)
{
	unsigned int nr = val >> 6, rw = val >> 4 & 3, i;
	struct counter *c;

	if (nr == 3) { /* read-back command */
		for (i = 0; i < 3; i++) {
			if (!(val & 2u << i))
				continue;
			if (!(val & 0x20))
				latch_count(&pit->c[i]);
			if (!(val & 0x10))
				latch_status(&pit->c[i]);
		}
		return;
	}
	c = &pit->c[nr];
	if (!rw) {
		latch_count(c);
		return;
	}
	c->rw_mode = c->read_state = c->write_state = rw;
	c->mode = val >> 1 & 7;
	if (c->mode > 5)
		c->mode -= 4;
	c->bcd = val & 1;
	c->unused = false;
	c->null_count = true;
	c->count_latched = 0;
	c->status_latched = 0;
	if (nr == 0)
		timer_stop(pit);
}

static void write_counter(struct pit *pit, unsigned int nr, u8 val)
{
	struct counter *c = &pit->c[nr];

	switch (c->write_state) {
	case RW_LSB:
		load_count(pit, nr, val);
		break;
	case RW_MSB:
		load_count(pit, nr, val << 8);
		break;
	case RW_WORD0:
		c->write_latch = val;
		c->write_state = RW_WORD1;
		break;
	case RW_WORD1:
		c->write_state = RW_WORD0;
		load_count(pit, nr, c->write_latch | val << 8);
		break;
	}
}

static u8 read_latched(struct counter *c)
{
	u8 step = c->count_latched;

	c->count_latched = step == RW_WORD0 ? RW_MSB : 0;
	return step == RW_MSB ? c->latched_count >> 8 : c->latched_count;
}

static u8 read_counter(struct counter *c)
{
	u16 now;

	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->count_latched)
		return read_latched(c);
	now = current_count(c);
	switch (c->read_state) {
	case RW_MSB:
		return now >> 8;
	case RW_WORD0:
		c->read_state = RW_WORD1;
		return now;
	case RW_WORD1:
		c->read_state = RW_WORD0;
		return now >> 8;
	default:
		return now;
	}
}

static void set_gate(struct counter *c, u8 gate)
{
	/* A rising edge restarts modes 1, 2, 3 and 5; the level gating of 0 and 4 is not
	 * modelled, no PC software can tell with counter 2. */
	if (gate && !c->gate && c->mode != 0 && c->mode != 4)
		c->load_ns = env_now_ns();
	c->gate = gate;
}

static int pit_read(struct vcpu *v, struct io_dev *dev, u64 addr, int len, void *val)
{
	struct pit *pit = container_of(dev, struct pit, dev);
	unsigned long flags;
	int i;

	spin_lock_irqsave(&pit->lock, flags);
	for (i = 0; i < len; i++) {
		u64 nr = addr + i - PORT_PIT;

		((u8 *)val)[i] = nr < 3 ? read_counter(&pit->c[nr]) : nr == 3 ? 0 : 0xff;
	}
	spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}

static int pit_write(struct vcpu *v, struct io_dev *dev, u64 addr, int len, const void *val)
{
	struct pit *pit = container_of(dev, struct pit, dev);
	unsigned long flags;
	int i;

	spin_lock_irqsave(&pit->lock, flags);
	for (i = 0; i < len; i++) {
		u8 byte = ((const u8 *)val)[i];

		if (addr + i == PORT_CONTROL)
			write_control(pit, byte);
		else if (addr + i < PORT_CONTROL)
			write_counter(pit, addr + i - PORT_PIT, byte);
	}
	spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}

static int speaker_read(struct vcpu *v, struct io_dev *dev, u64 addr, int len, void *val)
{
	struct pit *pit = container_of(dev, struct pit, speaker_dev);
	unsigned long flags;
	/* The refresh bit toggles about every 15 us: old software times loops by it. */
	u8 refresh = div_u64(env_now_ns(), 15085) & 1;

	memset(val, 0xff, len);
	spin_lock_irqsave(&pit->lock, flags);
	*(u8 *)val = pit->c[2].gate | pit->speaker_on << 1 | refresh << 4 |
		     out_pin(&pit->c[2]) << 5;
	spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}

static int speaker_write(struct vcpu *v, struct io_dev *dev, u64 addr, int len, const void *val)
{
	struct pit *pit = container_of(dev, struct pit, speaker_dev);
	u8 byte = *(const u8 *)val;
	unsigned long flags;

	spin_lock_irqsave(&pit->lock, flags);
	pit->speaker_on = byte & 2;
	set_gate(&pit->c[2], byte & 1);
	spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}

/* One tick on GSI 0. Not under pit->lock. */
static void pulse(struct pit *pit)
{
	unsigned long flags;
	int ret = irq_set(pit->ic->vm, IRQ_SOURCE_PIT, 0, 1);

	irq_set(pit->ic->vm, IRQ_SOURCE_PIT, 0, 0);
	if (ret >= 0)
		return;
	/* Masked everywhere: nobody will acknowledge, nobody misses it. */
	spin_lock_irqsave(&pit->lock, flags);
	pit->acked = true;
	pit->pending = 0;
	spin_unlock_irqrestore(&pit->lock, flags);
}

static void timer_fn(void *arg)
{
	struct pit *pit = arg;
	bool fire = false;
	unsigned long flags;
	u64 now;

	spin_lock_irqsave(&pit->lock, flags);
	now = env_now_ns();
	if (pit->armed && now < pit->target_ns) {
		vtimer_start(pit->vt, pit->target_ns);
	} else if (pit->armed) {
		fire = true;
		pit->armed = pit->periodic;
		if (pit->periodic) {
			pit->target_ns += pit->period_ns;
			vtimer_start(pit->vt, pit->target_ns);
		}
		if (pit->reinject && !pit->acked) {
			pit->pending = min(pit->pending + 1, PIT_MAX_PENDING);
			fire = false;
		}
		pit->acked = false;
	}
	spin_unlock_irqrestore(&pit->lock, flags);
	if (fire)
		pulse(pit);
}

static void pit_acked(struct irq_ack_notifier *n)
{
	struct pit *pit = container_of(n, struct pit, ack);
	unsigned long flags;
	bool again;

	spin_lock_irqsave(&pit->lock, flags);
	again = pit->reinject && pit->pending;
	if (again)
		pit->pending--;
	pit->acked = !again;
	spin_unlock_irqrestore(&pit->lock, flags);
	if (again)
		pulse(pit);
}

static const struct io_dev_ops pit_ops = { .read = pit_read, .write = pit_write };
static const struct io_dev_ops speaker_ops = { .read = speaker_read, .write = speaker_write };

static struct pit *pit_alloc(struct irqchip *ic)
{
	struct pit *pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!pit)
		return NULL;
	pit->vt = vtimer_alloc(timer_fn, pit);
	if (!pit->vt) {
		kfree(pit);
		return NULL;
	}
	spin_lock_init(&pit->lock);
	pit->ic = ic;
	pit->dev.ops = &pit_ops;
	pit->speaker_dev.ops = &speaker_ops;
	pit->reinject = true;
	pit->acked = true;
	pit->ack.acked = pit_acked;
	for (i = 0; i < 3; i++) {
		pit->c[i].unused = true;
		pit->c[i].mode = 3;
		pit->c[i].gate = i != 2;
		pit->c[i].count = 0x10000;
		pit->c[i].rw_mode = pit->c[i].read_state = pit->c[i].write_state = RW_WORD0;
		pit->c[i].load_ns = env_now_ns();
	}
	return pit;
}

/** pit_create - KVM_CREATE_PIT2; -ENXIO without the full irqchip, -EEXIST twice */
int pit_create(struct vm *vm, u32 flags)
{
	struct irqchip *ic = env_irqchip(vm);
	struct pit *pit;
	int err;

	if (!ic || ic->split)
		return -ENXIO;
	if (flags & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	if (ic->pit)
		return -EEXIST;
	pit = pit_alloc(ic);
	if (!pit)
		return -ENOMEM;
	err = vm_bus_register(vm, BUS_PIO, PORT_PIT, 4, &pit->dev);
	if (err)
		goto fail;
	if (flags & KVM_PIT_SPEAKER_DUMMY) {
		err = vm_bus_register(vm, BUS_PIO, PORT_SPEAKER, 1, &pit->speaker_dev);
		if (err) {
			vm_bus_unregister(vm, BUS_PIO, &pit->dev);
			goto fail;
		}
	}
	ic->pit = pit;
	irq_ack_register(vm, &pit->ack);
	return 0;
fail:
	pit_free(pit);
	return err;
}

void pit_free(struct pit *pit)
{
	unsigned long flags;

	if (!pit)
		return;
	spin_lock_irqsave(&pit->lock, flags);
	timer_stop(pit);
	spin_unlock_irqrestore(&pit->lock, flags);
	vtimer_free(pit->vt);
	kfree(pit);
}

static struct pit *vm_pit(struct vm *vm)
{
	struct irqchip *ic = env_irqchip(vm);

	return ic ? ic->pit : NULL;
}

int pit_get_state(struct vm *vm, struct kvm_pit_state2 *s)
{
	struct pit *pit = vm_pit(vm);
	unsigned long flags;
	unsigned int i;

	if (!pit)
		return -ENXIO;
	memset(s, 0, sizeof(*s));
	spin_lock_irqsave(&pit->lock, flags);
	for (i = 0; i < 3; i++) {
		const struct counter *c = &pit->c[i];

		s->channels[i] = (struct kvm_pit_channel_state){
			.count = c->count,
			.latched_count = c->latched_count,
			.count_latched = c->count_latched,
			.status_latched = c->status_latched,
			.status = c->status,
			.read_state = c->read_state,
			.write_state = c->write_state,
			.write_latch = c->write_latch,
			.rw_mode = c->rw_mode,
			.mode = c->unused ? MODE_UNUSED : c->mode,
			.bcd = c->bcd,
			.gate = c->gate,
			.count_load_time = c->load_ns,
		};
	}
	s->flags = (pit->hpet_legacy ? KVM_PIT_FLAGS_HPET_LEGACY : 0) |
		   (pit->speaker_on ? 0x2 /* KVM_PIT_FLAGS_SPEAKER_DATA_ON */ : 0);
	spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}

static u8 valid_rw(u8 state)
{
	return state >= RW_LSB && state <= RW_WORD1 ? state : RW_WORD0;
}

static void set_counter(struct counter *c, const struct kvm_pit_channel_state *s)
{
	c->bcd = s->bcd & 1;
	c->unused = s->mode == MODE_UNUSED;
	c->mode = s->mode > 5 ? s->mode & 3 : s->mode;
	c->count = s->count && s->count <= modulus(c) ? s->count : modulus(c);
	c->latched_count = s->latched_count;
	c->count_latched = s->count_latched ? valid_rw(s->count_latched) : 0;
	c->status_latched = !!s->status_latched;
	c->status = s->status;
	c->read_state = valid_rw(s->read_state);
	c->write_state = valid_rw(s->write_state);
	c->write_latch = s->write_latch;
	c->rw_mode = valid_rw(s->rw_mode);
	c->gate = s->gate & 1;
	c->null_count = false;
	c->load_ns = env_now_ns();
}

/** pit_set_state - KVM_SET_PIT2: the counters that are in use start over from their counts */
int pit_set_state(struct vm *vm, const struct kvm_pit_state2 *s)
{
	struct pit *pit = vm_pit(vm);
	unsigned long flags;
	unsigned int i;

	if (!pit)
		return -ENXIO;
	spin_lock_irqsave(&pit->lock, flags);
	for (i = 0; i < 3; i++)
		set_counter(&pit->c[i], &s->channels[i]);
	pit->hpet_legacy = s->flags & KVM_PIT_FLAGS_HPET_LEGACY;
	pit->speaker_on = s->flags & 0x2;
	timer_restart(pit);
	spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}

int pit_reinject(struct vm *vm, const struct kvm_reinject_control *c)
{
	struct pit *pit = vm_pit(vm);
	unsigned long flags;

	if (!pit)
		return -ENXIO;
	spin_lock_irqsave(&pit->lock, flags);
	pit->reinject = c->pit_reinject;
	pit->pending = 0;
	pit->acked = true;
	spin_unlock_irqrestore(&pit->lock, flags);
	return 0;
}
