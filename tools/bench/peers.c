// SPDX-License-Identifier: GPL-2.0
/*
 * Who takes part, in the order of the tables.
 */
#include <string.h>

#include "bench.h"

const struct peer *const peers[] = {
	&peer_mailbox, &peer_calls,  &peer_loan,     &peer_lane,	&peer_sysv_shim,
	&peer_sysv,    &peer_mq,     &peer_pipe,     &peer_packet_pipe, &peer_seqpacket,
	&peer_dgram,   &peer_ioctls, &peer_syscalls, &peer_eventfd,	&peer_ring,
};

const size_t nr_peers = sizeof(peers) / sizeof(peers[0]);

const struct peer *peer_find(const char *name)
{
	size_t i;

	for (i = 0; i < nr_peers; i++) {
		if (!strcmp(peers[i]->name, name))
			return peers[i];
	}
	return NULL;
}
