// SPDX-License-Identifier: GPL-2.0
/*
 * Message queues of System V that are mailboxes: the same program, with other calls behind it.
 */
#include <sys/ipc.h>
#include <sys/msg.h>

#include "shim.h"

#define msgget	  shim_msgget
#define msgsnd	  shim_msgsnd
#define msgrcv	  shim_msgrcv
#define msgctl	  shim_msgctl
#define peer_sysv peer_sysv_shim

#define SYSV_NAME  "SysV shim"
#define SYSV_FLAGS (PEER_SHARED | PEER_OURS)

#include "peer_sysv.c"
