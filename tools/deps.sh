#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the Debian 12 packages that davit is built and tested with. Quick when nothing is missing.
set -eu

build="gcc libc6-dev make meson ninja-build pkg-config git ca-certificates
 libuv1-dev libmicrohttpd-dev libcurl4-openssl-dev libsqlite3-dev libssl-dev libjansson-dev libexpat1-dev
 libfyaml-dev libarchive-dev libnghttp2-dev openssh-client tzdata"
tests="libcmocka-dev bats python3 curl jq openssl socat sqlite3 procps psmisc iproute2 util-linux haproxy nginx-light varnish nghttp2-client python3-h11 python3-h2 python3-grpcio python3-jsonschema python3-websockets slowhttptest testssl.sh wrk zip unzip bzip2 xz-utils zstd tmux
 bubblewrap uacme pebble python3-cryptography openssh-server cmake clang clang-format clang-tidy libclang-rt-14-dev shellcheck cppcheck flawfinder strace mandoc"

missing=""
for package in $build $tests; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "davit needs these Debian packages:$missing" >&2
		echo "Install them as root, then run this again." >&2
		exit 1
	}
	as_root=sudo
fi
echo "Installing:$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# A package may start a service of its own; nothing but davit is to run here.
install() {
	$as_root apt-get update -q || return
	# shellcheck disable=SC2086 # a list of words
	$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends $missing
}
install >"$log" 2>&1 || {
	tail -20 "$log" >&2
	echo "apt-get could not install them; the lines above say why." >&2
	exit 1
}
# Nor at the next boot: what was not here before serves nobody but the tests, which start it themselves.
if command -v systemctl >/dev/null; then
	for pair in haproxy:haproxy nginx-light:nginx varnish:varnish openssh-server:ssh; do
		case " $missing " in
		*" ${pair%%:*} "*) $as_root systemctl disable --now --quiet "${pair##*:}" 2>/dev/null || true ;;
		esac
	done
fi
