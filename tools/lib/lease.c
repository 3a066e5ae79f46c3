// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The end of leases.
 */
#include "internal.h"

/* The kernel reads the numbers where they are, so the pieces can be as large as it takes. */
static int lease_call(int handle, unsigned long command, const uint64_t *leases, unsigned int nr,
		      uint64_t time, int *error)
{
	unsigned int done = 0;
	int reason = 0;

	while (done < nr && !reason) {
		struct mailbox_lease lease = {
			.size = sizeof(lease),
			.leases = mbx_address(leases + done),
			.nr = nr - done < MAILBOX_BATCH_MAX ? nr - done : MAILBOX_BATCH_MAX,
			.time = time,
		};

		reason = mbx_call(handle, command, &lease);
		if (reason >= 0) {
			reason = -lease.error;
			done += lease.done;
		}
	}
	return mbx_batch_result(done, reason, error);
}

static int lease_call_one(int handle, unsigned long command, uint64_t lease, uint64_t time)
{
	int ret = lease_call(handle, command, &lease, 1, time, NULL);

	return ret < 0 ? ret : 0;
}

int mailbox_ack(int handle, uint64_t lease)
{
	return lease_call_one(handle, MAILBOX_IOC_ACK, lease, 0);
}

int mailbox_nack(int handle, uint64_t lease, uint64_t delay)
{
	return lease_call_one(handle, MAILBOX_IOC_NACK, lease, delay);
}

int mailbox_extend(int handle, uint64_t lease, uint64_t time)
{
	return lease_call_one(handle, MAILBOX_IOC_EXTEND, lease, time);
}

int mailbox_ack_batch(int handle, const uint64_t *leases, unsigned int nr, int *error)
{
	return lease_call(handle, MAILBOX_IOC_ACK, leases, nr, 0, error);
}

int mailbox_nack_batch(int handle, const uint64_t *leases, unsigned int nr, uint64_t delay,
		       int *error)
{
	return lease_call(handle, MAILBOX_IOC_NACK, leases, nr, delay, error);
}

int mailbox_extend_batch(int handle, const uint64_t *leases, unsigned int nr, uint64_t time,
			 int *error)
{
	return lease_call(handle, MAILBOX_IOC_EXTEND, leases, nr, time, error);
}
