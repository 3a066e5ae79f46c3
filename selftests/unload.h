/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_UNLOAD_H
#define SELFTESTS_UNLOAD_H

#include "world.h"

#include <sys/syscall.h>

/* To unload the module, and to load it from its file. */

#define MODULE "/sys/module/mailbox"

static inline bool is_loaded(void)
{
	return !access(MODULE "/parameters", F_OK);
}

static inline int try_unload(void)
{
	return syscall(SYS_delete_module, "mailbox", O_NONBLOCK) ? -errno : 0;
}

static inline int try_load(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int ret;

	ASSERT_LE(0, fd) TH_LOG("%s: %s", file, strerror(errno));
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* The file of the module, or the test is skipped. */
static inline const char *module_file(void)
{
	const char *file = getenv("MAILBOX_KO");

	if (!file || !*file)
		SKIP(return NULL, "MAILBOX_KO does not say where the module is");
	if (!is_root())
		SKIP(return NULL, "only root can unload a module");
	if (!is_loaded())
		ASSERT_EQ(0, try_load(file));
	return file;
}

static inline void expect_refused(void)
{
	EXPECT_EQ(-EWOULDBLOCK, try_unload());
	EXPECT_TRUE(is_loaded());
}

#endif /* SELFTESTS_UNLOAD_H */
