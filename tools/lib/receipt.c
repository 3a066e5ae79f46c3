// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sending with a receipt.
 */
#include <string.h>

#include "internal.h"

int mailbox_send_receipt(int handle, struct mailbox_message *message, uint32_t flags,
			 uint64_t deadline, int to, uint64_t cookie)
{
	struct mailbox_send send;
	int ret = mbx_message_to_send(message, &send);

	if (ret < 0)
		return ret;
	send.receipt = to;
	send.cookie = cookie;
	return mbx_message_send(handle, message, &send, flags | MAILBOX_RECEIPT, deadline);
}

int mailbox_send_wait(int handle, struct mailbox_message *message, uint32_t flags,
		      uint64_t deadline, struct mailbox_receipt *receipt)
{
	struct mailbox_send send;
	int ret = mbx_message_to_send(message, &send);

	if (ret < 0)
		return ret;
	memset(receipt, 0, sizeof(*receipt));
	receipt->size = sizeof(*receipt);
	send.receipt_data = mbx_address(receipt);
	return mbx_message_send(handle, message, &send, flags | MAILBOX_RECEIPT_WAIT, deadline);
}
