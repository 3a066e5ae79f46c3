// SPDX-License-Identifier: GPL-2.0
/*
 * libmailbox-rpc: the server knows who calls, whatever the caller says, and the two sides can be
 * asked and told what libtirpc has questions for.
 */
#include <errno.h>
#include <sys/resource.h>

#include "common.h"

#if __has_include("mailbox-rpc.h")
#include <mailbox-rpc.h>

#include "common_rpc.h"

FIXTURE(caller)
{
	int device;
	int box;
	unsigned int *flag;
	pid_t server;
	CLIENT *clnt;
};

FIXTURE_SETUP(caller)
{
	struct mailbox_create create;

	self->device = mailbox_device_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, mailbox_create_init(&create, "caller"));
	self->box = mailbox_create(self->device, &create);
	ASSERT_LE(0, self->box);
	self->flag = flag_new();
	self->server = serve(self->box, self->flag, 0, 0);
	self->clnt = clnt_mailbox_fd_create(self->box, PROGRAM, VERSION, 0, 0);
	ASSERT_TRUE(self->clnt);
}

FIXTURE_TEARDOWN(caller)
{
	child_kill(self->server);
	clnt_destroy(self->clnt);
	close(self->box);
	close(self->device);
}

static void call_who(CLIENT *clnt, struct who *who)
{
	poison(who, sizeof(*who));
	ASSERT_EQ(RPC_SUCCESS, clnt_call(clnt, WHO, (xdrproc_t)xdr_void, NULL, (xdrproc_t)xdr_who,
					 who, forever));
	EXPECT_EQ(getpid(), who->pid);
	EXPECT_EQ(geteuid(), who->uid);
	EXPECT_EQ(getegid(), who->gid);
}

/* As somebody with two more groups, too. */
static void claim(CLIENT *clnt, uid_t uid, gid_t gid)
{
	gid_t groups[] = { 0, 4 };
	char host[] = "elsewhere";

	clnt->cl_auth = authunix_create(host, uid, gid, ARRAY_SIZE(groups), groups);
	ASSERT_TRUE(clnt->cl_auth);
}

TEST_F(caller, is_known_without_credentials)
{
	struct who who;

	call_who(self->clnt, &who);
	EXPECT_EQ(AUTH_NONE, who.flavor);
}

TEST_F(caller, is_not_who_it_claims_to_be)
{
	struct who who;

	claim(self->clnt, geteuid() + 4711, getegid() + 4712);
	call_who(self->clnt, &who);
	EXPECT_EQ(AUTH_SYS, who.flavor);
	EXPECT_EQ(geteuid(), who.claimed_uid);
	EXPECT_EQ(getegid(), who.claimed_gid);
	EXPECT_EQ(0, who.claimed_groups);
	auth_destroy(self->clnt->cl_auth);
}

TEST_F(caller, of_another_user_is_not_root)
{
	struct who who;
	pid_t child;

	if (!is_root())
		SKIP(return, "only root can become somebody else");
	child = child_fork();
	if (!child) {
		become(1000, 1001);
		claim(self->clnt, 0, 0);
		call_who(self->clnt, &who);
		EXPECT_EQ(1000, who.uid);
		EXPECT_EQ(1001, who.gid);
		EXPECT_EQ(1000, who.claimed_uid);
		EXPECT_EQ(1001, who.claimed_gid);
		EXPECT_EQ(0, who.claimed_groups);
		_exit(KSFT_PASS);
	}
	child_done(child);
	/* The stamp is that of each request, not of the first. */
	call_who(self->clnt, &who);
}

static bool_t marshal_nonsense(AUTH *auth, XDR *xdrs)
{
	struct opaque_auth nonsense = { .oa_flavor = AUTH_SYS,
					.oa_base = "nonsense",
					.oa_length = 8 };

	return xdr_opaque_auth(xdrs, &nonsense) && xdr_opaque_auth(xdrs, &auth->ah_verf);
}

/* Credentials that are replaced need not be any. */
TEST_F(caller, with_nonsense_for_credentials_is_known)
{
	AUTH *auth = authnone_create();
	struct auth_ops ops = *auth->ah_ops;
	AUTH nonsense = *auth;
	struct who who;

	ops.ah_marshal = marshal_nonsense;
	nonsense.ah_ops = &ops;
	self->clnt->cl_auth = &nonsense;
	call_who(self->clnt, &who);
	EXPECT_EQ(AUTH_SYS, who.flavor);
	EXPECT_EQ(geteuid(), who.claimed_uid);
}

static bool_t marshal_short(AUTH *auth, XDR *xdrs)
{
	struct opaque_auth credentials = { .oa_flavor = AUTH_SHORT,
					   .oa_base = "shorthand...",
					   .oa_length = 12 };

	return xdr_opaque_auth(xdrs, &credentials) && xdr_opaque_auth(xdrs, &auth->ah_verf);
}

static bool_t refresh_counted(AUTH *auth, void *msg)
{
	(void)msg;
	auth->ah_private = (char *)auth->ah_private + 1;
	return TRUE;
}

TEST_F(caller, is_asked_again_when_credentials_are_rejected)
{
	AUTH *auth = authnone_create();
	struct auth_ops ops = *auth->ah_ops;
	AUTH rejected = *auth;
	struct rpc_err error;

	ops.ah_marshal = marshal_short;
	ops.ah_refresh = (void *)refresh_counted;
	rejected.ah_ops = &ops;
	rejected.ah_private = NULL;
	self->clnt->cl_auth = &rejected;
	EXPECT_EQ(RPC_AUTHERROR, call_void(self->clnt, NULLPROC));
	clnt_geterr(self->clnt, &error);
	EXPECT_EQ(AUTH_REJECTEDCRED, error.re_why);
	EXPECT_EQ(2, (uintptr_t)rejected.ah_private);
}

TEST_F(caller, tells_what_its_client_is_asked)
{
	struct timeval time = { .tv_sec = 1, .tv_usec = 2 }, out;
	u_int32_t xid = 4711, number = 0;
	int fd = -1;

	EXPECT_TRUE(clnt_control(self->clnt, CLGET_FD, &fd));
	EXPECT_EQ(self->box, fd);
	EXPECT_TRUE(clnt_control(self->clnt, CLSET_XID, &xid));
	EXPECT_EQ(RPC_SUCCESS, call_void(self->clnt, NULLPROC));
	EXPECT_TRUE(clnt_control(self->clnt, CLGET_XID, &number));
	EXPECT_EQ(4711, number);
	EXPECT_EQ(RPC_SUCCESS, call_void(self->clnt, NULLPROC));
	EXPECT_TRUE(clnt_control(self->clnt, CLGET_XID, &number));
	EXPECT_EQ(4712, number);
	EXPECT_TRUE(clnt_control(self->clnt, CLGET_VERS, &number));
	EXPECT_EQ(VERSION, number);
	EXPECT_TRUE(clnt_control(self->clnt, CLGET_PROG, &number));
	EXPECT_EQ(PROGRAM, number);
	EXPECT_TRUE(clnt_control(self->clnt, CLSET_TIMEOUT, &time));
	EXPECT_TRUE(clnt_control(self->clnt, CLGET_TIMEOUT, &out));
	EXPECT_EQ(0, memcmp(&time, &out, sizeof(time)));
	time.tv_usec = 1000000;
	EXPECT_FALSE(clnt_control(self->clnt, CLSET_TIMEOUT, &time));
	EXPECT_FALSE(clnt_control(self->clnt, CLSET_TIMEOUT, NULL));
	EXPECT_FALSE(clnt_control(self->clnt, CLGET_SVC_ADDR, &out));
}

TEST_F(caller, closes_its_handle_when_told_to)
{
	int handle = mailbox_open(self->device, "caller", MAILBOX_RIGHT_SEND, 0);
	CLIENT *clnt = clnt_mailbox_fd_create(handle, PROGRAM, VERSION, 0, 0);

	ASSERT_TRUE(clnt);
	clnt_destroy(clnt);
	EXPECT_LE(0, fcntl(handle, F_GETFD));
	clnt = clnt_mailbox_fd_create(handle, PROGRAM, VERSION, 0, 0);
	ASSERT_TRUE(clnt);
	EXPECT_TRUE(clnt_control(clnt, CLSET_FD_CLOSE, NULL));
	clnt_destroy(clnt);
	EXPECT_EQ(-1, fcntl(handle, F_GETFD));
	clnt = clnt_mailbox_create("caller", PROGRAM, VERSION, 0, 0);
	ASSERT_TRUE(clnt);
	EXPECT_TRUE(clnt_control(clnt, CLGET_FD, &handle));
	EXPECT_LE(0, fcntl(handle, F_GETFD));
	clnt_destroy(clnt);
	EXPECT_EQ(-1, fcntl(handle, F_GETFD));
}

TEST_F(caller, finds_no_server_where_none_can_be)
{
	struct mailbox_caller caller;
	struct mailbox_create create;
	SVCXPRT other = { 0 }, *xprt;
	struct rlimit limit;
	int handle;

	EXPECT_EQ(-EINVAL, svc_mailbox_caller(&other, &caller));
	EXPECT_FALSE(svc_mailbox_fd_create(-1, 0, 0));
	EXPECT_EQ(EBADF, errno);

	mailbox_create_init(&create, NULL);
	create.policy = MAILBOX_POLICY_BROADCAST;
	create.on_full = MAILBOX_ON_FULL_OVERWRITE;
	handle = mailbox_create(self->device, &create);
	ASSERT_LE(0, handle);
	EXPECT_FALSE(svc_mailbox_fd_create(handle, 0, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, close(handle));

	/* libtirpc sets aside as many places as there may be descriptors the first time. */
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = 1000;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	xprt = svc_mailbox_create("caller", 0, 0);
	ASSERT_TRUE(xprt);
	svc_destroy(xprt);
	limit.rlim_cur = 4000;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return;
	handle = fcntl(self->box, F_DUPFD_CLOEXEC, 2000);
	ASSERT_LE(2000, handle);
	EXPECT_FALSE(svc_mailbox_fd_create(handle, 0, 0));
	EXPECT_EQ(EMFILE, errno);
	EXPECT_EQ(0, close(handle));
}

TEST_F(caller, server_is_told_to_be_quiet)
{
	SVCXPRT *xprt = svc_mailbox_create("caller", 0, 0);
	int quiet = 1;

	ASSERT_TRUE(xprt);
	EXPECT_TRUE(SVC_CONTROL(xprt, SVCSET_VERSQUIET, &quiet));
	quiet = 0;
	EXPECT_TRUE(SVC_CONTROL(xprt, SVCGET_VERSQUIET, &quiet));
	EXPECT_EQ(1, quiet);
	quiet = 0;
	EXPECT_TRUE(SVC_CONTROL(xprt, SVCSET_VERSQUIET, &quiet));
	EXPECT_TRUE(SVC_CONTROL(xprt, SVCGET_VERSQUIET, &quiet));
	EXPECT_EQ(0, quiet);
	EXPECT_FALSE(SVC_CONTROL(xprt, SVCGET_CONNMAXREC, &quiet));
	svc_destroy(xprt);
}

#endif

TEST_HARNESS_MAIN
