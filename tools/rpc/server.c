// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The server's side: svc_run() polls the handle, and takes and answers one request at a time.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailbox-rpc.h"

/* Needs <rpc/rpc.h>, and does not say so. */
#include <rpc/svc_mt.h>

/*
 * @token: what answers the request that is being served; 0 when it is answered, or is a message
 *	that nobody waits for
 * @room: bytes that its caller has for the answer
 * @one_way: nobody waits for the answer
 * @seen: there was a request, and @caller is who made it
 * @dead: the handle is good for nothing any more
 */
struct server {
	SVCXPRT xprt;
	SVCXPRT_EXT ext;
	char verifier[MAX_AUTH_BYTES];
	struct mailbox_caller caller;
	uint64_t token;
	u_int32_t xid;
	unsigned int room;
	bool one_way;
	bool seen;
	bool dead;
	XDR arguments;
	unsigned int sendsize;
	unsigned int recvsize;
	char *request;
	char *answer;
};

static struct server *server_of(const SVCXPRT *xprt)
{
	return xprt->xp_p1;
}

/* A procedure that returned NULL, for example: the caller's call ends, with ECANCELED. */
static void leave_unanswered(struct server *server)
{
	if (server->token)
		mailbox_ack(server->xprt.xp_fd, server->token);
	server->token = 0;
}

/*
 * What the caller says about itself gives way to what the kernel knows, before anybody has seen
 * it: so rq_clntcred is true in programs that have never heard of svc_mailbox_caller(). Groups
 * besides the first are not stamped, so there are none.
 */
static bool stamp(const struct server *server, struct opaque_auth *credentials)
{
	char machine[] = "mailbox";
	struct authunix_parms stamped = {
		.aup_machname = machine,
		.aup_uid = server->caller.uid,
		.aup_gid = server->caller.gid,
	};
	bool done;
	XDR xdrs;

	xdrmem_create(&xdrs, credentials->oa_base, MAX_AUTH_BYTES, XDR_ENCODE);
	done = xdr_authunix_parms(&xdrs, &stamped);
	credentials->oa_length = xdr_getpos(&xdrs);
	xdr_destroy(&xdrs);
	return done;
}

static bool_t decode(struct server *server, const struct mailbox_message *message,
		     struct rpc_msg *msg)
{
	struct opaque_auth *credentials = &msg->rm_call.cb_cred;

	xdr_destroy(&server->arguments);
	xdrmem_create(&server->arguments, server->request,
		      message->truncated ? message->room : message->length, XDR_DECODE);
	if (!xdr_callmsg(&server->arguments, msg))
		return FALSE;
	server->xid = msg->rm_xid;
	return credentials->oa_flavor != AUTH_SYS || stamp(server, credentials);
}

static bool_t server_recv(SVCXPRT *xprt, struct rpc_msg *msg)
{
	struct server *server = server_of(xprt);
	struct mailbox_message message = { .data = server->request, .room = server->recvsize };
	int ret;

	leave_unanswered(server);
	ret = mailbox_receive_message(xprt->xp_fd, &message, NULL,
				      MAILBOX_ANSWER | MAILBOX_NONBLOCK | MAILBOX_TRUNCATE, 0);
	switch (ret) {
	case 0:
		break;
	case -EAGAIN: /* another process was faster */
	case -EBUSY:
	case -EINTR:
	case -ENOMEM:
		return FALSE;
	default:
		server->dead = true;
		return FALSE;
	}

	server->token = message.lease;
	server->one_way = !message.is_call;
	server->room = message.answer_room < server->sendsize ? message.answer_room :
								server->sendsize;
	server->caller = (struct mailbox_caller){
		.pid = message.pid,
		.tid = message.tid,
		.uid = message.uid,
		.gid = message.gid,
	};
	server->seen = true;
	/* That a message ended is not what somebody asks for. */
	return !message.is_receipt && decode(server, &message, msg);
}

/* svc_run() asks after each request. It goes back to poll(2), for others' sake. */
static enum xprt_stat server_stat(SVCXPRT *xprt)
{
	struct server *server = server_of(xprt);

	leave_unanswered(server);
	return server->dead ? XPRT_DIED : XPRT_IDLE;
}

static bool_t server_getargs(SVCXPRT *xprt, xdrproc_t xargs, void *args)
{
	struct server *server = server_of(xprt);

	return SVCAUTH_UNWRAP(&SVC_XP_AUTH(xprt), &server->arguments, xargs, args);
}

static bool_t server_freeargs(SVCXPRT *xprt, xdrproc_t xargs, void *args)
{
	(void)xprt;
	xdr_free(xargs, args);
	return TRUE;
}

/* Its length, or 0 when it does not fit. */
static unsigned int encode(struct server *server, struct rpc_msg *msg)
{
	bool has_results = msg->rm_reply.rp_stat == MSG_ACCEPTED &&
			   msg->acpted_rply.ar_stat == SUCCESS;
	struct rpc_msg header = *msg;
	unsigned int length = 0;
	XDR xdrs;

	header.rm_xid = server->xid;
	if (has_results) {
		/* They are the authenticator's to encode, behind the header. */
		header.acpted_rply.ar_results.proc = (xdrproc_t)xdr_void;
		header.acpted_rply.ar_results.where = NULL;
	}
	xdrmem_create(&xdrs, server->answer, server->room, XDR_ENCODE);
	if (xdr_replymsg(&xdrs, &header) &&
	    (!has_results ||
	     SVCAUTH_WRAP(&SVC_XP_AUTH(&server->xprt), &xdrs, msg->acpted_rply.ar_results.proc,
			  msg->acpted_rply.ar_results.where)))
		length = xdr_getpos(&xdrs);
	xdr_destroy(&xdrs);
	return length;
}

/*
 * An answer that is too long leaves the token as it is: rpcgen's skeletons answer again then,
 * with an error.
 */
static bool_t server_reply(SVCXPRT *xprt, struct rpc_msg *msg)
{
	struct server *server = server_of(xprt);
	struct mailbox_message answer = { .data = server->answer };
	int ret;

	if (!server->token)
		return server->one_way;
	answer.length = encode(server, msg);
	if (!answer.length)
		return FALSE;
	ret = mailbox_reply(xprt->xp_fd, server->token, &answer);
	if (!ret || ret == -ESTALE)
		server->token = 0;
	return !ret;
}

/* svc_run() does not notice by itself that it waits for nothing. */
static void exit_without_transports(void)
{
	int i;

	for (i = 0; i < svc_max_pollfd; i++)
		if (svc_pollfd[i].fd >= 0)
			return;
	svc_exit();
}

static void server_free(struct server *server)
{
	free(server->xprt.xp_netid);
	free(server->xprt.xp_tp);
	free(server->request);
	free(server->answer);
	free(server);
}

static void server_destroy(SVCXPRT *xprt)
{
	struct server *server = server_of(xprt);

	leave_unanswered(server);
	xprt_unregister(xprt);
	if (server->dead)
		exit_without_transports();
	xdr_destroy(&server->arguments);
	close(xprt->xp_fd);
	server_free(server);
}

static bool_t server_control(SVCXPRT *xprt, const u_int request, void *info)
{
	switch (request) {
	case SVCGET_VERSQUIET:
		*(int *)info = !!version_keepquiet(xprt);
		return TRUE;
	case SVCSET_VERSQUIET:
		if (*(int *)info)
			svc_flags(xprt) |= SVC_VERSQUIET;
		else
			svc_flags(xprt) &= ~SVC_VERSQUIET;
		return TRUE;
	default:
		return FALSE;
	}
}

static const struct xp_ops server_ops = {
	.xp_recv = server_recv,
	.xp_stat = server_stat,
	.xp_getargs = server_getargs,
	.xp_reply = server_reply,
	.xp_freeargs = server_freeargs,
	.xp_destroy = server_destroy,
};

static const struct xp_ops2 server_ops2 = {
	.xp_control = server_control,
};

/* libtirpc says nothing when it has no place for a descriptor. */
static bool is_polled(int fd)
{
	int i;

	for (i = 0; i < svc_max_pollfd; i++)
		if (svc_pollfd[i].fd == fd)
			return true;
	return false;
}

static SVCXPRT *not_created(int error)
{
	errno = error;
	return NULL;
}

SVCXPRT *svc_mailbox_fd_create(int handle, unsigned int sendsize, unsigned int recvsize)
{
	struct mailbox_stat stat;
	struct server *server;
	SVCXPRT *xprt;
	int ret;

	ret = mailbox_stat(handle, &stat);
	if (ret)
		return not_created(-ret);
	if (stat.policy == MAILBOX_POLICY_BROADCAST)
		return not_created(EINVAL);
	server = calloc(1, sizeof(*server));
	if (!server)
		return not_created(ENOMEM);

	server->sendsize = sendsize ? sendsize : stat.message_size;
	server->recvsize = recvsize ? recvsize : stat.message_size;
	server->request = malloc(server->recvsize);
	server->answer = malloc(server->sendsize);
	xdrmem_create(&server->arguments, NULL, 0, XDR_DECODE);

	xprt = &server->xprt;
	xprt->xp_fd = handle;
	xprt->xp_ops = &server_ops;
	xprt->xp_ops2 = &server_ops2;
	xprt->xp_p1 = server;
	/* libtirpc keeps its own words there, and has no check for NULL. */
	xprt->xp_p3 = &server->ext;
	/* Without one svc_reg() asks the descriptor what socket it is. */
	xprt->xp_netid = strdup("mailbox");
	xprt->xp_tp = strdup("/dev/mailbox");
	xprt->xp_verf.oa_base = server->verifier;
	/* For programs that print it: an address of no family. */
	xprt->xp_rtaddr.buf = &xprt->xp_raddr;
	xprt->xp_rtaddr.maxlen = sizeof(xprt->xp_raddr);
	xprt->xp_rtaddr.len = xprt->xp_rtaddr.maxlen;
	if (!xprt->xp_netid || !xprt->xp_tp || !server->request || !server->answer) {
		server_free(server);
		return not_created(ENOMEM);
	}

	xprt_register(xprt);
	if (is_polled(handle))
		return xprt;
	xprt_unregister(xprt);
	server_free(server);
	return not_created(EMFILE);
}

SVCXPRT *svc_mailbox_create(const char *name, unsigned int sendsize, unsigned int recvsize)
{
	struct mailbox_create create;
	int device, handle, error;
	SVCXPRT *xprt;

	error = mailbox_create_init(&create, name);
	if (error)
		return not_created(-error);
	create.rights = MAILBOX_RIGHT_RECEIVE;
	device = mailbox_device_open();
	if (device < 0)
		return not_created(-device);
	handle = mailbox_open_or_create(device, &create);
	close(device);
	if (handle < 0)
		return not_created(-handle);

	xprt = svc_mailbox_fd_create(handle, sendsize, recvsize);
	if (xprt)
		return xprt;
	error = errno;
	close(handle);
	return not_created(error);
}

int svc_mailbox_caller(const SVCXPRT *transport, struct mailbox_caller *caller)
{
	if (transport->xp_ops != &server_ops)
		return -EINVAL;
	if (!server_of(transport)->seen)
		return -ENOENT;
	*caller = server_of(transport)->caller;
	return 0;
}
