# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154  # variables and functions of check.sh
#
# What compilers and sparse say about the module.

# Bytes. A call of the system has 16 KiB of stack in all. The largest frame is one of
# 400 bytes; only what is compiled here has the limit.
frame_limit=512

# compile NAME KERNEL MAKE-ARGUMENT...
compile()
{
	local name=$1-$2 kernel=$2 log=$out/$1.log

	shift 2
	# Only what is compiled can complain.
	rm -rf "$build/module/$name"
	MODULE_BUILD_NAME=$name "$vm/module.sh" "$kernel" -k W=1 "$@" >/dev/null 2>"$log" ||
		echo "the module does not pass for Linux $kernel:"
	grep -vE '^make(\[[0-9]+\])?: ' "$log" | sed "s,$build/module/$name/,,"
}

check_module()
{
	local kernel

	for kernel in "${kernels[@]}"; do
		compile check "$kernel" C=2 CF=-Wsparse-error \
			KCFLAGS="-Werror -Wframe-larger-than=$frame_limit"
	done
}

# Debian's kernels are configured for gcc. What clang does not know is taken out again;
# the module is compiled and linked, and never loaded.
check_clang()
{
	local kernel undo=$out/clang.h
	local for_gcc=(
		CONFIG_CC_IS_GCC= CONFIG_CC_IS_CLANG=y
		CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough
		CONFIG_FTRACE_MCOUNT_USE_CC= CONFIG_INIT_STACK_ALL_ZERO=
		# The names until 6.8, and since then.
		CONFIG_RETHUNK= CONFIG_SLS=
		CONFIG_MITIGATION_RETHUNK= CONFIG_MITIGATION_SLS=
	)

	# Named address spaces, which are defined in a header.
	printf '#undef %s\n' CONFIG_CC_HAS_NAMED_AS CONFIG_USE_X86_SEG_SUPPORT >"$undo"
	for kernel in "${kernels[@]}"; do
		# A warning of gcc that is turned off by a version number has no name here.
		compile clang "$kernel" CC=clang "${for_gcc[@]}" \
			KCFLAGS="-Werror -Wno-unknown-warning-option -include $undo"
	done
}
