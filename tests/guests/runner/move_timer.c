// SPDX-License-Identifier: GPL-2.0-only
/* When the VM is moved: -m microseconds after the last move, now more, now less. */
#include <signal.h>
#include <time.h>

#include "runner.h"

static volatile sig_atomic_t due;
static struct kvm_run *volatile the_run; /* of the vCPU that is moved */

/**
 * move_soon - move the VM at the vCPU's next KVM_RUN
 *
 * Also when that is about to begin: immediate_exit makes it return at once. Called by a signal
 * handler too.
 */
void move_soon(void)
{
	due = 1;
	if (the_run)
		the_run->immediate_exit = 1;
}

static void on_timer(int sig)
{
	(void)sig;
	move_soon();
}

/* One shot, since moving itself takes time; 0 stops it. */
static void set_timer(long ns)
{
	static timer_t timer;
	static bool made;
	struct itimerspec in = { .it_value = { ns / 1000000000, ns % 1000000000 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

	if (!made) {
		signal(SIGUSR1, on_timer);
		if (timer_create(CLOCK_MONOTONIC, &ev, &timer))
			die("timer_create");
	}
	made = true;
	due = 0;
	if (timer_settime(timer, 0, &in, NULL))
		die("timer_settime");
}

/* From now on; up to seven times -m passes between two moves. */
void start_moving(struct vcpu *c)
{
	the_run = c->run;
	set_timer(move_us * 1000l * (1 + moves % 7));
}

/* After a KVM_RUN that has ended with EINTR; false if that was not for the VM to be moved. */
bool move_if_due(struct vcpu *c)
{
	if (!due)
		return false;
	the_run = NULL;
	c->run->immediate_exit = 0;
	/* After port 0xb9 it is still to come: no ioctl of the move may end with EINTR. */
	set_timer(0);
	pthread_mutex_lock(&lock);
	move_vm(c);
	pthread_mutex_unlock(&lock);
	start_moving(c);
	return true;
}
