#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# davit build --local: real projects in real sandboxes, and a repository that means harm. After each test no process, no
# mount, no cgroup and no directory of a run is left.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	git -C "$R" -c init.defaultBranch=main init -q
	git -C "$R" config user.name Tester
	git -C "$R" config user.email tester@example.com
	build_pid=''
}

teardown() {
	[ -z "$build_pid" ] || kill -9 "$build_pid" 2>/dev/null || true
	nothing_left
	kit_teardown
}

# No sandbox of this test: its bwrap names $T, its processes belong to users that only sandboxes have.
sandboxes() { pgrep -f "bwrap .*$T/" || true; }
nothing_left() {
	wait_for 10 "the sandboxes to be gone" holds '' sandboxes
	holds '' cgroups
	! grep -q "$T" /proc/mounts
	[ ! -e "$T/state/build/run" ]
}
cgroups() { find /sys/fs/cgroup -maxdepth 4 -type d -name "davit-build-${built:-none}-*" 2>/dev/null || true; }

# pipeline YAML: davit.yaml with this pipeline
pipeline() {
	EXTRA=$(printf 'pipeline:\n%s' "$1")
	write_config "$R/davit.yaml"
}
commit() { git -C "$R" add -A && git -C "$R" commit -q --allow-empty -m "${1:-A change}"; }

# build CODE [ARGUMENT...]: exits with CODE; what it says is in $output
build() {
	local want=$1
	shift
	exits "$want" build_there "$@"
}
build_there() { (cd "$R" && exec "$DAVIT" build --local "$@") </dev/null 3>&- 4>&-; }
# What a shell starts in the background ignores INT; davit must not.
build_in_background() {
	(cd "$R" && exec python3 -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
		"$DAVIT" build --local "$@" >"$T/out" 2>&1 </dev/null 3>&- 4>&-) &
	build_pid=$! built=$build_pid
}
log() { sed -E 's/^[^ ]+ //' "$T/state/build/logs/$1.log"; }
has_line() { log "$1" | grep -qxF -- "$2" || { echo "$1 did not write: $2"; log "$1"; return 1; }; }
stage() { jq -r --arg stage "$1" "select(.schema == \"davit.v1/build\") | .stages[] | select(.stage == \$stage) | $2" <<<"$output"; }

greeter() {
	cat >"$R/greet.c" <<'C'
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
C
	printf 'bin/greet: greet.c\n\tmkdir -p bin\n\t$(CC) -O1 -o $@ greet.c\ntest: bin/greet\n\ttest "$$(bin/greet)" = hello\n' >"$R/Makefile"
	cp "$DAVIT_APP" "$R/app"
	printf 'version=v1\njournal=%s/journal\n' "$T" >"$R/release.conf"
}

@test "a C project is compiled, tested and packed, and its archive is deployed" {
	greeter
	pipeline '  compile: { run: make, outputs: [bin/] }
  unit: { run: "make test; echo made $(stat -c %Y bin/greet)", needs: [compile] }
  package: { needs: [unit], archive: [bin/, app, release.conf] }'
	commit 'The greeter'
	build 0 --output "$T/shop.tar"
	says "Building shop at $(git -C "$R" rev-parse --short=12 HEAD) (main): The greeter"
	says "Next: davit deploy prod $T/shop.tar"
	# The next stage has the file that the one before made: make did not make it again.
	fails grep -q 'cc -O1' "$T/state/build/logs/unit.log"
	is "./
bin/greet
app
davit.yaml
release.conf" sh -c "echo ./; tar tf '$T/shop.tar' | grep -v /\$ | grep -v '^bin\$' | sort | sed -n '/^bin/p'; tar tf '$T/shop.tar' | grep -v '^bin' | sort"
	# The same commit gives the same archive.
	sum=$(sha256sum <"$T/shop.tar")
	build 0 --output "$T/shop.tar"
	is "$sum" sh -c "sha256sum <'$T/shop.tar'"
	nothing_left
	up
	exits 0 davit deploy prod "$T/shop.tar" --as v1
	is v1 answering
}

@test "a test that fails stops the pipeline, says why, and what always runs has run" {
	greeter
	pipeline '  compile: { run: make, outputs: [bin/] }
  unit: { run: "echo before; echo broken >&2; exit 3; echo after", needs: [compile] }
  package: { needs: [unit], archive: [bin/] }
  tell: { run: echo told, finally: true }'
	commit
	build 10
	says 'It ended with exit code 3.'
	says '  broken'
	says 'unit failed'
	says "Next: less $T/state/build/logs/unit.log"
	has_line unit before
	fails has_line unit after
	has_line tell told
	[ ! -e "$T/state/build/logs/package.log" ]
	build 10 --json
	is skipped stage package .state
	is unit stage package .blame
	is 3 stage unit .exit_code
}

@test "the working tree is not part of it, and that is said" {
	pipeline '  look: { run: "cat file; ls" }'
	echo committed >"$R/file"
	commit
	echo changed >"$R/file"
	echo new >"$R/untracked"
	echo 'broken: [' >"$R/davit.yaml"
	build 0
	says 'Not part of it, for it is not committed: davit.yaml, file, untracked.'
	has_line look committed
	fails has_line look untracked
}

@test "stages without needs run at the same time, but not more than may" {
	pipeline '  a: { run: "sleep 1.5" }
  b: { run: "sleep 1.5" }
  c: { run: "sleep 1.5" }'
	commit
	build 0 --parallel 3 --json
	at() { jq -rn --arg s "$1" '[inputs | select(.schema == "davit.v1/build-stage")] | map(.stage + ":" + .state) | index($s)' <<<"$output"; }
	[ "$(at c:running)" -lt "$(at a:passed)" ]
	build 0 --parallel 1 --json
	[ "$(at b:running)" -gt "$(at a:passed)" ]
	[ "$(at c:running)" -gt "$(at b:passed)" ]
}

@test "only a stage and what it needs; a branch decides what runs" {
	pipeline '  a: { run: "echo a" }
  b: { run: "echo b", needs: [a] }
  c: { run: "echo c" }
  d: { run: "echo d", when: { branch: [release/] } }'
	commit
	build 0 --stage b --json
	is passed stage a .state
	is passed stage b .state
	is skipped stage c .state
	build 0 --json
	is skipped stage d .state
	git -C "$R" checkout -q -b release/1.2
	build 0 release/1.2 --json
	is passed stage d .state
	build 3 --stage x
	says 'no stage "x"'
}

@test "a failure is tried again from a clean copy" {
	pipeline '  flaky: { run: "test ! -e mark; touch mark; echo try; test -e /tmp/never", retry: 2 }'
	commit
	build 10 --json
	is 3 stage flaky .attempt
	is 3 sh -c "grep -c try '$T/state/build/logs/flaky.log'"
}

@test "a timeout ends everything, also what ignores TERM and forks away" {
	cat >"$R/stubborn.py" <<'PY'
import os, signal, sys, time
for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(n, signal.SIG_IGN)
for i in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(1)
                if os.fork() == 0:
                    continue
                os._exit(0)
print("stubborn", flush=True)
while True:
    time.sleep(1)
PY
	pipeline '  hang: { run: "exec python3 stubborn.py", timeout: 1s }'
	commit
	build 10
	says 'Its time was over.'
	has_line hang stubborn
	nothing_left
}

@test "Ctrl-C stops every stage and leaves nothing" {
	pipeline '  a: { run: "trap \"echo asked; exit 1\" TERM; echo up; sleep 600 & wait" }
  b: { run: "echo up; sleep 600", retry: 3 }
  c: { run: "echo never", finally: true }'
	commit
	build_in_background --parallel 2
	wait_for 20 "both to run" both_up
	kill -INT "$build_pid"
	status=0
	wait "$build_pid" || status=$?
	build_pid=''
	is 130 echo "$status"
	has_line a asked
	grep -q 'Cancelled; everything was stopped.' "$T/out"
	[ ! -e "$T/state/build/logs/c.log" ]
	nothing_left
}
both_up() { has_line a up && has_line b up; }

@test "after kill -9 of davit its sandboxes are gone, and the next build cleans up" {
	pipeline '  a: { run: "echo up; sleep 600" }'
	commit
	build_in_background
	wait_for 20 "the stage to run" has_line a up
	kill -9 "$build_pid"
	wait "$build_pid" || true
	build_pid=''
	wait_for 10 "the sandbox to be gone" holds '' sandboxes
	[ -e "$T/state/build/run" ]
	pipeline '  a: { run: "echo down" }'
	commit
	build 0
	nothing_left
}

@test "two builds in one directory: the second one is told" {
	pipeline '  a: { run: "echo up; sleep 600" }'
	commit
	build_in_background
	wait_for 20 "the stage to run" has_line a up
	build 5
	says "Another davit (pid $build_pid) builds in"
	kill -TERM "$build_pid"
	wait "$build_pid" || true
	build_pid=''
}

@test "a service is ready before the stage, is reached at 127.0.0.1, and ends with it" {
	cat >"$R/server.py" <<'PY'
import socket, time
time.sleep(0.3)
s = socket.create_server(("127.0.0.1", 5432))
while True:
    c, _ = s.accept()
    c.sendall(b"pong\n")
    c.close()
PY
	pipeline '  integration:
    services:
      db: { run: "exec python3 server.py", ready: { tcp: 5432 } }
      file: { run: "sleep 0.2; touch /tmp/ready; exec sleep 600", ready: { run: test -e /tmp/ready } }
    run: python3 -c "import socket; print(socket.create_connection((\"127.0.0.1\", 5432)).recv(9).decode())"'
	commit
	build 0
	has_line integration pong
	nothing_left
	pipeline '  late: { run: "echo never", services: { db: { run: sleep 600, ready: { tcp: 5432, deadline: 500ms } } } }
  dead: { run: "echo never", services: { db: { run: "exit 7", ready: { tcp: 5432 } } } }'
	commit
	build 10
	says 'The service "db" was not ready within 500 ms.'
	build 10 --stage dead
	says 'The service "db" ended before the stage began (exit 7).'
	fails has_line late never
}

@test "results in JUnit's XML are read, and failures in it fail the stage" {
	cat >"$R/results.xml" <<'XML'
<testsuite><testcase classname="cart" name="adds"/><testcase classname="cart" name="pays &lt;now&gt;"><failure/></testcase>
<testcase name="later"><skipped/></testcase></testsuite>
XML
	pipeline '  unit: { run: "true", junit: results.xml }'
	commit
	build 10
	says '1 of 3 tests passed, 1 skipped'
	says '1 of 3 tests failed.'
	says 'cart.pays <now>'
	build 10 --json
	is 'cart.pays <now>' stage unit '.tests.failed_names[0]'
	pipeline '  unit: { run: "true", junit: missing.xml }'
	commit
	build 10
	says 'Its results in "missing.xml" cannot be read'
}

@test "what a cache holds comes back for the same key alone, and a failure keeps nothing" {
	pipeline '  vendor: { run: "ls deps 2>/dev/null || { mkdir deps; echo v1 >deps/lib; }; cat deps/lib; test ! -e fail", cache: { key: [lock], paths: [deps/] } }'
	echo one >"$R/lock"
	touch "$R/fail"
	commit
	build 10
	is 0 sh -c "find '$T/state/build/cache' -mindepth 1 | wc -l"
	rm "$R/fail"
	commit
	build 0 --json
	is null stage vendor .cached
	build 0 --json
	is true stage vendor .cached
	has_line vendor lib
	echo two >"$R/lock"
	commit
	build 0 --json
	is null stage vendor .cached
}

@test "a program that no stage sees is said to be that; Go is sought where its archive is unpacked to" {
	pipeline '  where: { run: "echo $PATH" }
  gone: { run: no-such-program, needs: [where] }'
	commit
	build 10
	says 'It ended with exit code 127: a program was not found. A stage sees those below /usr'
	has_line where /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/go/bin:/run/davit/bin
}

@test "bad command lines, a directory without a repository, a commit without a davit.yaml" {
	commit 'Nothing'
	build 3
	says 'has no file davit.yaml'
	exits 6 env -C "$R" "$DAVIT" build
	says 'davit build --local'
	build 2 '--parallel=0'
	build 3 no-such-branch
	mkdir "$T/plain"
	exits 2 env -C "$T/plain" "$DAVIT" build --local
	says 'not a git repository'
	pipeline '  a: { run: x, needs: [b] }'
	commit
	build 2
	says 'davit.yaml:'
	says 'There is no stage "b" to need'
}

@test "the pipeline that davit init proposes builds the project it was made for" {
	printf 'repo: repo.c\n\t$(CC) -o $@ repo.c\ntest: repo\n\t./repo\n' >"$R/Makefile"
	echo 'int main(void) { return 0; }' >"$R/repo.c"
	exits 0 env -C "$R" "$DAVIT" init
	commit
	build 0
	says 'passed     unit'
	is 'davit.yaml repo' sh -c "tar tf '$T/state/build/release.tar' | sort | xargs"
}

@test "what docs/pipeline.md tells people to type does what it says" {
	unset DAVIT_STATE
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	for name in project changed other; do
		python3 - "$top/docs/pipeline.md" "$name" <<'PY' >"$T/block.$name"
import re, sys
found = re.findall(rf"<!-- run: {sys.argv[2]} -->\n```sh\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)
print(found[0], end="") if len(found) == 1 else sys.exit("not one block")
PY
	done
	[ "$(grep -c '<!-- run:' "$top/docs/pipeline.md")" = 3 ]
	run_block() { (cd "$1" && exec env PATH="$BUILD:$PATH" bash -e "$T/block.$2") >"$T/said.$2" 2>&1 </dev/null 3>&- || { cat "$T/said.$2"; false; }; }
	run_block "$T" project
	grep -q 'Next: davit deploy prod .*/greet/.davit/build/release.tar' "$T/said.project"
	run_block "$T/greet" changed
	grep -q 'not committed: greet.c' "$T/said.changed"
	grep -q 'exit code 10' "$T/said.changed"
	run_block "$T/greet" other
	tail -n 4 "$T/said.other" | grep -qx bin/greet
}

# --- a repository that means harm

@test "a hostile stage reaches neither the network nor other processes, files or davit's state" {
	echo canary >"$T/state-secret"
	chmod 644 "$T/state-secret"
	python3 -m http.server --bind 127.0.0.1 "$PORT" --directory "$T" >/dev/null 2>&1 3>&- 4>&- &
	chaos_pids+=($!)
	wait_for 10 "the server outside" curl -s -o /dev/null "http://127.0.0.1:$PORT/"
	cat >"$R/probe.py" <<PY
import os, socket, sys
def attempt(what, f):
    try:
        print(what, "YES", f())
    except Exception as e:
        print(what, "no", type(e).__name__)
def reach(host, port):
    socket.create_connection((host, port), 2)
attempt("loopback of the host", lambda: reach("127.0.0.1", $PORT))
attempt("the net", lambda: reach("1.1.1.1", 80))
attempt("write /", lambda: open("/x", "w"))
attempt("write /usr", lambda: open("/usr/x", "w"))
attempt("write /etc", lambda: open("/etc/x", "w"))
attempt("write /run", lambda: open("/run/davit/x", "w"))
attempt("read /root", lambda: os.listdir("/root"))
attempt("read the state", lambda: open("$T/state-secret").read())
attempt("read /etc/shadow", lambda: open("/etc/shadow").read())
attempt("read /sys", lambda: os.listdir("/sys/kernel"))
attempt("become root", lambda: os.setuid(0))
attempt("mount", lambda: os.execvp("mount", ["mount", "-t", "tmpfs", "none", "/mnt"]) if os.fork() == 0 else 1 / (os.wait()[1] == 0))
attempt("see the host", lambda: 1 / len([p for p in os.listdir("/proc") if p.isdigit() and b"davit-test" in open(f"/proc/{p}/cmdline", "rb").read().split(b"sandbox-inside")[0] and int(p) > 1]))
attempt("kill the host", lambda: os.kill($$, 0))
attempt("open a device", lambda: open("/dev/vda"))
attempt("the socket of davit", lambda: open("/proc/2/fd/0"))
print("processes", sorted(int(p) for p in os.listdir("/proc") if p.isdigit())[-1] < 100)
print("uid", os.getuid() != 0)
print("nnp", "NoNewPrivs:\t1" in open("/proc/self/status").read())
print("caps", "CapEff:\t0000000000000000" in open("/proc/self/status").read())
print("end")
PY
	pipeline '  probe: { run: "exec python3 probe.py" }'
	commit
	build 0
	has_line probe end
	fails grep -q YES "$T/state/build/logs/probe.log"
	fails grep -q False "$T/state/build/logs/probe.log"
	is 16 sh -c "grep -c ' no ' '$T/state/build/logs/probe.log'"
}

@test "a fork bomb, a huge file, endless output and a deep tree are bounded, and all of it goes away" {
	pipeline '  bomb: { run: "b() { b | b & }; b; sleep 1; echo alive; exit 1" }'
	commit
	build 10 --stage bomb
	nothing_left
	pipeline '  huge: { run: "truncate -s 5G big && echo made || echo bounded" }
  loud: { run: "yes | head -c 40000000; echo after" }
  deep: { run: "python3 -c \"import os\nfor i in range(3000): os.mkdir(\\\"d\\\"); os.chdir(\\\"d\\\")\nos.chmod(\\\".\\\", 0)\"" }'
	commit
	build 0
	has_line huge bounded
	says 'passed     deep'
	[ "$(stat -c %s "$T/state/build/logs/loud.log")" -lt 17000000 ]
	tail -n 1 "$T/state/build/logs/loud.log" | grep -q 'output past 16MiB is not kept'
	nothing_left
}

@test "a commit that is a few bytes in git and two million files outside is refused" {
	local tree blob i
	pipeline '  a: { run: "true" }'
	commit
	blob=$(echo x | git -C "$R" hash-object -w --stdin)
	tree=$(for i in 0 1 2 3 4 5 6 7 8 9; do printf '100644 blob %s\t%s\n' "$blob" "$i"; done | git -C "$R" mktree)
	for _ in 1 2 3 4 5; do
		tree=$(for i in 0 1 2 3 4 5 6 7 8 9; do printf '040000 tree %s\t%s\n' "$tree" "$i"; done | git -C "$R" mktree)
	done
	tree=$({
		git -C "$R" ls-tree HEAD davit.yaml
		printf '040000 tree %s\tone\n040000 tree %s\ttwo\n' "$tree" "$tree"
	} | git -C "$R" mktree)
	git -C "$R" branch bomb "$(git -C "$R" -c user.name=Eve -c user.email=eve@example.com commit-tree -m Bomb "$tree")"
	build 1 bomb
	says "The commit is larger than davit builds"
}

@test "outputs that lead out of the tree are refused, whatever stands in their place" {
	mkdir -p "$R/in"
	pipeline '  link: { run: "ln -s /etc/passwd leak", outputs: [leak] }'
	commit
	build 10
	says 'leads out of the application'
	pipeline '  dir: { run: "rm -rf in; ln -s /root in; true", outputs: [in/x] }'
	commit
	build 10
	says 'a link or a file stands where a directory should'
	pipeline '  fifo: { run: "mkfifo pipe", outputs: [pipe] }'
	commit
	build 10
	says 'neither a file nor a directory nor a link'
	pipeline '  pack: { run: "mkdir bin; ln -s ../../../../etc/passwd bin/x", archive: [bin/] }'
	commit
	build 10
	says 'leads out of the application'
	pipeline '  results: { run: "ln -s /etc/passwd r.xml", junit: r.xml }'
	commit
	build 10
	says 'cannot be read'
	[ ! -e "$T/state/build/release.tar" ]
}

@test "a link that is committed cannot make davit write through it" {
	mkdir "$T/outside"
	ln -s "$T/outside" "$R/bin"
	pipeline '  compile: { run: "rm bin; mkdir bin; echo x >bin/made", outputs: [bin/] }
  use: { run: "cat bin/made", needs: [compile], cache: { key: [davit.yaml], paths: [bin/] } }'
	commit
	build 0
	has_line use x
	build 0
	is 0 sh -c "ls '$T/outside' | wc -l"
}

@test "a real PostgreSQL beside a stage" {
	local bin
	bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
	[ -n "$bin" ] || skip "PostgreSQL is not installed"
	pipeline "  integration:
    env: { BIN: \"$bin\" }
    services:
      db:
        run: \"\\\"\$BIN/initdb\\\" -D /tmp/db -A trust -U shop --no-locale >/dev/null && exec \\\"\$BIN/postgres\\\" -D /tmp/db -k /tmp -h 127.0.0.1\"
        ready: { run: \"\\\"\$BIN/pg_isready\\\" -q -h 127.0.0.1\", deadline: 60s }
    run: \"\\\"\$BIN/psql\\\" -h 127.0.0.1 -U shop -d postgres -At -c 'select 6 * 7'\""
	commit
	build 0
	has_line integration 42
}

@test "hooks, filters and submodules of the repository do nothing" {
	git -c init.defaultBranch=main init -q "$T/sub"
	git -C "$T/sub" -c user.name=x -c user.email=x@x commit -q --allow-empty -m sub
	git -C "$R" -c protocol.file.allow=always submodule --quiet add "$T/sub" sub
	echo '* filter=evil' >"$R/.gitattributes"
	pipeline '  look: { run: "ls sub | wc -l; cat .gitattributes" }'
	commit
	for hook in post-checkout reference-transaction post-index-change pre-commit; do
		printf '#!/bin/sh\ntouch %s/pwned\n' "$T" >"$R/.git/hooks/$hook"
		chmod +x "$R/.git/hooks/$hook"
	done
	git -C "$R" config filter.evil.smudge "touch $T/pwned; cat"
	git -C "$R" config filter.evil.process "touch $T/pwned"
	git -C "$R" config core.fsmonitor "$R/.git/hooks/pre-commit"
	git -C "$R" config core.sshCommand "touch $T/pwned"
	git -C "$R" config core.pager "touch $T/pwned"
	git -C "$R" config log.showSignature true
	git -C "$R" config gpg.program "$R/.git/hooks/pre-commit"
	rm -rf "$R/sub"
	build 0
	has_line look 0
	has_line look '* filter=evil'
	[ ! -e "$T/pwned" ]
}

@test "200 names of branches, authors and messages are data" {
	pipeline '  env: { run: "env | sort" }'
	commit
	BUILD_DAVIT=$DAVIT T=$T R=$R python3 - <<'PY' >"$T/names"
import os, random, subprocess
T, R, davit = os.environ["T"], os.environ["R"], os.environ["BUILD_DAVIT"]
pieces = ["$(touch %s/pwned)" % T, "`touch %s/pwned`" % T, ";touch %s/pwned" % T, "--upload-pack=touch %s/pwned" % T, "-x", "zzz\";echo${IFS}\"hello\";#",
          "\x1b[31m", "\u202e", "\u00e9", "|id", "&&id", "'", "\"", "%s%n", "a b", "../..", "@{-1}", "HEAD", "\\", "<script>", "refs/heads/main", "\n"]
random.seed(7)
env = dict(os.environ, GIT_AUTHOR_DATE="2020-01-01T00:00:00Z", GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
def git(*a, **k):
    return subprocess.run(["git", "-C", R, *a], capture_output=True, env=env, **k)
bad = 0
for i in range(200):
    name = "".join(random.sample(pieces, random.randint(1, 3)))
    made = git("update-ref", "refs/heads/" + name, "HEAD").returncode == 0
    # As an argument: refused as a usage error or a commit that is not there; never taken for an option or a script.
    p = subprocess.run([davit, "build", "--local", "--stage", "none", "--", name], cwd=R, capture_output=True, env=env, stdin=subprocess.DEVNULL)
    ok = p.returncode in (2, 3) and b"\x1b" not in p.stderr + p.stdout and "\u202e".encode() not in p.stderr + p.stdout
    if i % 20 == 0:
        # As branch, author and message of what is built.
        if made:
            git("symbolic-ref", "HEAD", "refs/heads/" + name)
        git("-c", "user.name=" + name.replace("\n", "") + "x", "commit", "-q", "--allow-empty", "-m", name + " ")
        p = subprocess.run([davit, "build", "--local"], cwd=R, capture_output=True, env=env, stdin=subprocess.DEVNULL)
        ok = ok and p.returncode == 0 and b"\x1b" not in p.stderr + p.stdout and "\u202e".encode() not in p.stderr + p.stdout
        log = open(T + "/state/build/logs/env.log", "rb").read()
        branch = [l for l in log.split(b"\n") if b"DAVIT_BRANCH=" in l][0].split(b"DAVIT_BRANCH=")[1].decode()
        ok = ok and (branch == "" or all(c.isalnum() and c.isascii() or c in "._/-" for c in branch))
        git("symbolic-ref", "HEAD", "refs/heads/main")
        git("reset", "-q", "--hard")
    if not ok:
        bad += 1
        print("bad", repr(name), p.returncode, p.stderr, p.stdout[-300:])
print("bad:", bad, "pwned:", os.path.exists(T + "/pwned"))
PY
	cat "$T/names"
	is 'bad: 0 pwned: False' tail -n 1 "$T/names"
}

@test "without bubblewrap nothing is run, and what to do is said" {
	pipeline '  a: { run: "touch /tmp/never" }'
	commit
	mkdir "$T/path"
	ln -s "$(command -v git)" "$T/path/git"
	exits 2 env -C "$R" PATH="$T/path" "$DAVIT" build --local
	says 'install the package "bubblewrap"'
	printf '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n' >"$T/path/bwrap"
	chmod +x "$T/path/bwrap"
	ln -s /bin/sh "$T/path/sh"
	exits 2 env -C "$R" PATH="$T/path" "$DAVIT" build --local
	says 'bubblewrap cannot make one here: No permissions to create new namespace'
	[ ! -e "$T/state/build/logs/a.log" ]
}

@test "an ordinary user builds too, in a user namespace" {
	[ "$(id -u)" = 0 ] || skip "only root can become another user"
	greeter
	pipeline '  compile: { run: "make; id -un; cat /proc/self/uid_map", outputs: [bin/] }
  unit: { run: "make test; ! cat /etc/shadow; python3 -c \"bytearray(5 << 30)\" || echo bounded", needs: [compile] }
  bomb: { run: "b() { b | b & }; b; sleep 1; exit 1", needs: [unit] }'
	commit
	mkdir "$T/home"
	cp "$DAVIT" "$T/davit"
	cp -r "$R" "$T/home/repo"
	chown -R nobody "$T/home"
	exits 10 setpriv --reuid nobody --clear-groups env -C "$T/home/repo" HOME=/nonexistent "$T/davit" build --local --state "$T/home/state"
	says 'passed     unit'
	says 'failed     bomb'
	grep -q ' build$' "$T/home/state/build/logs/compile.log"
	# Where it may write no cgroup, each process's memory is bounded.
	[ -n "$(find /sys/fs/cgroup -maxdepth 3 -user nobody 2>/dev/null | head -1)" ] || grep -q ' bounded$' "$T/home/state/build/logs/unit.log"
	[ ! -e "$T/home/state/build/run" ]
}
