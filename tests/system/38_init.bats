#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A small real project of each kind goes through `davit init`, `davit validate` and the pipeline that was proposed, as it is.
# A toolchain that a stage would not find here is skipped, and so is what needs a network that is not there.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	R=$T/shop
	mkdir "$R"
	chmod 755 "$T" "$R"
	git -C "$R" -c init.defaultBranch=main init -q
	git -C "$R" config user.name Tester
	git -C "$R" config user.email tester@example.com
}
teardown() { kit_teardown; }

# finds PROGRAM: as a stage does
finds() {
	local at
	at=$(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin command -v "$1") &&
		[[ $(realpath "$at") =~ ^/(usr|s?bin|lib)/ ]]
}
# needs PROGRAM...: or this test is skipped
needs() {
	local program
	for program in "$@"; do
		finds "$program" || skip "$program is not installed where a stage finds it"
	done
}

# file NAME: what comes on standard input
file() {
	mkdir -p "$(dirname "$R/$1")"
	cat >"$R/$1"
}
commit() { git -C "$R" add -A && git -C "$R" commit -qm 'A shop'; }

# proposes [OPTION...]: a davit.yaml that is valid; what init says is in $T/init
proposes() {
	(cd "$R" && "$DAVIT" init "$@") >"$T/init" 2>&1 || { cat "$T/init"; return 1; }
	(cd "$R" && "$DAVIT" validate) >"$T/validate" 2>&1 || { cat "$R/davit.yaml" "$T/validate"; return 1; }
}
# builds STAGE...: these stages there are, in the order of their names, and they pass
builds() {
	commit
	(cd "$R" && exec "$DAVIT" build --local --json --output "$T/release.tar") >"$T/build" 2>&1 </dev/null 3>&- 4>&- ||
		{ cat "$R/davit.yaml" "$T/build" "$T"/state/build/logs/*.log; return 1; }
	tail -n 1 "$T/build" | jq -r '.stages[] | select(.state == "passed") | .stage' | sort | xargs >"$T/stages"
	[ "$(cat "$T/stages")" = "$*" ] || { cat "$R/davit.yaml" "$T/stages"; return 1; }
}
packed() { tar -tf "$T/release.tar" | grep -qx -- "$1" || { tar -tf "$T/release.tar"; return 1; }; }
written() { grep -qF -- "$1" "$R/davit.yaml" || { cat "$R/davit.yaml"; return 1; }; }
said() { grep -qF -- "$1" "$T/init" || { cat "$T/init"; return 1; }; }
# The stage of that name in the list, where the program that it is made of is there.
when_found() { if finds "$1"; then echo "$2"; fi; }

shop_c() {
	file shop.c <<'C'
#include <stdio.h>
int main(void) { puts("open"); return 0; }
C
}

@test "Make: compile, lint, unit, integration and scan of the targets that there are" {
	needs make cc
	shop_c
	printf '%s\n' 'shop: shop.c' '	cc -o $@ shop.c' 'lint check: shop' '	test -s shop.c' 'integration: shop' '	./shop | grep -q open' \
		>"$R/GNUmakefile"
	proposes
	written "run: 'make check'"
	# shellcheck disable=SC2046 # words of a list
	builds compile integration lint package $(when_found flawfinder scan) unit
	packed shop
}

@test "Make: what would not pass is a comment, and the reason is said" {
	needs make cc
	shop_c
	printf '%s\n' 'all:' '	cc -o shop shop.c' 'lint:' '	no-such-linter shop.c' 'integration:' '	psql -c "select 1"' >"$R/Makefile"
	echo 'services: { db: { image: postgres } }' >"$R/compose.yaml"
	cat >>"$R/shop.c" <<'C'
#include <string.h>
void label(char *to, const char *from) { strcpy(to, from); }
C
	printf '%s\n' '#!/bin/sh' 'if [ $1 = x ; then' >"$R/broken.sh"
	proposes
	said 'The stage lint is a comment: it runs no-such-linter, which is not installed below /usr.'
	said 'The stage integration is a comment: what compose.yaml starts beside it is said here: davit docs services.'
	if finds shellcheck; then said 'The stage shellcheck is a comment: shellcheck finds something today'; fi
	if finds flawfinder; then
		said 'The stage scan is a comment: flawfinder finds something today (keep that: flawfinder --quiet --sarif . > baseline.sarif).'
		# What the comment says is what makes it work.
		(cd "$R" && flawfinder --quiet --sarif . >baseline.sarif)
		sed -i '/^  # scan:/,/block_at/ s/^  # /  /; s/needs: \[compile\]/needs: [compile, scan]/' "$R/davit.yaml"
		builds compile package scan
	else
		builds compile package
	fi
	packed shop
}

@test "CMake and Meson: built, tested, packed" {
	needs cmake make cc
	shop_c
	printf '%s\n' 'cmake_minimum_required(VERSION 3.10)' 'project(shop C)' 'add_executable(shop shop.c)' 'enable_testing()' \
		'add_test(opens shop)' >"$R/CMakeLists.txt"
	proposes
	# shellcheck disable=SC2046 # words of a list
	builds compile package $(when_found flawfinder scan) unit
	packed build/shop
	needs meson ninja
	git -C "$R" rm -q CMakeLists.txt davit.yaml
	printf '%s\n' "project('shop', 'c')" "shop = executable('shop', 'shop.c')" "test('opens', shop)" >"$R/meson.build"
	proposes
	# shellcheck disable=SC2046 # words of a list
	builds compile package $(when_found flawfinder scan) unit
	packed build/shop
}

@test "a configure script, made by hand or by Autotools" {
	needs make cc
	shop_c
	printf '%s\n' 'all: shop' 'shop: shop.c' '	cc -o $@ shop.c' 'check: shop' '	./shop' >"$R/Makefile.in"
	printf '%s\n' '#!/bin/sh' 'cp Makefile.in Makefile' >"$R/configure"
	chmod 755 "$R/configure"
	proposes
	# shellcheck disable=SC2046 # words of a list
	builds compile package $(when_found flawfinder scan) unit
	packed shop
	needs autoreconf automake
	git -C "$R" rm -q Makefile.in configure davit.yaml
	printf '%s\n' 'AC_INIT([shop], [1])' 'AM_INIT_AUTOMAKE([foreign])' 'AC_PROG_CC' 'AC_CONFIG_FILES([Makefile])' 'AC_OUTPUT' \
		>"$R/configure.ac"
	printf '%s\n' 'bin_PROGRAMS = till' 'till_SOURCES = shop.c' >"$R/Makefile.am"
	proposes
	# shellcheck disable=SC2046 # words of a list
	builds compile package $(when_found flawfinder scan) unit
	packed till
}

@test "Go without dependencies: no network; the program below cmd/ is found" {
	needs go
	printf '%s\n' 'module example.com/ann/shop/v2' '' 'go 1.18' >"$R/go.mod"
	file cmd/shop/main.go <<'GO'
package main

func main() { println("open") }
GO
	file cmd/shop/main_test.go <<'GO'
package main

import "testing"

func TestOpen(t *testing.T) {}
GO
	proposes
	fails grep -q 'network: true' "$R/davit.yaml"
	builds compile lint package unit
	packed shop
}

@test "Node without dependencies installs nothing; the test that npm init writes is none" {
	needs node npm
	echo '{"name":"shop","version":"1.0.0","scripts":{"test":"node --test","lint":"node --check server.js","start":"node server.js"}}' \
		>"$R/package.json"
	echo 'console.log("open")' >"$R/server.js"
	echo 'require("node:test")("opens", () => {})' >"$R/server.test.js"
	proposes
	builds lint package unit
	packed server.js
	rm "$R/davit.yaml"
	echo '{"scripts":{"test":"echo \"Error: no test specified\" && exit 1","build":"mkdir dist && cp server.js dist"}}' >"$R/package.json"
	proposes
	builds compile package
	packed dist/server.js
}

@test "Node with a dependency, with and without a lock file" {
	needs node npm
	file lib/till/package.json <<<'{"name":"till","version":"1.0.0","main":"till.js"}'
	file lib/till/till.js <<<'module.exports = "till"'
	echo '{"name":"shop","version":"1.0.0","dependencies":{"till":"file:lib/till"},"scripts":{"test":"node server.js"}}' >"$R/package.json"
	echo 'console.log(require("till"))' >"$R/server.js"
	proposes
	written "run: 'npm install --cache .npm --prefer-offline'"
	builds compile package unit
	rm "$R/davit.yaml"
	(cd "$R" && HOME=$T npm install --package-lock-only --offline --no-audit --no-fund) >"$T/npm" 2>&1 || { cat "$T/npm"; false; }
	proposes
	written "run: 'npm ci --cache .npm --prefer-offline'"
	said 'The stage scan is a comment'
	builds compile package unit
}

@test "Python without requirements: unittest, and nothing where there are no tests" {
	needs python3
	echo 'print("open")' >"$R/app.py"
	proposes
	builds package
	rm "$R/davit.yaml"
	file tests/test_app.py <<'PY'
import unittest
import app

class Opens(unittest.TestCase):
    def test_name(self): self.assertEqual(app.__name__, "app")
PY
	proposes
	written "run: 'python3 -m unittest discover -s tests'"
	builds package unit
}

# wheel NAME: a wheel of one module, made by hand, so that no registry is asked
wheel() {
	mkdir -p "$R/wheels"
	python3 - "$R/wheels/$1-1.0-py3-none-any.whl" "$1" <<'PY'
import sys, zipfile
path, name = sys.argv[1:]
with zipfile.ZipFile(path, "w") as z:
    about = f"{name}-1.0.dist-info"
    z.writestr(f"{name}.py", "OPEN = True\n")
    z.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    z.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr(f"{about}/RECORD", "")
PY
}
has_venv() { finds python3 && /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null; }

@test "Python with requirements: they are installed, tested with and deployed" {
	has_venv || skip "python3-venv is not installed"
	wheel till
	echo './wheels/till-1.0-py3-none-any.whl' >"$R/requirements.txt"
	printf '%s\n' 'import till' 'assert till.OPEN' 'print("open")' >"$R/app.py"
	printf '%s\n' 'import unittest, app' 'class Opens(unittest.TestCase):' '    def test(self): self.assertTrue(app.till.OPEN)' >"$R/test_app.py"
	proposes
	written "cache: { key: [requirements.txt], paths: [.pip-cache/] }"
	written "run: '.venv/bin/python3 app.py'"
	builds compile package unit
	# The environment goes with the release, wherever that lies.
	mkdir "$T/elsewhere"
	tar -xf "$T/release.tar" -C "$T/elsewhere"
	[ "$(cd "$T/elsewhere" && .venv/bin/python3 app.py)" = open ]
}

@test "Python with pytest among its requirements, from the registry" {
	has_venv || skip "python3-venv is not installed"
	curl -s --max-time 10 -o /dev/null https://pypi.org/simple/pytest/ || skip "the registry of Python is out of reach"
	echo 'pytest' >"$R/requirements-dev.txt"
	echo 'print("open")' >"$R/app.py"
	file tests/test_app.py <<<'def test_open(): pass'
	file tests/integration/test_till.py <<<'def test_till(): pass'
	proposes
	builds compile integration package unit
}

@test "Rust where a stage finds cargo; else init says what to do, and so does the stage" {
	file Cargo.toml <<'TOML'
[package]
name = "till"
version = "0.1.0"
TOML
	file src/main.rs <<'RS'
fn main() { println!("open"); }
#[test]
fn opens() {}
RS
	if finds cargo && finds rustc; then
		proposes
		builds compile package unit
		packed target/release/till
		return
	fi
	mkdir -p "$T/home/.cargo/bin"
	printf '#!/bin/sh\n' >"$T/home/.cargo/bin/cargo"
	chmod 755 "$T/home/.cargo/bin/cargo"
	PATH=$T/home/.cargo/bin:$PATH proposes
	said "The stages need cargo, and a stage sees no programs but those below /usr, not $T/home/.cargo/bin/cargo: apt-get install cargo"
	commit
	exits 10 env -C "$R" "$DAVIT" build --local
	says 'It ended with exit code 127: a program was not found. A stage sees those below /usr'
}

@test "Maven, from its registry" {
	needs mvn javac
	curl -s --max-time 10 -o /dev/null https://repo.maven.apache.org/maven2/ || skip "Maven's registry is out of reach"
	file pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId><artifactId>shop</artifactId><version>1.2</version>
  <properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target></properties>
</project>
XML
	file src/main/java/Shop.java <<<'public class Shop { public static void main(String[] a) { System.out.println("open"); } }'
	proposes
	written "run: 'java -jar target/shop-1.2.jar --server.port=\$PORT'"
	builds compile package
	packed target/shop-1.2.jar
}

@test "Gradle" {
	needs gradle javac
	printf "rootProject.name = 'shop'\n" >"$R/settings.gradle"
	printf "plugins { id 'java' }\n" >"$R/build.gradle"
	file src/main/java/Shop.java <<<'public class Shop { }'
	proposes
	builds compile package
	packed build/libs/shop.jar
}

@test "a Dockerfile alone is packed as it is, its scripts are checked, and its command is run" {
	printf 'FROM debian:12\nCMD ["sh", "serve.sh"]\n' >"$R/Dockerfile"
	printf '#!/bin/sh\necho open\n' >"$R/serve.sh"
	printf '%s\n' '#!/bin/sh' 'test "$(sh serve.sh)" = open' | file tests/integration.sh
	proposes
	written "run: 'sh serve.sh'"
	# shellcheck disable=SC2046 # words of a list
	builds integration $(when_found shellcheck lint) package
	packed serve.sh
}

@test "dev, staging and prod: prod takes a first release by hand, or, --gated, what staging had and somebody approved" {
	needs python3
	cat >"$R/app.py" <<'PY'
import http.server, os
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
PY
	git -C "$R" symbolic-ref HEAD refs/heads/master
	proposes
	written 'trigger: { branch: develop }'
	written 'trigger: { branch: master }'
	staging=$(free_port) dev=$(free_port)
	ports() { sed -i "s/127.0.0.1:8081/127.0.0.1:$dev/; s/127.0.0.1:8082/127.0.0.1:$staging/; s/0.0.0.0:8080/127.0.0.1:$PORT/" "$R/davit.yaml"; }
	ports
	up
	exits 0 davit deploy prod "$R" --as v1.0.0
	curl -sf -o /dev/null "http://127.0.0.1:$PORT/"
	rm "$R/davit.yaml"
	proposes --gated
	ports
	exits 5 davit deploy prod "$R" --as v2.0.0
	says 'was never live in staging, where releases for prod come from'
	exits 0 davit deploy staging "$R" --as v3.0.0
	wait_for 20 "the question" holds gated rollout .state
	exits 0 davit why prod
	says 'it needs the approval of 1 person'
	# The lines that are comments are the same that --gated has in force.
	cp "$R/davit.yaml" "$T/gated.yaml"
	rm "$R/davit.yaml"
	proposes
	ports
	sed -i 's/^    # from:/    from:/; s/^    # approve:/    approve:/' "$R/davit.yaml"
	diff <(grep -v '^ *#' "$R/davit.yaml") <(grep -v '^ *#' "$T/gated.yaml")
}
