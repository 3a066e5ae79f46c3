/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libtirpc calls, and declares in no header that it installs.
 */
#ifndef MAILBOX_RPC_STATIC_H
#define MAILBOX_RPC_STATIC_H

#include <rpc/rpc.h>

enum auth_stat _svcauth_gss(struct svc_req *request, struct rpc_msg *msg, bool_t *no_dispatch);
bool_t is_authgss_client(CLIENT *clnt);

#endif /* MAILBOX_RPC_STATIC_H */
