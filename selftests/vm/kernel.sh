#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh FLAVOUR: unpacks Debian's kernel of that flavour into the cache, with
# nothing installed, and prints the folder. It holds boot/vmlinuz-RELEASE, and
# build/, the headers to build modules with. "kernel.sh --list" names the flavours.
# Some are not unpacked but built, by build-kernel.sh.

. "$(dirname "$0")/common.sh"

kernels=$cache/kernels

# The meta package that always depends on the newest kernel of a flavour.
meta_suffix()
{
	case $1 in
	6.1)		echo amd64 ;;
	6.1-rt)		echo rt-amd64 ;;
	6.1-cloud)	echo cloud-amd64 ;;
	6.12)		echo 6.12-amd64 ;;
	6.12-rt)	echo 6.12-rt-amd64 ;;
	6.12-cloud)	echo 6.12-cloud-amd64 ;;
	*)		return 1 ;;
	esac
}

depends()
{
	apt-cache depends "$1" 2>/dev/null | awk '$1 ~ /Depends:$/ { print $2 }'
}

resolve()
{
	depends "linux-image-$1" | sed -n 's/^linux-image-\([0-9]\)/\1/p' | head -n 1
}

# The headers name the packages with the common part and the build tools.
packages_of()
{
	local headers=linux-headers-$1 rest

	rest=$(depends "$headers" | grep -E '^linux-(headers-.*-common|kbuild-)') || return
	printf '%s\n' "linux-image-$1" "$headers" "$rest"
}

download()
{
	local packages

	packages=$(packages_of "$1") || return
	say "fetching Linux $1 (about 100 MB)"
	# shellcheck disable=SC2086  # one word for each package
	(cd "$2" && apt-get -qq -o APT::Sandbox::User=root download $packages >&2)
}

# The kernel itself, and of its modules, which take most of the room, the one that tests need:
# for the network between hosts.
unpack_image()
{
	dpkg --fsys-tarfile "$1" |
		tar -x -C "$2" --wildcards ./boot './lib/modules/*/kernel/drivers/net/veth.ko*'
}

# Trees from before that module was wanted.
complete()
{
	local release=$1 tree=$kernels/$1 tmp

	[ ! -e "$tree/lib/modules/$release/kernel" ] || return 0
	tmp=$(mktemp -d "$kernels/.new-XXXXXX")
	# shellcheck disable=SC2064  # this folder, not the one of a later call
	trap "rm -rf '$tmp'" EXIT
	say "fetching a module of Linux $release"
	if (cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "linux-image-$release" >&2)
	then
		unpack_image "$tmp"/*.deb "$tree"
	else
		say "${yellow}cannot: tests of several hosts are skipped${plain}"
	fi
	rm -rf "$tmp"
}

unpack()
{
	local release=$1 debs=$2 tree=$3 deb headers

	say "unpacking Linux $release"
	for deb in "$debs"/*.deb; do
		case $deb in
		*/linux-image-*) unpack_image "$deb" "$tree" ;;
		*) dpkg -x "$deb" "$tree" ;;
		esac || die "cannot unpack ${deb##*/}"
	done

	# Debian's headers expect to be installed below /usr/src.
	headers=usr/src/linux-headers-$release
	# shellcheck disable=SC2016  # for make to expand
	sed -i 's,^include /usr/src/,include $(dir $(lastword $(MAKEFILE_LIST)))../,' \
		"$tree/$headers/Makefile"
	ln -s "$headers" "$tree/build"
	if [ ! -e "$tree/boot/vmlinuz-$release" ] || [ ! -e "$tree/build/Module.symvers" ]; then
		die "the packages of Linux $release do not hold what they used to"
	fi
}

fetch()
{
	local release=$1 tmp

	tmp=$(mktemp -d "$kernels/.new-XXXXXX")
	# shellcheck disable=SC2064  # this folder, not the one of a later call
	trap "rm -rf '$tmp'" EXIT
	mkdir "$tmp/debs" "$tmp/tree"
	download "$release" "$tmp/debs" || return
	unpack "$release" "$tmp/debs" "$tmp/tree"
	chmod 755 "$tmp/tree"
	mv -T "$tmp/tree" "$kernels/$release"
	rm -rf "$tmp"
}

# Leaves the release in $release. Without a network any kernel in the cache will do.
find_release()
{
	local flavour=$1 suffix=$2 mark=$kernels/$1

	release=
	if [ -e "$mark" ]; then
		release=$(cat "$mark")
		[ -d "$kernels/$release" ] || release=
	fi
	if [ "$release" ] && [ "$(find "$mark" -mtime -1)" ]; then
		return
	fi

	local newest
	newest=$(resolve "$suffix")
	if [ -z "$newest" ]; then
		apt_update || true
		newest=$(resolve "$suffix")
	fi
	if [ "$newest" ] && [ ! -d "$kernels/$newest" ]; then
		# A list that is too old names packages that are no longer there.
		fetch "$newest" || { apt_update && newest=$(resolve "$suffix") &&
			{ [ -d "$kernels/$newest" ] || fetch "$newest"; }; } || newest=
	fi
	if [ "$newest" ]; then
		release=$newest
		echo "$release" >"$mark"
	elif [ "$release" ]; then
		say "${yellow}cannot look for a newer kernel; going on with $release${plain}"
	else
		die "cannot fetch a kernel for $flavour; is there a network?"
	fi
}

[ $# -eq 1 ] || die "usage: kernel.sh FLAVOUR | --list"
if [ "$1" = --list ]; then
	echo 6.1 6.12 6.1-rt 6.12-rt 6.1-cloud 6.12-cloud "$("$vm/build-kernel.sh" --list)"
	exit
fi
case " $("$vm/build-kernel.sh" --list) " in
*" $1 "*) exec "$vm/build-kernel.sh" "$1" ;;
esac
suffix=$(meta_suffix "$1") || die "no kernel '$1'; there are: $("$0" --list)"

mkdir -p "$kernels"
exec 9>"$kernels/.lock"
flock 9
find_release "$1" "$suffix"
complete "$release"
echo "$kernels/$release"
