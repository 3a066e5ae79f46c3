/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions behind those that this library replaces, and what all its files need.
 */
#ifndef COMPAT_REAL_H
#define COMPAT_REAL_H

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a program is to find instead of the function of the C library; see compat.map too. */
#define COMPAT_PUBLIC __attribute__((visibility("default")))

/* The next function of this name after ours; ends the process where there is none. */
void *compat_real(const char *name);

/* The function that ours stands before, looked for once. */
#define REAL(name) \
	({ \
		static void *_Atomic found_; \
		void *real_ = atomic_load_explicit(&found_, memory_order_acquire); \
\
		if (!real_) { \
			real_ = compat_real(#name); \
			atomic_store_explicit(&found_, real_, memory_order_release); \
		} \
		(__typeof__(name) *)real_; \
	})

/* close(2) of a descriptor of our own; errno stays. */
static inline void compat_close(int fd)
{
	int error = errno;

	syscall(SYS_close, fd);
	errno = error;
}

/* What a call returns that has failed. */
static inline int compat_fail(int error)
{
	errno = error;
	return -1;
}

#endif /* COMPAT_REAL_H */
