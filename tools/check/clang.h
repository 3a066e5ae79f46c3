/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For kernel headers that were configured for gcc: what clang needs otherwise. The
 * options that make knows are in kernel.sh beside this.
 */
#undef CONFIG_CC_IS_GCC
#define CONFIG_CC_IS_CLANG 1
/* Named address spaces are gcc's; the headers have a way without them. */
#undef CONFIG_CC_HAS_NAMED_AS
#undef CONFIG_USE_X86_SEG_SUPPORT
