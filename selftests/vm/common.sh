# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034  # the scripts that source this use them
#
# What the scripts of the virtual machine share.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
vm=$top/selftests/vm
build=$top/build
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mailbox

if [ -t 2 ]; then
	bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
	bold='' red='' green='' yellow='' plain=''
fi

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	say "${red}error:${plain} $*"
	exit 1
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_update()
{
	say "reading the package lists"
	as_root apt-get -qq update >&2
}

# A NATS server, and the module of the kernel that makes networks between hosts; without that the
# tests say that there are no hosts.
# add_hosts KERNEL-FOLDER WORK: to WORK/initramfs.
add_hosts()
{
	local folder=$1 work=$2 veth

	cat "$("$vm/programs.sh" hosts)" >>"$work/initramfs"
	for veth in "$folder"/lib/modules/*/kernel/drivers/net/veth.ko*; do
		[ -e "$veth" ] || return 0
		mkdir -p "$work/hosts/vm"
		case $veth in
		*.xz)	busybox xzcat "$veth" >"$work/hosts/vm/veth.ko" ;;
		*)	cp "$veth" "$work/hosts/vm/veth.ko" ;;
		esac
		(cd "$work/hosts" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) \
			>>"$work/initramfs"
		rm -r "$work/hosts"
	done
}
