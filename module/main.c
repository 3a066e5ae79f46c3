// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mailboxes: local message passing between processes through /dev/mailbox.
 *
 * Where to read on: uapi/linux/mailbox.h is the contract, Documentation/ explains
 * the path of a message and the locks. Kbuild lists the files in reading order.
 */
#include <linux/module.h>

#include "device.h"
#include "directory.h"
#include "domain.h"
#include "message.h"

static int __init mbx_init(void)
{
	int ret;

	ret = mbx_message_cache_init();
	if (ret)
		return ret;
	ret = mbx_directories_init();
	if (ret)
		goto err_cache;
	ret = mbx_domain_init();
	if (ret)
		goto err_directories;
	ret = mbx_device_init();
	if (ret)
		goto err_domain;
	return 0;

err_domain:
	mbx_domain_fini();
err_directories:
	mbx_directories_fini();
err_cache:
	mbx_message_cache_fini();
	return ret;
}

/* Nothing is open any more: what is left are permanent mailboxes, inboxes and links. */
static void __exit mbx_exit(void)
{
	mbx_device_fini();
	mbx_domain_fini();
	mbx_directories_fini();
	mbx_message_cache_fini();
}

module_init(mbx_init);
module_exit(mbx_exit);

MODULE_DESCRIPTION("Mailboxes: local message passing between processes");
MODULE_AUTHOR("The mailbox developers");
MODULE_LICENSE("GPL");
