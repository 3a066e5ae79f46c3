#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# deps.sh [bench|build|check]: installs the Debian packages that are missing for "make test",
# those for "make bench" or "make check" too, or those for kernels of our own.

. "$(dirname "$0")/common.sh"

# gcc-multilib builds the 32-bit tests.
packages=(gcc gcc-multilib libc6-dev make qemu-system-x86 busybox-static cpio
	  libcyaml-dev libelf1 libjansson-dev libmd-dev libnats-dev libtirpc-dev libyaml-dev patch
	  rpcsvc-proto spin)
if [ "${1:-}" = check ]; then
	packages+=(clang clang-format coccinelle groff perl shellcheck sparse xz-utils)
elif [ "${1:-}" = bench ]; then
	packages+=(gnuplot-nox)
elif [ "${1:-}" = build ]; then
	packages=(bc bison flex gcc libc6-dev libelf-dev libssl-dev make xz-utils)
fi

missing=()
for package in "${packages[@]}"; do
	case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
	'install ok installed') ;;
	*) missing+=("$package") ;;
	esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || die "please install: ${missing[*]}"
say "installing ${missing[*]}"
# Lists that were fetched long ago name packages that are no longer there.
apt_update
as_root env DEBIAN_FRONTEND=noninteractive \
	apt-get -qq install --no-install-recommends -y "${missing[@]}" >&2
