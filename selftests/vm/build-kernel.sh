#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-kernel.sh FLAVOUR: builds a kernel that looks for faults, such as 6.1-kasan, from
# Debian's linux-source package, and prints its folder in the cache. That is laid out
# as kernel.sh does, and holds "slow", by how much to stretch what is timed, and for
# user-mode Linux "arch".
# "build-kernel.sh --list" names the flavours, and "build-kernel.sh --source 6.1" fetches
# nothing but that source and prints its folder.
#
# The release, and so the folder, carries a checksum of all that the kernel is made of.
# What was interrupted goes on where it was.

. "$(dirname "$0")/common.sh"

kernels=$cache/kernels
sources=$cache/sources

# What the flavours differ in. Fragments of selftests/vm/config are merged in this
# order, later ones overrule.
describe()
{
	wanted=(PROVE_LOCKING DEBUG_KMEMLEAK)
	arch=() image=arch/x86/boot/bzImage slow=4
	case $1 in
	*-kasan)
		fragments=(base debug kasan lean)
		wanted+=(KASAN KCOV GCOV_KERNEL KUNIT FAULT_INJECTION_USERCOPY)
		;;
	*-kcsan)
		fragments=(base debug lean kcsan)
		wanted+=(KCSAN_STRICT KUNIT)
		;;
	*-um)
		fragments=(base debug um)
		wanted+=(KASAN KCOV GCOV_KERNEL KUNIT FAULT_INJECTION_USERCOPY)
		arch=(ARCH=um) image=linux slow=1
		;;
	esac
	[ ! -e "$vm/config/$series.config" ] || fragments+=("$series")
	fragments=("${fragments[@]/#/$vm/config/}")
	fragments=("${fragments[@]/%/.config}")
}

# The version that would be installed.
candidate()
{
	LC_ALL=C apt-cache policy "$package" 2>/dev/null |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# Without package lists the newest source in the cache will do.
find_version()
{
	version=$(candidate)
	if [ -z "$version" ]; then
		apt_update || true
		version=$(candidate)
	fi
	if [ -z "$version" ] && [ -d "$sources" ]; then
		version=$(cd "$sources" && printf '%s\n' "${series}".* | sort -V | tail -n 1)
		[ -d "$sources/$version" ] || version=
	fi
	[ "$version" ] || die "cannot find $package; is there a network?"
}

fetch_source()
{
	local tmp

	tmp=$(mktemp -d "$sources/.new-XXXXXX")
	# shellcheck disable=SC2064  # this folder, not the one of a later call
	trap "rm -rf '$tmp'" EXIT
	say "fetching $package $version (about 150 MB)"
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "$package=$version" >&2) ||
		return
	say "unpacking it (about 1.6 GB)"
	dpkg --fsys-tarfile "$tmp"/*.deb | tar -x -C "$tmp" "./usr/src/$package.tar.xz" ||
		die "$package does not hold what it used to"
	tar -xJf "$tmp/usr/src/$package.tar.xz" -C "$tmp"
	mv -T "$tmp/$package" "$sources/$version"
	rm -rf "$tmp"
}

# Leaves the version that there is in $version.
need_source()
{
	find_version
	flock 8
	if [ ! -d "$sources/$version" ]; then
		# A list that is too old names packages that are no longer there.
		fetch_source || { apt_update && find_version &&
			{ [ -d "$sources/$version" ] || fetch_source; }; } ||
			die "cannot fetch $package; is there a network?"
	fi
	flock -u 8
}

name_release()
{
	local sum

	sum=$({ echo "$version"; gcc -dumpfullversion; cat "${fragments[@]}"; } |
		sha256sum | cut -c 1-8)
	suffix=-${flavour#*-}-$sum
	release=${version%-*}$suffix
}

# How many objects are done, as make tells them; what else it says goes to the log.
show_progress()
{
	local line count=0 form='  %d steps done\n' every=100

	if [ -t 2 ]; then
		form='\r  %d steps done' every=1
	fi
	while IFS= read -r line; do
		printf '%s\n' "$line"
		[[ $line == '  '[A-Z]* ]] || continue
		count=$((count + 1))
		# shellcheck disable=SC2059  # the form is one of two
		[ $((count % every)) -ne 0 ] || printf "$form" $count >&2
	done >"$1"
	[ ! -t 2 ] || echo >&2
}

configure()
{
	local source=$1 out=$2 option

	make -s -C "$source" O="$out" "${arch[@]}" tinyconfig
	(cd "$source" && scripts/kconfig/merge_config.sh -m -O "$out" "$out/.config" \
		"${fragments[@]}")
	echo "CONFIG_LOCALVERSION=\"$suffix\"" >>"$out/.config"
	make -s -C "$source" O="$out" "${arch[@]}" olddefconfig
	# An option that silently went away would leave a kernel that finds nothing.
	for option in "${wanted[@]}"; do
		grep -qx "CONFIG_$option=y" "$out/.config" || { echo "no $option"; return 1; }
	done
}

# A module outside the tree needs headers, tools and symbols, and no objects.
drop_objects()
{
	find "$1" -not -path "$1/scripts/*" -type f \
		\( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o -name 'vmlinux.*' \) -delete
}

# A C library of today has no __xmknod that a module could use.
patch_source()
{
	[ ${#arch[@]} -eq 0 ] ||
		sed -i '/(__xmknod)/d' "$1/arch/um/os-Linux/user_syms.c"
}

build_kernel()
{
	local source=$sources/$version tree=$kernels/.building-$release
	local out=$tree/build log=$tree/log

	mkdir -p "$out" "$tree/boot"
	say "building Linux $release (about 1400 steps, some minutes)"
	patch_source "$source"
	if [ ! -e "$out/.configured" ]; then
		configure "$source" "$out" >"$log" 2>&1 ||
			{ tail -n 20 "$log" >&2; die "cannot configure Linux $release"; }
		touch "$out/.configured"
	fi
	nice -n 10 make -C "$source" O="$out" -j"$(nproc)" "${arch[@]}" all 2>&1 |
		show_progress "$log" ||
		{ tail -n 20 "$log" >&2; die "cannot build Linux $release; see $log"; }
	[ "$(cat "$out/include/config/kernel.release")" = "$release" ] ||
		die "this is not Linux $release; see $out"
	cp "$out/$image" "$tree/boot/vmlinuz-$release"
	drop_objects "$out"
	echo "$slow" >"$tree/slow"
	[ ${#arch[@]} -eq 0 ] || echo "${arch[0]#*=}" >"$tree/arch"
	mv -T "$tree" "$kernels/$release"
}

flavours='6.1-kasan 6.1-kcsan 6.12-kasan 6.1-um'
case "$#:${1:-}" in
1:--list)
	echo "$flavours"
	exit
	;;
2:--source) series=$2 ;;
1:[!-]*) series=${1%-*} ;;
*) die "usage: build-kernel.sh FLAVOUR | --list | --source SERIES" ;;
esac
package=linux-source-$series
mkdir -p "$kernels" "$sources"
exec 8>"$sources/.lock"
if [ "$1" = --source ]; then
	need_source
	echo "$sources/$version"
	exit
fi

flavour=$1
case " $flavours " in
*" $flavour "*) ;;
*) die "no kernel '$flavour' to build; there are: $flavours" ;;
esac
describe "$flavour"

# Not the lock of kernel.sh: others need not wait for so long.
exec 9>"$kernels/.lock-$flavour"
flock 9
find_version
name_release
if [ ! -d "$kernels/$release" ]; then
	"$vm/deps.sh" build >&2 9>&- 8>&-
	need_source
	name_release
	build_kernel
fi
echo "$kernels/$release"
