// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages: making and finding a queue, and what is sent is received.
 */
#include "msg_queue.h"

#define KEY 0x6d626f78

TEST(private_queues_are_new)
{
	int one = queue_new_mode(0600), two = queue_new_mode(0600);

	EXPECT_NE(one, two);
	queue_remove(one);
	queue_remove(two);
}

TEST(key_finds_the_queue)
{
	int id = msgget(KEY, IPC_CREAT | 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(id, TRY(msgget(KEY, 0)));
	EXPECT_EQ(id, TRY(msgget(KEY, 0600)));
	EXPECT_EQ(id, TRY(msgget(KEY, IPC_CREAT | 0600)));
	queue_remove(id);
	EXPECT_EQ(-ENOENT, TRY(msgget(KEY, 0600)));
}

TEST(exclusive_makes_or_fails)
{
	int id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(-EEXIST, TRY(msgget(KEY, IPC_CREAT | IPC_EXCL | 0600)));
	EXPECT_EQ(id, TRY(msgget(KEY, IPC_EXCL | 0600)));
	queue_remove(id);
}

TEST(key_is_free_when_the_queue_is_removed)
{
	int old = msgget(KEY, IPC_CREAT | 0600), new;

	ASSERT_LE(0, old);
	queue_remove(old);
	new = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, new);
	EXPECT_NE(old, new);
	queue_remove(new);
}

TEST(keys_of_ftok_differ)
{
	key_t one = ftok("/tmp", 'a'), two = ftok("/tmp", 'b');
	int first, second;

	ASSERT_NE(-1, one);
	ASSERT_NE(one, two);
	first = msgget(one, IPC_CREAT | 0600);
	second = msgget(two, IPC_CREAT | 0600);
	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	EXPECT_NE(first, second);
	EXPECT_EQ(first, TRY(msgget(ftok("/tmp", 'a'), 0)));
	queue_remove(first);
	queue_remove(second);
}

TEST(new_queue_is_empty_and_says_who_made_it)
{
	time_t before = time(NULL) - 1;
	struct msqid_ds queue;
	int id = msgget(KEY, IPC_CREAT | 0640);

	ASSERT_LE(0, id);
	queue = queue_stat(id);
	EXPECT_EQ(KEY, queue.msg_perm.__key);
	EXPECT_EQ(geteuid(), queue.msg_perm.uid);
	EXPECT_EQ(getegid(), queue.msg_perm.gid);
	EXPECT_EQ(geteuid(), queue.msg_perm.cuid);
	EXPECT_EQ(getegid(), queue.msg_perm.cgid);
	EXPECT_EQ(0640, queue.msg_perm.mode);
	EXPECT_EQ(0, queue.msg_qnum);
	EXPECT_EQ(0, queue.__msg_cbytes);
	EXPECT_EQ(0, queue.msg_lspid);
	EXPECT_EQ(0, queue.msg_lrpid);
	EXPECT_EQ(0, queue.msg_stime);
	EXPECT_EQ(0, queue.msg_rtime);
	EXPECT_LE(before, queue.msg_ctime);
	EXPECT_GE(time(NULL) + 1, queue.msg_ctime);
	queue_remove(id);
}

TEST(private_queue_has_no_key)
{
	int id = queue_new_mode(0600);

	EXPECT_EQ(IPC_PRIVATE, queue_stat(id).msg_perm.__key);
	queue_remove(id);
}

TEST(umask_does_not_matter)
{
	int id;

	umask(0777);
	id = queue_new_mode(0666);
	EXPECT_EQ(0666, queue_stat(id).msg_perm.mode);
	queue_remove(id);
}

TEST_F(queue, comes_out_as_it_went_in)
{
	ASSERT_EQ(0, queue_send(self->id, 7, "hello", 0));
	EXPECT_TAKEN(self->id, 0, 0, 7, "hello");
}

TEST_F(queue, every_byte_and_every_length)
{
	static struct message message, taken;
	size_t lengths[] = { 0, 1, 7, 8, 9, 255, 4096, 8191, 8192 }, i, k;

	for (i = 0; i < sizeof(message.text); i++)
		message.text[i] = i * 7 + i / 256;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		message.type = i + 1;
		ASSERT_EQ(0, TRY(msgsnd(self->id, &message, lengths[i], 0)));
		memset(&taken, 0xee, sizeof(taken));
		ASSERT_EQ(lengths[i], TRY(msgrcv(self->id, &taken, sizeof(taken.text), 0, 0)));
		EXPECT_EQ(message.type, taken.type);
		EXPECT_EQ(0, memcmp(message.text, taken.text, lengths[i]));
		for (k = lengths[i]; k < sizeof(taken.text); k++)
			if ((unsigned char)taken.text[k] != 0xee)
				break;
		EXPECT_EQ(sizeof(taken.text), k);
	}
}

TEST_F(queue, order_of_arrival)
{
	ASSERT_EQ(0, queue_send(self->id, 3, "one", 0));
	ASSERT_EQ(0, queue_send(self->id, 1, "two", 0));
	ASSERT_EQ(0, queue_send(self->id, 2, "three", 0));
	EXPECT_EQ(3, queue_stat(self->id).msg_qnum);
	EXPECT_EQ(4 + 4 + 6, queue_stat(self->id).__msg_cbytes);
	EXPECT_TAKEN(self->id, 0, 0, 3, "one");
	EXPECT_TAKEN(self->id, 0, 0, 1, "two");
	EXPECT_TAKEN(self->id, 0, 0, 2, "three");
	EXPECT_EQ(0, queue_stat(self->id).msg_qnum);
	EXPECT_EQ(0, queue_stat(self->id).__msg_cbytes);
}

TEST_F(queue, stays_when_its_maker_ends)
{
	pid_t pid = child_fork();
	int id;

	if (!pid) {
		id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
		_exit(id < 0 || queue_send(id, 5, "from a child", 0));
	}
	child_done(pid);
	id = msgget(KEY, 0600);
	ASSERT_LE(0, id);
	EXPECT_TAKEN(id, 0, 0, 5, "from a child");
	queue_remove(id);
}

TEST_F(queue, what_is_in_it_goes_with_it)
{
	ASSERT_EQ(0, queue_send(self->id, 1, "lost", 0));
	queue_remove(self->id);
	EXPECT_EQ(-EINVAL, queue_take(self->id, 0, IPC_NOWAIT).length);
}

TEST_HARNESS_MAIN
