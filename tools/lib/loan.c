// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Borrowing pieces of a region, and giving them back. They are sent and received as any message
 * is, with MAILBOX_LOAN: message.c.
 */
#include "internal.h"

int mailbox_loan(int handle, struct mailbox_message *message, uint32_t flags, uint64_t deadline)
{
	struct mailbox_loan loan = {
		.size = sizeof(loan),
		.flags = flags,
		.length = message->length,
		.deadline = deadline,
		.give_back = message->loan,
	};
	int ret = mbx_call(handle, MAILBOX_IOC_LOAN, &loan);

	if (ret < 0)
		return ret;
	message->loan = loan.loan;
	message->offset = loan.offset;
	return 0;
}

int mailbox_return(int handle, uint64_t loan)
{
	struct mailbox_return back = { .size = sizeof(back), .loan = loan };

	return mbx_call(handle, MAILBOX_IOC_RETURN, &back);
}
