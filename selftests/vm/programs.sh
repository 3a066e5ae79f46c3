#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# programs.sh compat | hosts: prints the path of an archive (cpio, gzip) with programs that others
# have written, and what these need and no more. Those of compat are in /programs, a tree for
# chroot(8); the server of hosts is where it would be if it were installed. They are Debian's
# packages, downloaded and unpacked into the cache, never installed.

. "$(dirname "$0")/common.sh"

# Those that are run, the packages they come in, and where they go.
case ${1:-} in
compat)
	roots=(stress-ng python3-sysv-ipc util-linux)
	programs=(usr/bin/stress-ng usr/bin/python3.11 usr/bin/ipcmk usr/bin/ipcs usr/bin/ipcrm)
	folder=programs
	;;
hosts)
	roots=(nats-server)
	programs=(usr/sbin/nats-server)
	folder=
	;;
*)	die "usage: programs.sh compat | hosts" ;;
esac
# Hundreds of megabytes that graphics would want, and what runs at installation only.
unwanted='mesa|llvm|debconf|cdebconf|perl|dpkg|install-info|mailcap|mime-support|^python3-distutils'

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

# Names of packages, one a line.
packages()
{
	apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances "${roots[@]}" 2>/dev/null |
		grep '^[a-z]' | grep -vE "$unwanted" | sort -u
}

# download FOLDER: all of them, none of another version than the lists have.
download()
{
	local names

	mapfile -t names < <(packages)
	# Virtual packages have no file, and one of a choice is enough.
	mapfile -t names < <(apt-cache show "${names[@]}" 2>/dev/null | sed -n 's/^Package: //p' |
		sort -u)
	(cd "$1" && apt-get -qq -o APT::Sandbox::User=root download "${names[@]}") >&2
}

# library NAME PROGRAM: its path in the tree.
library()
{
	local folder

	for folder in lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu; do
		if [ -e "$all/$folder/$1" ]; then
			echo "$folder/$1"
			return
		fi
	done
	die "no package has $1, which $2 needs"
}

# keep PATH: moves a file, with the libraries that it needs, into the tree that is packed.
keep()
{
	local needed

	[ ! -e "$tree/$1" ] || return 0
	mkdir -p "$tree/${1%/*}"
	cp -L "$all/$1" "$tree/$1"
	strip -g "$tree/$1" 2>/dev/null || true
	for needed in $(readelf -d "$all/$1" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		keep "$(library "$needed" "$1")"
	done
}

# The interpreter's own modules, without those that nobody here imports.
keep_python()
{
	local from=usr/lib/python3.11 file

	mkdir -p "$tree/$from/lib-dynload" "$tree/usr/lib/python3/dist-packages"
	(cd "$all/$from" && cp -r ./*.py collections encodings importlib json re "$tree/$from/")
	for file in "$all/usr/lib/python3/dist-packages"/sysv_ipc*.so; do
		keep "${file#"$all/"}"
	done
	ln -s python3.11 "$tree/usr/bin/python3"
}

# What comes out depends on the script, too.
key=$({ packages | xargs apt-cache show 2>/dev/null | grep -E '^(Package|Version):'
	cat "$0"; } | sha256sum | cut -c 1-16)
archive=$cache/programs/$1-$key.cpio.gz
if [ ! -e "$archive" ]; then
	if [ -z "$(apt-cache show "${roots[0]}" 2>/dev/null)" ]; then
		apt_update
		exec "$0" "$1"
	fi
	say "downloading programs that others have written: ${roots[*]}"
	mkdir -p "$cache/programs"
	work=$(mktemp -d "$cache/programs/work-XXXXXX")
	all=$work/all tree=$work/root/$folder
	mkdir -p "$all" "$tree" "$work/packages"
	download "$work/packages"
	for package in "$work"/packages/*.deb; do
		dpkg-deb -x "$package" "$all"
	done
	for program in "${programs[@]}"; do
		keep "$program"
	done
	# Programs name the loader by this path.
	keep "$(library ld-linux-x86-64.so.2 "${roots[0]}")"
	mkdir -p "$tree/lib64"
	ln -s ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$tree/lib64/"
	# Loaded by name when a thread is cancelled.
	keep "$(library libgcc_s.so.1 libc)"
	if [ "$1" = compat ]; then
		keep_python
		mkdir -p "$tree/dev" "$tree/proc" "$tree/tmp" "$tree/etc"
	fi
	(cd "$work/root" && find . -print0 | LC_ALL=C sort -z |
		cpio --quiet -0 -o -H newc -R 0:0) | gzip -6 >"$work/new"
	mv "$work/new" "$archive"
fi
echo "$archive"
