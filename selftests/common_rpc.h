/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A server of procedures for the tests of libmailbox-rpc, and calls of them.
 */
#ifndef SELFTESTS_COMMON_RPC_H
#define SELFTESTS_COMMON_RPC_H

#define PROGRAM 0x20004711
#define VERSION 3

/* Whoever waits so long has failed. */
static const struct timeval forever = { .tv_sec = 3600 };

/* Procedures; 0 does nothing. */
enum {
	ECHO = 1, /* its argument, as its result */
	WHO, /* who calls */
	RAISE, /* raises the flag */
	HANG, /* raises the flag, and never returns */
	WAIT, /* raises the flag, and returns when somebody else has, too */
	DIE,
	SAY_NOTHING, /* returns without an answer */
};

struct blob {
	char *data;
	u_int length;
};

static inline bool_t xdr_blob(XDR *xdrs, struct blob *blob)
{
	return xdr_bytes(xdrs, &blob->data, &blob->length, ~0U);
}

/* What the kernel says, and what the credentials say. */
struct who {
	u_int32_t pid;
	u_int32_t uid;
	u_int32_t gid;
	u_int32_t flavor;
	u_int32_t claimed_uid;
	u_int32_t claimed_gid;
	u_int32_t claimed_groups;
};

static inline bool_t xdr_who(XDR *xdrs, struct who *who)
{
	return xdr_vector(xdrs, (char *)who, sizeof(*who) / sizeof(u_int32_t), sizeof(u_int32_t),
			  (xdrproc_t)xdr_u_int32_t);
}

static unsigned int *server_flag;

static inline void serve_echo(SVCXPRT *xprt)
{
	struct blob blob = { 0 };

	if (!svc_getargs(xprt, (xdrproc_t)xdr_blob, &blob))
		svcerr_decode(xprt);
	else if (!svc_sendreply(xprt, (xdrproc_t)xdr_blob, &blob))
		svcerr_systemerr(xprt);
	svc_freeargs(xprt, (xdrproc_t)xdr_blob, &blob);
}

static inline void serve_who(struct svc_req *request, SVCXPRT *xprt)
{
	struct authunix_parms *claimed = request->rq_clntcred;
	struct mailbox_caller caller;
	struct who who;

	ASSERT_EQ(0, svc_mailbox_caller(xprt, &caller));
	who = (struct who){
		.pid = caller.pid,
		.uid = caller.uid,
		.gid = caller.gid,
		.flavor = request->rq_cred.oa_flavor,
	};
	if (who.flavor == AUTH_SYS) {
		who.claimed_uid = claimed->aup_uid;
		who.claimed_gid = claimed->aup_gid;
		who.claimed_groups = claimed->aup_len;
	}
	ASSERT_TRUE(svc_sendreply(xprt, (xdrproc_t)xdr_who, &who));
}

static inline void dispatch(struct svc_req *request, SVCXPRT *xprt)
{
	unsigned int raised;

	switch (request->rq_proc) {
	case NULLPROC:
		break;
	case ECHO:
		serve_echo(xprt);
		return;
	case WHO:
		serve_who(request, xprt);
		return;
	case RAISE:
		flag_raise(server_flag);
		break;
	case HANG:
		flag_raise(server_flag);
		for (;;)
			pause();
	case WAIT:
		raised = __atomic_add_fetch(server_flag, 1, __ATOMIC_RELEASE);
		flag_await(server_flag, raised + 1);
		break;
	case DIE:
		kill(getpid(), SIGKILL);
		break;
	case SAY_NOTHING:
		return;
	default:
		svcerr_noproc(xprt);
		return;
	}
	svc_sendreply(xprt, (xdrproc_t)xdr_void, NULL);
}

/* A child that serves, and has raised the flag once; it ends well when svc_run() returns. */
static inline pid_t serve(int box, unsigned int *flag, unsigned int sendsize, unsigned int recvsize)
{
	unsigned int raised = __atomic_load_n(flag, __ATOMIC_ACQUIRE);
	pid_t child = child_fork();

	if (!child) {
		SVCXPRT *xprt = svc_mailbox_fd_create(box, sendsize, recvsize);
		struct mailbox_caller caller;

		ASSERT_TRUE(xprt);
		EXPECT_EQ(-ENOENT, svc_mailbox_caller(xprt, &caller));
		server_flag = flag;
		ASSERT_TRUE(svc_reg(xprt, PROGRAM, VERSION, dispatch, NULL));
		flag_raise(flag);
		svc_run();
		_exit(KSFT_PASS);
	}
	flag_await(flag, raised + 1);
	return child;
}

static inline enum clnt_stat call_void(CLIENT *clnt, rpcproc_t procedure)
{
	return clnt_call(clnt, procedure, (xdrproc_t)xdr_void, NULL, (xdrproc_t)xdr_void, NULL,
			 forever);
}

/* So many bytes there and back. */
static inline enum clnt_stat call_echo(CLIENT *clnt, unsigned int length)
{
	struct blob sent = { .length = length }, back = { 0 };
	enum clnt_stat status;
	unsigned int i;

	sent.data = malloc(length + 1);
	ASSERT_TRUE(sent.data);
	for (i = 0; i < length; i++)
		sent.data[i] = i * 7 + length + getpid();
	status = clnt_call(clnt, ECHO, (xdrproc_t)xdr_blob, &sent, (xdrproc_t)xdr_blob, &back,
			   forever);
	if (status == RPC_SUCCESS) {
		EXPECT_EQ(length, back.length);
		EXPECT_EQ(0, memcmp(sent.data, back.data, length));
		clnt_freeres(clnt, (xdrproc_t)xdr_blob, &back);
	}
	free(sent.data);
	return status;
}

#endif /* SELFTESTS_COMMON_RPC_H */
