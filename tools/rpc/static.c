// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * For static programs: libtirpc wants Kerberos, of which there is no static library, and names
 * of hosts, for which the C library loads shared ones. Linked with this one they do without:
 * credentials of RPCSEC_GSS are rejected, and no host has a name.
 */
#include <netdb.h>
#include <rpc/rpc.h>

#include "static.h"

enum auth_stat _svcauth_gss(struct svc_req *request, struct rpc_msg *msg, bool_t *no_dispatch)
{
	(void)request;
	(void)msg;
	(void)no_dispatch;
	return AUTH_REJECTEDCRED;
}

bool_t is_authgss_client(CLIENT *clnt)
{
	(void)clnt;
	return FALSE;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **result)
{
	(void)node;
	(void)service;
	(void)hints;
	(void)result;
	return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *result)
{
	(void)result;
}
