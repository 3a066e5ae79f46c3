/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For those programs about SysV messages whose tests have a queue each.
 */
#ifndef SELFTESTS_IPC_MSG_QUEUE_H
#define SELFTESTS_IPC_MSG_QUEUE_H

#include "msg.h"

/* A queue of the test, for its owner. */
FIXTURE(queue)
{
	int id;
};

FIXTURE_SETUP(queue)
{
	self->id = queue_new_mode(0600);
}

FIXTURE_TEARDOWN(queue)
{
	msgctl(self->id, IPC_RMID, NULL);
}

#endif /* SELFTESTS_IPC_MSG_QUEUE_H */
