// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: SIGKILL in every call, while it is seen to sleep, or while calls are made one
 * after the other. Afterwards the queue works, and what is left is what can be seen.
 */
#include "msg_queue.h"

#define KEY    0x6d627000
#define VICTIM 4711

static struct message message = { .type = 1 };

/* What is said to be in it can be taken, and then it is empty and takes messages. */
static void expect_works(int id)
{
	msgqnum_t number = queue_stat(id).msg_qnum;
	struct taken taken;

	for (; number; number--) {
		taken = queue_take(id, 0, IPC_NOWAIT);
		EXPECT_LE(0, taken.length);
	}
	EXPECT_EQ(-ENOMSG, queue_take(id, 0, IPC_NOWAIT).length);
	EXPECT_EQ(0, queue_stat(id).msg_qnum);
	EXPECT_EQ(0, queue_stat(id).__msg_cbytes);
	EXPECT_EQ(0, queue_send(id, 9, "works", IPC_NOWAIT));
	EXPECT_TAKEN(id, 0, 0, 9, "works");
}

static void kill_asleep(int id, ssize_t (*call)(int id))
{
	unsigned int rounds = effort(20);

	while (rounds--) {
		pid_t pid = child_fork();

		if (!pid) {
			call(id);
			_exit(1);
		}
		wait_sleeping(pid, pid);
		child_kill(pid);
	}
}

static ssize_t receive_any(int id)
{
	return msgrcv(id, &message, 10, 0, 0);
}

static ssize_t receive_type(int id)
{
	return msgrcv(id, &message, 10, 5, 0);
}

static ssize_t receive_up_to(int id)
{
	return msgrcv(id, &message, 10, -5, 0);
}

static ssize_t receive_except(int id)
{
	return msgrcv(id, &message, 10, 5, MSG_EXCEPT);
}

static ssize_t send_one(int id)
{
	return msgsnd(id, &message, 10, 0);
}

TEST_F(queue, asleep_in_msgrcv)
{
	kill_asleep(self->id, receive_any);
	kill_asleep(self->id, receive_type);
	kill_asleep(self->id, receive_up_to);
	kill_asleep(self->id, receive_except);
	expect_works(self->id);
}

TEST_F(queue, asleep_in_msgsnd)
{
	queue_set_bytes(self->id, 10);
	ASSERT_EQ(0, TRY(send_one(self->id)));
	kill_asleep(self->id, send_one);
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
	expect_works(self->id);
}

/* One after the other, until killed: told by the counter how far it is. */
static void kill_running(int id, void (*call)(int id), uid_t uid)
{
	unsigned int *counter = flag_new(), rounds = effort(30), round;

	for (round = 0; round < rounds; round++) {
		unsigned int begun = flag_read(counter);
		pid_t pid = child_fork();

		if (!pid) {
			if (uid)
				become(uid);
			for (;;) {
				call(id);
				flag_raise(counter);
			}
		}
		/* Each round another place: nothing of it is timed. */
		flag_await(counter, begun + 1 + round % 7);
		child_kill(pid);
	}
}

static void send_and_receive(int id)
{
	ASSERT_EQ(0, TRY(msgsnd(id, &message, 10, 0)));
	ASSERT_EQ(10, TRY(msgrcv(id, &message, 10, 0, 0)));
}

static void receive_or_not(int id)
{
	msgrcv(id, &message, 10, 3, IPC_NOWAIT | MSG_NOERROR);
	msgrcv(id, &message, 10, 0, IPC_NOWAIT | MSG_COPY);
}

static void change(int id)
{
	struct msqid_ds queue = queue_stat(id);

	queue.msg_perm.mode ^= 0066;
	queue.msg_qbytes = queue.msg_qbytes == 16384 ? 8192 : 16384;
	ASSERT_EQ(0, TRY(msgctl(id, IPC_SET, &queue)));
}

static void ask(int id)
{
	struct msqid_ds queue;
	struct msginfo info;

	ASSERT_EQ(0, TRY(msgctl(id, IPC_STAT, &queue)));
	msgctl(0, MSG_STAT, &queue);
	msgctl(0, MSG_STAT_ANY, &queue);
	ASSERT_LE(0, TRY(msgctl(0, IPC_INFO, (struct msqid_ds *)&info)));
	ASSERT_LE(0, TRY(msgctl(0, MSG_INFO, (struct msqid_ds *)&info)));
}

TEST_F(queue, running_msgsnd_and_msgrcv)
{
	kill_running(self->id, send_and_receive, 0);
	EXPECT_GE(effort(30), queue_stat(self->id).msg_qnum);
	expect_works(self->id);
}

TEST_F(queue, running_msgrcv_without_waiting)
{
	ASSERT_EQ(0, queue_send(self->id, 1, "stays", 0));
	kill_running(self->id, receive_or_not, 0);
	EXPECT_EQ(1, queue_stat(self->id).msg_qnum);
	expect_works(self->id);
}

TEST_F(queue, running_ipc_set)
{
	kill_running(self->id, change, 0);
	queue_set_bytes(self->id, 16384);
	expect_works(self->id);
}

TEST_F(queue, running_ipc_stat_and_info)
{
	kill_running(self->id, ask, 0);
	expect_works(self->id);
}

static void make_and_remove(int id)
{
	(void)id;
	queue_remove(queue_new_mode(0600));
}

static void make_and_remove_by_key(int id)
{
	(void)id;
	id = msgget(KEY, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	queue_remove(id);
}

/* All that somebody has made, as far as it is to be seen. Returns how many there were. */
static int remove_all_of(uid_t uid)
{
	int index, last, id, removed = 0;
	struct msqid_ds queue;
	struct msginfo info;

	last = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
	ASSERT_LE(0, last);
	for (index = last; index >= 0; index--) {
		id = msgctl(index, MSG_STAT, &queue);
		if (id < 0 || queue.msg_perm.cuid != uid)
			continue;
		queue_remove(id);
		removed++;
	}
	return removed;
}

TEST(running_msgget_and_ipc_rmid)
{
	kill_running(0, make_and_remove, VICTIM);
	EXPECT_GE(effort(30), remove_all_of(VICTIM));
	EXPECT_EQ(0, remove_all_of(VICTIM));
}

TEST(running_msgget_of_a_key)
{
	int id;

	kill_running(0, make_and_remove_by_key, VICTIM);
	id = msgget(KEY, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	expect_works(id);
	queue_remove(id);
	EXPECT_EQ(0, remove_all_of(VICTIM));
}

/* Who waits is not left behind by who was to wake it. */
TEST_F(queue, receivers_go_on_without_the_killed)
{
	pid_t victim, waiter;

	waiter = child_fork();
	if (!waiter)
		_exit(msgrcv(self->id, &message, 10, 8, 0) < 0);
	wait_sleeping(waiter, waiter);
	victim = child_fork();
	if (!victim) {
		msgrcv(self->id, &message, 10, 8, 0);
		_exit(1);
	}
	wait_sleeping(victim, victim);
	child_kill(victim);
	ASSERT_EQ(0, queue_send(self->id, 8, "x", 0));
	child_done(waiter);
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
}

TEST_HARNESS_MAIN
