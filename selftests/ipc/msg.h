/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the programs about SysV messages share.
 */
#ifndef SELFTESTS_IPC_MSG_H
#define SELFTESTS_IPC_MSG_H

#include "ipc.h"

#include <sys/msg.h>

struct message {
	long type;
	char text[8192];
};

static inline int queue_new(void)
{
	int id = msgget(IPC_PRIVATE, 0600);

	ASSERT_LE(0, id) TH_LOG("msgget: %s", strerror(errno));
	return id;
}

static inline void queue_remove(int id)
{
	EXPECT_EQ(0, TRY(msgctl(id, IPC_RMID, NULL)));
}

#endif /* SELFTESTS_IPC_MSG_H */
