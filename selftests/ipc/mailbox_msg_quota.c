// SPDX-License-Identifier: GPL-2.0
/*
 * SysV messages over mailboxes: a user whose quota is used up is told so. The script that runs
 * this sets the quota low; the kernel's own queues have none.
 */
#include "msg.h"

/* What mailbox.ko allows a user, from the script. */
static unsigned int quota(const char *name)
{
	const char *text = getenv(name);

	ASSERT_TRUE(text);
	return strtoul(text, NULL, 0);
}

TEST(messages_beyond_the_quota)
{
	pid_t pid = child_fork();

	if (!pid) {
		unsigned int sent = 0, most = quota("QUOTA_MESSAGES");
		int id;

		become(USER);
		id = queue_new_mode(0600);
		while (sent <= most && !queue_send(id, 1, "x", IPC_NOWAIT))
			sent++;
		EXPECT_LT(0, sent);
		EXPECT_GE(most, sent);
		EXPECT_EQ(-EDQUOT, queue_send(id, 1, "x", IPC_NOWAIT));
		EXPECT_EQ(-EDQUOT, queue_send(id, 1, "x", 0));
		EXPECT_EQ(sent, queue_stat(id).msg_qnum);
		EXPECT_TAKEN(id, 0, 0, 1, "x");
		EXPECT_EQ(0, queue_send(id, 1, "x", IPC_NOWAIT));
		queue_remove(id);
		_exit(0);
	}
	child_done(pid);
}

TEST(queues_beyond_the_quota)
{
	pid_t pid = child_fork();

	if (!pid) {
		unsigned int most = quota("QUOTA_MAILBOXES"), made;
		int ids[256];

		become(USER);
		ASSERT_GT(ARRAY_SIZE(ids), most);
		for (made = 0; made < most; made++)
			ids[made] = queue_new_mode(0600);
		EXPECT_EQ(-ENOSPC, TRY(msgget(IPC_PRIVATE, 0600)));
		EXPECT_EQ(-ENOSPC, TRY(msgget(0x6d62, IPC_CREAT | 0600)));
		queue_remove(ids[0]);
		ids[0] = queue_new_mode(0600);
		while (made--)
			queue_remove(ids[made]);
		_exit(0);
	}
	child_done(pid);
}

TEST_HARNESS_MAIN
