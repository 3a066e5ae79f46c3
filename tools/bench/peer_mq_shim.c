// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX message queues that are mailboxes: the same program, with other calls behind it. The
 * header declares them by the names that they have here.
 */
#define mq_open	   shim_mq_open
#define mq_close   shim_mq_close
#define mq_unlink  shim_mq_unlink
#define mq_send	   shim_mq_send
#define mq_receive shim_mq_receive
#define peer_mq	   peer_mq_shim

#define MQ_NAME	 "POSIX mq shim"
#define MQ_FLAGS (PEER_SHARED | PEER_OURS)

#include "peer_mq.c"
