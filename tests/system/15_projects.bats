#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Other people's projects go through `davit init` and the pipeline that it proposes, as they are: the sources of three
# Debian packages, with three build systems. They come from Debian's mirror when the test runs; without it there is
# nothing to try.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	command -v cmake >/dev/null || skip "cmake is not installed"
}
teardown() { kit_teardown; }

# apt with lists and sources of its own: the machine's are not touched, and need not name sources.
apt() {
	mkdir -p "$T/apt/lists/partial" "$T/apt/cache/archives/partial"
	echo "deb-src ${MIRROR:-http://deb.debian.org/debian} bookworm main" >"$T/apt/sources.list"
	(cd "$T/apt" && apt-get -q -o Dir::Etc::SourceList="$T/apt/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State::Lists="$T/apt/lists" -o Dir::Cache="$T/apt/cache" -o APT::Sandbox::User="$(id -un)" "$@")
}

# project NAME: its sources as a repository in $R, with the davit.yaml that is proposed
project() {
	R=$T/$1
	apt source --download-only "$1" >"$T/$1.log" 2>&1 || skip "the mirror has no source of $1 just now"
	mkdir "$R"
	chmod 755 "$T" "$R"
	tar -C "$R" --strip-components=1 -xf "$T/apt/$1"_*.orig.tar.*
	git -C "$R" -c init.defaultBranch=main init -q
	git -C "$R" config user.name Tester
	git -C "$R" config user.email tester@example.com
	(cd "$R" && "$DAVIT" init) || return
	git -C "$R" add --all --force 2>/dev/null
	git -C "$R" commit -qm 'As Debian has it'
}
# builds NAME: every stage passes, the archive holds this file
builds() {
	project "$1"
	(cd "$R" && "$DAVIT" build --local --json --output "$T/release.tar") >"$T/$1.build" 2>&1 </dev/null ||
		{ cat "$R/davit.yaml" "$T/$1.build"; return 1; }
	# Those that are always there, and what the scanners of this machine add.
	tail -n 1 "$T/$1.build" | jq -r '.stages[] | "\(.stage) \(.state)"' >"$T/$1.stages"
	for stage in compile unit package; do grep -qx "$stage passed" "$T/$1.stages"; done
	fails grep -qv ' passed$' "$T/$1.stages"
	tar -tf "$T/release.tar" >"$T/$1.files"
	grep -qx "$2" "$T/$1.files" || { cat "$T/$1.files"; return 1; }
	rm -rf "$R"
}

@test "bzip2 by Make, cjson by CMake, fribidi by Meson: proposed, built, tested and packed unmodified" {
	apt update >"$T/update.log" 2>&1 || skip "Debian's mirror is out of reach"
	builds bzip2 bzip2
	builds cjson 'build/libcjson.so.*'
	builds fribidi build/bin/fribidi
}
