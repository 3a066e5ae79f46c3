/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel complains of while inputs run.
 */
#ifndef FUZZ_KERNEL_H
#define FUZZ_KERNEL_H

/* @path names a file of extended regular expressions, one on each line. */
void kernel_listen(const char *path);
/* Fails the input when there was a complaint since the last call. */
void kernel_check(void);

#endif
