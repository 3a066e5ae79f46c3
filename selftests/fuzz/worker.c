// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <linux/mailbox.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "frame.h"
#include "worker.h"

static unsigned int me;
static bool is_child;
/* A child has none of its own, and must not disturb its parent's. */
static struct cover *cover, no_cover;

void futex_wait(__u32 *word, __u32 value)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

void futex_wake(__u32 *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void slot_set(unsigned int slot, int fd, enum file_kind kind, __u64 id)
{
	shared->slots[slot] = (struct slot){ .fd = fd, .kind = kind, .id = id };
}

/* The call is the next thing in which something fails. */
static void fail_in_kernel(unsigned int nth)
{
	char text[16];

	shared->workers[me].failing = nth;
	snprintf(text, sizeof(text), "%u", nth);
	if (write(FD_FAIL + me, text, strlen(text)) < 0 && nth)
		return;
}

static void remember_handle(const struct frame *frame)
{
	struct mailbox_restrict derived;
	struct mailbox_create create;
	struct mailbox_open open;

	if (frame->call->op == OP_CREATE) {
		memcpy(&create, frame->at, sizeof(create));
		slot_set(frame->call->other, create.fd, FILE_HANDLE, create.id);
		shared->last_id = create.id;
	} else if (frame->call->op == OP_RESTRICT) {
		memcpy(&derived, frame->at, sizeof(derived));
		slot_set(frame->call->other, derived.fd, FILE_HANDLE,
			 shared->slots[frame->call->slot].id);
		shared->last_grant = derived.grant;
	} else {
		memcpy(&open, frame->at, sizeof(open));
		slot_set(frame->call->other, open.fd, FILE_HANDLE, open.id);
	}
}

/*
 * Who uses direct communication has an inbox, as has who is sent to; both must end. One that
 * fails has left none.
 */
static void note_inboxes(const struct frame *frame, int by)
{
	pid_t pid = frame_pid(frame);
	unsigned int i;

	for (i = 0; i < WORKERS; i++)
		if ((i == me && !is_child) || shared->workers[i].pid == pid)
			__atomic_fetch_add(&shared->workers[i].inboxes, by, __ATOMIC_RELAXED);
}

static bool makes_inboxes(__u32 cmd)
{
	return cmd == MAILBOX_IOC_SEND_TO || cmd == MAILBOX_IOC_RECEIVE_FROM ||
	       cmd == MAILBOX_IOC_ALLOW;
}

static void remember_process(const struct frame *frame)
{
	struct mailbox_direct direct;

	memcpy(&direct, frame->at, sizeof(direct));
	if (direct.flags & MAILBOX_IDENTIFY)
		shared->last_process = direct.process;
}

static int call_layout(const struct call *call)
{
	static struct frame frame;
	int ret;

	frame_build(&frame, call);
	frame_place(&frame);
	if (makes_inboxes(frame.cmd))
		note_inboxes(&frame, 1);
	if (frame.fail_nth)
		fail_in_kernel(frame.fail_nth);
	ret = ioctl(shared->slots[call->slot].fd, frame.cmd, frame.at) ? -errno : 0;
	if (frame.fail_nth)
		fail_in_kernel(0);
	if (ret && makes_inboxes(frame.cmd))
		note_inboxes(&frame, -1);
	frame_check(&frame, ret);
	if (!ret && !is_child && frame.whole && frame.cmd == frame.layout->cmd &&
	    (call->op == OP_CREATE || call->op == OP_OPEN || call->op == OP_RESTRICT))
		remember_handle(&frame);
	else if (!ret && call->op == OP_SEND_TO && frame.whole && frame.cmd == frame.layout->cmd)
		remember_process(&frame);
	return ret;
}

static void carry_out(unsigned int index)
{
	const struct call *call = &shared->program.calls[index];
	int ret;

	cover_begin_call(cover, call->op);
	ret = call->op < OP_LAYOUTS ? call_layout(call) : call_plain(call, index);
	cover_end_call(cover);
	cover_result(call->op, ret < 0 ? -ret : 0);
}

/* The child keeps copies of all descriptors until it is killed. */
static void child_main(unsigned int index, bool ends)
{
	is_child = true;
	cover = &no_cover;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A new descriptor would be nobody else's. */
	if (index < shared->program.nr && shared->program.calls[index].op <= OP_POLL)
		carry_out(index);
	while (!ends)
		pause();
	_exit(0);
}

int worker_spawn(const struct call *call, unsigned int index)
{
	pid_t *child = &shared->children[call->other % CHILDREN_MAX];
	pid_t pid;

	if (is_child || *child)
		return 0;
	/* A child of the dispatcher, which also outlives this worker. */
	pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
	if (!pid)
		child_main(index + 1, call_argument(call, 0, 0) & 1);
	if (pid < 0)
		return -errno;
	*child = pid;
	shared->last_child = pid;
	return 0;
}

static void carry_out_all(unsigned int first, unsigned int end)
{
	struct worker *self = &shared->workers[me];
	unsigned int i;

	for (i = first; i < end; i++) {
		__atomic_store_n(&self->now, i, __ATOMIC_RELEASE);
		carry_out(i);
	}
}

static void nothing(int signal)
{
	(void)signal;
}

/* One signal ends a call, the other lets it start again. */
static void take_signals(void)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGALRM, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void become_somebody(void)
{
	struct rlimit few = { FDS_OF_WORKERS, FDS_OF_WORKERS };
	gid_t gid = 0;
	uid_t uid = 0;

	setrlimit(RLIMIT_NOFILE, &few);
	if (me == WORKER_NAMESPACE) {
		while (__atomic_load_n(&shared->workers[me].stage, __ATOMIC_ACQUIRE) !=
		       STAGE_MAPPED)
			sched_yield();
	} else if (me == WORKER_PLAIN) {
		uid = UID_PLAIN;
		gid = UID_PLAIN;
	}
	if (me >= WORKER_PLAIN &&
	    (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)))
		die("worker %u cannot become a user: %s", me, strerror(errno));
}

void worker_main(unsigned int nr)
{
	struct worker *self = &shared->workers[nr];
	__u32 order;
	int fd;

	me = nr;
	cover = &self->cover;
	take_signals();
	become_somebody();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Belongs to the network namespace of this worker. */
	fd = open("/dev/mailbox", O_RDWR | O_CLOEXEC);
	if (fd < 0 || dup3(fd, FD_DEVICE + nr, O_CLOEXEC) < 0)
		die("worker %u: /dev/mailbox: %s", nr, strerror(errno));
	close(fd);
	cover_start(cover, FD_COVER + nr);
	__atomic_store_n(&self->stage, STAGE_READY, __ATOMIC_RELEASE);

	for (;;) {
		order = __atomic_load_n(&self->order, __ATOMIC_ACQUIRE);
		if (order == self->done) {
			futex_wait(&self->order, order);
			continue;
		}
		carry_out_all(self->first, self->end);
		__atomic_store_n(&self->done, order, __ATOMIC_RELEASE);
	}
}
