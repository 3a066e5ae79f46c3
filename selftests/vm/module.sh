#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# module.sh KERNEL [MAKE-ARGUMENT...]: builds mailbox.ko for a kernel and prints its
# folder, build/module/RELEASE. KERNEL is a flavour that kernel.sh knows, or a folder
# of kernel headers.
#
# Kbuild writes its objects beside the sources. To keep the sources clean and the
# kernels apart, each is built in a folder of its own that holds links to the sources.

. "$(dirname "$0")/common.sh"

# The name of the folder, when it is not the kernel's.
name=${MODULE_BUILD_NAME:-}
sources=${MODULE_SOURCES:-$top}

link_sources()
{
	local file

	# Only links go: a source that is no more must not be built again.
	mkdir -p "$1/module"
	find "$1" -type l -delete
	ln -sr "$sources/Kbuild" "$1/Kbuild"
	ln -sr "$sources/uapi" "$1/uapi"
	for file in "$sources"/module/*; do
		ln -sr "$file" "$1/module/"
	done
}

[ $# -ge 1 ] || die "usage: module.sh KERNEL [MAKE-ARGUMENT...]"
if [ -d "$1" ]; then
	headers=$(cd "$1" && pwd -P)
	release=$(make -s -C "$headers" kernelrelease)
else
	kernel=$("$vm/kernel.sh" "$1")
	headers=$kernel/build
	release=${kernel##*/}
	# User-mode Linux is an architecture.
	[ ! -e "$kernel/arch" ] || set -- "$@" ARCH="$(cat "$kernel/arch")"
fi
shift

[ -e "$sources/Kbuild" ] || die "there is no Kbuild in $sources"
out=$build/module/${name:-$release}
mkdir -p "$out"
exec 9>"$out.lock"
flock 9
link_sources "$out"

# BTF would need pahole, and a vmlinux that the headers of 6.1 do not have.
make -s -C "$headers" M="$out" CONFIG_DEBUG_INFO_BTF_MODULES= \
	-j"$(nproc)" "$@" modules >&2
echo "$out"
