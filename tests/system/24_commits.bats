#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What davit knows of git around a release: the commits it brings, who wrote them, how long each took.

load lib.bash

setup() {
	kit_setup
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	STAGING_PORT=$(free_port)
	INSTANCES=1
	STRATEGY=$FAST_BLUE_GREEN
	ENVIRONMENT_EXTRA='    analysis: off'
	R=$T/repo
	mkdir "$R"
	chmod 755 "$T" "$R"
	g init -q -b main
	g config user.name 'Ann Émile'
	g config user.email ann@example.com
	EXTRA='pipeline: { package: { archive: [app, n] } }'
	write_config "$R/davit.yaml"
	cp "$BUILD/tests/system/app" "$R/app"
	change First
}

teardown() { kit_teardown; }

g() { git -C "$R" "$@" 3>&- 4>&-; }
in_repo() { (cd "$R" && "$DAVIT" "$@" </dev/null 3>&-); }
# change SUBJECT [GIT-OPTION...]: a commit of other bytes
change() {
	local subject=$1
	shift
	echo "$RANDOM $RANDOM" >"$R/n"
	g add -A && g "$@" commit -q -m "$subject"
}
# aged SECONDS SUBJECT [GIT-OPTION...]: one that was made so long ago
aged() {
	local at=$(($(date +%s) - $1))
	shift
	GIT_AUTHOR_DATE="$at +0000" GIT_COMMITTER_DATE="$at +0000" change "$@"
}
live_in() { davit status "$1" --json | jq -r '.applications[0].environments[0].live.tag'; }
dora() { davit dora prod --rows --json | jq -c ".environments[0] | $1"; }
rows_have() { davit dora prod --rows --json | jq -r '.environments[0].rows[0].commits[].commit' | sort; }
listed() { davit postmortem prod --json | jq -r '.commits[].commit'; }
asked_git() { grep -q "control.commits rollout=$1 " "$T/up.log"; }
gated() { davit why prod --json | jq -r .state; }
fingerprint() { ssh-keygen -l -f "$T/$1.pub" | awk '{ print $2 }'; }
# ann, bob and eve may answer for prod; eve writes nothing
people() {
	local who
	for who in ann bob eve; do ssh-keygen -q -t ed25519 -N '' -C "$who" -f "$T/$who" </dev/null; done
	cat >"$T/server.yaml" <<-YAML
		people:
		  ann: ["ssh:$(fingerprint ann)", "mail:ann@example.com"]
		  bob: ["ssh:$(fingerprint bob)", "mail:bob@example.com"]
		  eve: ["ssh:$(fingerprint eve)"]
		groups: { managers: [ann, bob, eve] }
		protect: { shop/prod: { approve: { by: [managers] } } }
	YAML
}
# The commits that git itself names between two, but merges.
between() { g log --format=%H --no-merges "$1..$2" | sort; }

@test "each commit's time to production is measured, once, and the rows say which commits they are" {
	local first second hour=3600
	up
	exits 0 in_repo build --to prod
	wait_for 20 "v0.0.1 in prod" holds v0.0.1 live_in prod
	first=$(g rev-parse HEAD)
	is false dora .change_lead_time.recorded
	exits 0 davit dora prod
	says "no commits known: that needs two releases"

	for i in 1 2 3 4; do aged $((i * hour)) "Change $i"; done
	g checkout -q -b feature "$first"
	echo 1 >"$R/feature"
	g add -A && GIT_COMMITTER_DATE="$(($(date +%s) - 10 * hour)) +0000" g commit -q -m Feature
	g checkout -q main
	g merge -q --no-edit feature
	# One whose clock is a day ahead counts from its push.
	aged $((-24 * hour)) 'From the future'
	second=$(g rev-parse HEAD)
	exits 0 in_repo build --to prod
	wait_for 20 "v0.0.2 in prod" holds v0.0.2 live_in prod
	wait_for 10 "its commits" holds true dora .change_lead_time.recorded
	# 1, 2, 3, 4 and 10 hours, and seconds: places 3 and 6 of 6.
	is 6 dora .change_lead_time.commits.n
	is true dora ".change_lead_time.commits | .p50_ms - 2 * $hour * 1000 | . >= 0 and . < 120000"
	is true dora ".change_lead_time.commits | .p90_ms - 10 * $hour * 1000 | . >= 0 and . < 120000"
	is '{"deployments":1,"unknown":1,"cut":0}' dora '.change_lead_time | {deployments, unknown, cut}'
	is "$(between "$first" "$second")" rows_have
	is true dora "[.rows[0].commits[] | select(.commit == \"$second\") | .lead_ms] | length == 1 and .[0] < 120000"
	is null dora .rows[1].commits
	exits 0 davit dora prod --rows
	says "(6) commits of 1 of 2 deployments"
	says "6 commits, the oldest 10h"

	# Back, and there again: nothing counts twice. Nor does the other environment's time.
	exits 0 davit rollback prod
	is v0.0.1 live_in prod
	# Its post-mortem begins where the commit became known, and tells of the build.
	exits 0 davit postmortem 3 --json
	is 'build 2: commit is known' jq -r '.timeline[0] | "\(.event): \(.what)"' <<<"$output"
	is 'rollout 2' jq -r '[.timeline[] | select(.what == "is live")][0].event' <<<"$output"
	is 1 jq '[.timeline[] | select(.event == "build 2" and (.text | test("package passed")))] | length' <<<"$output"
	exits 0 davit postmortem 3
	says "| build 2 |"
	exits 0 davit deploy prod v0.0.2 --allow-bad
	wait_for 10 "both to be known" holds 2 dora .change_lead_time.deployments
	is 6 dora .change_lead_time.commits.n
	is '[]' dora .rows[0].commits
	exits 0 davit audit --verify
}

@test "a deployment that repairs another is rework" {
	up
	release v1
	release v2
	exits 0 davit deploy prod "$T/rel/v1" --as v1
	is false dora .rework_rate.recorded
	exits 0 davit dora prod
	says "no repairs recorded; davit deploy --fixes marks one"
	exits 2 davit deploy prod "$T/rel/v2" --as v2 --fixes one
	says "takes the number of a rollout"
	exits 3 davit deploy prod "$T/rel/v2" --as v2 --fixes 77
	exits 0 davit deploy prod "$T/rel/v2" --as v2 --fixes 1
	is '{"recorded":true,"repairs":1,"deployments":2}' dora '.rework_rate | {recorded, repairs, deployments}'
	# What it repairs has failed, and was well again when the repair was.
	is '{"failed":1,"exposed":2}' dora '.change_fail_rate | {failed, exposed}'
	is 2 dora '.rows[] | select(.rollout == 1) | .taken_back_by'
	exits 0 davit dora prod --rows
	says "repairs rollout 1"
}

@test "who wrote any commit of the release does not count among those who say yes" {
	local theirs
	people
	up --server "$T/server.yaml"
	exits 0 in_repo build --to prod
	wait_for 10 "the question" holds gated gated
	# Nothing was live before: only who wrote the commit that is built is asked for.
	exits 4 davit approve prod --key "$T/ann" --yes
	says "ann wrote commit $(g rev-parse HEAD | cut -c 1-12) of it (First), and shop/prod wants another person"
	exits 0 davit approve prod --key "$T/bob" --yes
	wait_for 20 "v0.0.1 in prod" holds v0.0.1 live_in prod

	change "Bob's \$(touch $T/evil) \"change\"" -c user.email=Bob@Example.com
	theirs=$(g rev-parse HEAD | cut -c 1-12)
	change 'The last one'
	exits 0 in_repo build --to prod
	wait_for 10 "the question" holds gated gated
	wait_for 10 "git's answer" asked_git 2
	exits 4 davit approve prod --key "$T/ann" --yes
	exits 4 davit approve prod --key "$T/bob" --yes
	says "bob wrote commit $theirs of it"
	is gated gated
	exits 0 davit approve prod --key "$T/eve" --yes
	wait_for 20 "v0.0.2 in prod" holds v0.0.2 live_in prod

	# A commit whose author cannot be told may be anybody's, wherever it stands.
	change 'A long address' -c user.email="$(printf 'a%.0s' {1..300})@example.com"
	theirs=$(g rev-parse HEAD | cut -c 1-12)
	change Last
	exits 0 in_repo build --to prod
	wait_for 10 "the question" holds gated gated
	wait_for 10 "git's answer" asked_git 3
	exits 4 davit approve prod --key "$T/eve" --yes
	says "eve may have written commit $theirs of it"
	[ ! -e "$T/evil" ]
}

@test "a release with more commits than davit reads says so, and may be anybody's" {
	people
	up --server "$T/server.yaml"
	exits 0 in_repo build --to prod
	wait_for 10 "the question" holds gated gated
	exits 0 davit approve prod --key "$T/eve" --yes
	wait_for 20 "v0.0.1 in prod" holds v0.0.1 live_in prod
	python3 -c '
for i in range(1100):
    print(f"commit refs/heads/main\ncommitter C <c@example.com> {1700000000 + i} +0000\ndata 2\nc\n" + ("from refs/heads/main^0\n" if i == 0 else ""))' |
		g fast-import --quiet
	g reset -q --hard main
	change Last
	exits 0 in_repo build --to prod
	wait_for 10 "the question" holds gated gated
	wait_for 10 "git's answer" asked_git 2
	exits 4 davit approve prod --key "$T/eve" --yes
	says "eve may have written some of it: it has more commits than davit reads"
	exits 0 davit approve prod --key "$T/eve" --emergency -m 'it is urgent'
	exits 0 davit approve prod --key "$T/bob" --emergency -m 'it is urgent'
	wait_for 20 "v0.0.2 in prod" holds v0.0.2 live_in prod
	wait_for 10 "its commits" holds true dora .change_lead_time.recorded
	is '{"n":1000,"cut":1}' dora '.change_lead_time | {n: .commits.n, cut}'
	exits 0 davit dora prod
	says "of 1 of them not all are read"
}

@test "a post-mortem lists the commits of the bad release that the one before had not" {
	# shellcheck disable=SC2016
	local evil='<script>alert(1)</script> | `x` [y](z)' first
	STRATEGY='[switch, { bake: 10m }]'
	write_config "$R/davit.yaml"
	change Second
	up
	exits 0 in_repo build --to prod
	wait_for 20 "v0.0.1 in prod" holds succeeded rollout .state
	first=$(g rev-parse HEAD)
	change "$evil"
	change 'The bad one'
	exits 0 in_repo build --to prod
	served() { [ "$(rollout .weight_bp)" = 10000 ] && [ "$(rollout .step)" -gt 1 ]; }
	wait_for 20 "users to meet it" served
	exits 0 davit abort prod -m 'it is bad'
	wait_for 20 "the way back" holds reverted rollout .state
	is "$(g log --format=%H "$first..HEAD")" listed
	exits 0 davit postmortem prod --format html
	says '&lt;script&gt;alert(1)'
	fails grep -q '<script>' <<<"$output"
	exits 0 davit postmortem prod
	says "The bad one"
	says "Commits of the bad release that the one before had not"
	wait_for 10 "the draft" grep -q "The bad one" "$T/state/postmortems/0000000002.md"
}

# hostile_commits N: as many, on top of main, whose authors, addresses and messages mean harm, also what git would not write itself
hostile_commits() {
	python3 - "$R/.git" "$1" "$T/evil" <<-'PY'
		import random, subprocess, sys
		git, count, evil = ["git", "--git-dir", sys.argv[1]], int(sys.argv[2]), sys.argv[3].encode()
		random.seed(11)
		parts = [b"$(touch " + evil + b")", b"`touch " + evil + b"`", b"; touch " + evil + b" #", b"--upload-pack=touch " + evil, b"--output=" + evil,
		         b"'", b'"', b"\\", b"%s%n", b"\x1b[31m", b"\x1b]0;title\x07", b"\x01", b"\x7f", b"\x9b31m", b"\r", b"\t", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80",
		         "\u202e".encode(), "\u2066".encode(), "\u200b".encode(), "\ufeff".encode(), "Émile 🚢".encode(), b"<script>alert(1)</script>",
		         b"</td></table>", b"| a | b |", b"![x](http://a/)", b"[y](javascript:alert(1))", b"{{7*7}}", b"${7*7}", b"&lt;", b"-->", b"]]>", b"x" * 3000]
		def text(without=b""):
		    made = b"".join(random.choice(parts) for _ in range(random.randint(1, 4)))
		    return bytes(c for c in made if c not in without) or b"-"
		def run(*what, data=None):
		    return subprocess.run(git + list(what), input=data, stdout=subprocess.PIPE, check=True).stdout.strip()
		parent, tree = run("rev-parse", "main"), run("rev-parse", "main^{tree}")
		for i in range(count):
		    who = b"%s <%s> %d +0000" % (text(b"<>\n"), text(b"<>\n"), 1700000000 + i)
		    commit = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\n%s\n" % (tree, parent, who, who, text())
		    parent = run("hash-object", "-t", "commit", "-w", "--literally", "--stdin", data=commit)
		subprocess.run(git + ["update-ref", "refs/heads/main", parent], check=True)
	PY
	g reset -q --hard main
}

# For people: whole letters, and nothing that a terminal takes for an order, nor turns the direction of what follows.
is_printable() {
	python3 -c '
import sys, unicodedata
text = open(sys.argv[1], "rb").read().decode("utf-8")
bad = [c for c in text if c != "\n" and c != "\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs")]
assert not bad, sorted({hex(ord(c)) for c in bad})' "$1"
}

@test "two hundred commits whose authors, addresses and messages mean harm are only text, wherever they are shown" {
	STRATEGY='[switch, { bake: 10m }]'
	ENVIRONMENT_EXTRA='    analysis: off
    approve: { count: 1, not_author: false }'
	write_config "$R/davit.yaml"
	change Second
	up
	exits 0 in_repo remote
	exits 0 in_repo build --to prod
	wait_for 20 "the question" holds gated gated
	exits 0 davit approve prod --yes
	wait_for 20 "v0.0.1 in prod" holds succeeded rollout .state
	hostile_commits 200
	change 'The last one'
	g push davit main >"$T/pushed" 2>&1
	exits 0 in_repo build --to prod
	wait_for 20 "the question" holds gated gated
	davit why prod >"$T/why.txt"
	is 201 rollout '.gate.commits | (.list | length) + .more'
	exits 0 davit approve prod --yes
	printf '%s\n' "$output" >"$T/approve.txt"
	served() { [ "$(rollout .weight_bp)" = 10000 ] && [ "$(rollout .step)" -gt 1 ]; }
	wait_for 20 "users to meet it" served
	exits 0 davit abort prod -m 'it is bad'
	wait_for 20 "the way back" holds reverted rollout .state
	davit postmortem prod >"$T/postmortem.txt"
	davit postmortem prod --format html >"$T/postmortem.html"
	davit dora prod --rows >"$T/dora.txt"
	davit builds >"$T/builds.txt"
	davit status >"$T/status.txt"
	davit audit >"$T/audit.txt"
	sed -n 's/^remote: //p' "$T/pushed" >"$T/push.txt"
	for shown in "$T"/*.txt "$T/postmortem.html" "$T/state/postmortems/0000000002.md" "$T/up.log"; do
		is_printable "$shown"
	done
	is true jq '.commits | length > 50 and all(.subject | length > 0)' <<<"$(davit postmortem prod --json)"
	fails grep -qiE '<(script|img|a) |(href|src)=' "$T/postmortem.html"
	for verb in "builds" "status" "dora prod --rows" "why prod" "audit"; do
		# shellcheck disable=SC2086
		davit $verb --json | jq empty
	done
	[ ! -e "$T/evil" ]
}

# --- commits that had to go

# The bytes are others in each build, also of the same commit; prod asks ("ask") or does not ("").
through_staging() {
	local ask=''
	[ -z "${1:-}" ] || ask='    approve: { count: 1, not_author: false }'
	ENVIRONMENT_EXTRA="    analysis: off
    from: staging
$ask
  staging: { listen: \"127.0.0.1:$STAGING_PORT\", strategy: test, analysis: off }"
	EXTRA='pipeline: { package: { run: "date +%s%N >when", archive: [app, n, when] } }'
	write_config "$R/davit.yaml"
}

@test "a commit that was bad in production stays out behind it, and whoever approves a child of it is told" {
	local bad
	up
	through_staging
	change First
	exits 0 in_repo build --to staging
	wait_for 20 "v0.0.1 in staging" holds v0.0.1 live_in staging
	exits 0 davit deploy prod v0.0.1
	change 'It leaks'
	bad=$(g rev-parse HEAD)
	exits 0 in_repo build --to staging
	wait_for 20 "v0.0.2 in staging" holds v0.0.2 live_in staging
	exits 0 davit deploy prod v0.0.2
	exits 0 davit rollback prod -m 'memory grows'
	exits 0 davit releases mark-bad prod v0.0.2 -m 'memory grows'

	# The same commit once more is another release, and comes to staging no more than to prod.
	exits 0 in_repo build --to staging
	says "v0.0.3 does not go to staging: v0.0.3 is of commit ${bad:0:12}, which is marked bad in shop/prod as v0.0.2 (memory grows)"
	is v0.0.2 live_in staging
	exits 4 davit deploy staging v0.0.3
	says "davit releases clear prod v0.0.2"
	says "davit deploy staging v0.0.3 --allow-bad"
	exits 0 davit deploy staging v0.0.3 --allow-bad
	is v0.0.3 live_in staging

	# A child of it goes to staging, for it may mend it; whoever lets it into prod is told.
	through_staging ask
	change 'A child'
	exits 0 in_repo build --to staging
	wait_for 20 "the question" holds gated gated
	wait_for 10 "git's answer" holds known rollout .gate.commits.state
	is "$bad prod true" rollout '.gate.bad_commits.list[] | "\(.commit) \(.environment) \(.marked)"'
	exits 0 davit why prod
	says "contains   commit ${bad:0:12} (It leaks), which rollout 5 took back in prod: memory grows; was it reverted or mended since?"
	exits 0 davit approve prod --yes -m 'it is mended'
	grep -q "which rollout 5 took back in prod" "$T/deploy.err"
	wait_for 20 "v0.0.4 in prod" holds v0.0.4 live_in prod
	exits 0 davit audit --verify
}

# --- tags

hosted() { git --git-dir "$T/state/repositories/shop.git" "$@"; }
tag_is_there() { hosted rev-parse -q --verify "refs/tags/$1"; }
# What came of the tag of the newest rollout
tag_of_prod() { davit why prod --json | jq -r '.git_tag.state'; }

# The server's repository, whose main goes to prod
hosting() {
	ENVIRONMENT_EXTRA="    analysis: off
    trigger: { branch: main }
$1"
	write_config "$R/davit.yaml"
	change Hosted
	up
	exits 0 in_repo remote
}

@test "a release that has succeeded in production is tagged in the server's repository, and no tag is moved" {
	local first
	hosting '    production: true'
	exits 0 g push davit main
	wait_for 20 "the tag" tag_is_there v0.0.1
	first=$(g rev-parse HEAD)
	is "$first" hosted rev-parse 'v0.0.1^{commit}'
	is tag hosted cat-file -t v0.0.1
	is "davit <davit@localhost>" hosted for-each-ref --format='%(taggername) %(taggeremail)' refs/tags/v0.0.1
	exits 0 hosted cat-file tag v0.0.1
	says "v0.0.1 is live in shop/prod"
	says "rollout: 1"
	says "release: $(rollout .new.release)"
	says "approved by: nobody was asked"
	exits 0 g fetch -q davit --tags
	is "$first" g rev-parse 'v0.0.1^{commit}'

	# The name of the next one is taken: by a tag that means something else, and one that means the same.
	g tag v0.0.2 "$first"
	exits 0 g push davit v0.0.2
	change Second
	exits 0 g push davit main
	wait_for 20 "what came of it" holds refused tag_of_prod
	is "$first" hosted rev-parse 'v0.0.2^{commit}'
	exits 0 davit why prod
	says "The tag v0.0.2 is at commit ${first:0:12} already, and stays there."
	exits 0 davit audit --json
	says '"action":"git.tag"'
	change Third
	g tag v0.0.3
	exits 0 g push davit v0.0.3
	exits 0 g push davit main
	wait_for 20 "what came of it" holds there tag_of_prod
	is commit hosted cat-file -t v0.0.3

	# What was built from another repository is not tagged in either.
	change Fourth
	exits 0 in_repo build --to prod
	wait_for 20 "v0.0.4 in prod" holds v0.0.4 live_in prod
	wait_for 10 "it to succeed" holds succeeded rollout .state
	is null tag_of_prod
	fails g rev-parse -q --verify refs/tags/v0.0.4
	fails tag_is_there v0.0.4
	exits 0 davit audit --verify
}

@test "a server that is killed while it tags has made one tag" {
	local made
	export DAVIT_FAILPOINT_FILE=$T/failpoint
	DAVIT=$BUILD/davit-failpoints
	hosting '    tag: true'
	echo "history.after-tag 1" >"$DAVIT_FAILPOINT_FILE"
	exits 0 g push davit main
	wait_for 20 "the kill" test -e "$DAVIT_FAILPOINT_FILE.taken"
	rm -f "$DAVIT_FAILPOINT_FILE"
	made=$(tag_is_there v0.0.1)
	wait_for 20 "the controller" controller_is_back
	wait_for 20 "what came of it" holds there tag_of_prod
	is "$made" tag_is_there v0.0.1
	is 1 sh -c "'$DAVIT' audit --json --state '$T/state' | jq '[.entries[] | select(.action == \"git.tag\")] | length'"
	exits 0 davit audit --verify
}

@test "an environment that is none of production, or says so, tags nothing" {
	hosting ''
	exits 0 g push davit main
	wait_for 20 "it to succeed" holds succeeded rollout .state
	ENVIRONMENT_EXTRA="    analysis: off
    trigger: { branch: main }
    production: true
    tag: false"
	write_config "$R/davit.yaml"
	change Second
	exits 0 g push davit main
	wait_for 20 "v0.0.2 in prod" holds v0.0.2 live_in prod
	wait_for 20 "it to succeed" holds succeeded rollout .state
	is null tag_of_prod
	is '' hosted tag
	exits 0 davit dora prod
	says "shop/prod, production"
}

# --- signed tags

# ann may sign, old may not any more, eve never; tags of v* go to prod when they are signed
signing() {
	local who
	for who in ann old eve; do ssh-keygen -q -t ed25519 -N '' -C "$who" -f "$T/$who" </dev/null; done
	printf '%s@example.com namespaces="git"%s %s\n' ann '' "$(cat "$T/ann.pub")" \
		old ',valid-before="20200101"' "$(cat "$T/old.pub")" >"$T/signers"
	ENVIRONMENT_EXTRA="    analysis: off
    trigger: { tag: \"v*\"${1:-} }"
	write_config "$R/davit.yaml"
	change Signed
	g config gpg.format ssh
	printf 'allowed_signers: %s\n%s\n' "$T/signers" "${2:-}" >"$T/server.yaml"
	up --server "$T/server.yaml"
	exits 0 in_repo remote
}
signed() { g -c "user.signingkey=$T/$1" tag -s -m "By $1" "${@:2}"; }
# refused TAG SENTENCE: in the push, and in davit builds
refused() {
	exits 0 g push davit "$1"
	says "The tag $1 is not taken: $2"
	says "Nothing went out"
	is failed newest .state
	newest .why | grep -qF "The tag $1 is not taken: $2"
}
newest() { davit builds --json | jq -r ".builds[0] | $1"; }

@test "only a tag that an allowed signer has signed brings a release, where that is asked for" {
	local object
	signing ', signed: true'
	g tag v0.1.0
	refused v0.1.0 'a signed one is asked for, and this one is no tag object'
	g tag -a -m 'Not signed' v0.2.0
	refused v0.2.0 'it has no ssh signature'
	signed eve v0.3.0
	refused v0.3.0 "its signature is of none of the server's allowed signers"
	signed old v0.4.0
	refused v0.4.0 "its signature is of none of the server's allowed signers, or was not allowed when it was made"
	# By the date that it claims the key was good.
	GIT_COMMITTER_DATE='1500000000 +0000' signed old v0.5.0
	refused v0.5.0 'the key that signed it is not allowed any more'
	# The same with Ann's signature of something else in its message.
	signed ann other
	GIT_COMMITTER_DATE='1500000000 +0000' g -c "user.signingkey=$T/old" tag -s -F <(g cat-file tag other | sed 1,5d) v0.6.0
	refused v0.6.0 'the key that signed it is not allowed any more'
	# A good one under another name, and one whose text was changed.
	signed ann v1.0.0
	object=$(g rev-parse v1.0.0)
	g update-ref refs/tags/v9.0.0 "$object"
	refused v9.0.0 'what was signed calls itself "v1.0.0"'
	g cat-file tag v1.0.0 | sed 's/^By ann/By Ann/' >"$T/changed"
	g update-ref refs/tags/v1.0.1 "$(sed 's/^tag v1.0.0/tag v1.0.1/' "$T/changed" | g hash-object -t tag -w --stdin)"
	refused v1.0.1 "its signature is of none"
	is 0 sh -c "'$DAVIT' history --json --state '$T/state' | jq -s '[.[].rollouts[]?] | length'"

	exits 0 g push davit v1.0.0
	says "release v1.0.0"
	wait_for 20 "v1.0.0 in prod" holds v1.0.0 live_in prod
}

@test "the server's own file asks for signed tags, whatever the commit says" {
	signing '' 'protect: { shop/prod: { signed_tags: true } }'
	g tag v0.1.0
	refused v0.1.0 'a signed one is asked for'
	ENVIRONMENT_EXTRA="    analysis: off
    trigger: { branch: main, tag: \"v*\" }"
	write_config "$R/davit.yaml"
	change 'By a branch'
	exits 0 g push davit main
	says "Only a signed tag brings a release to prod, says the server's own file, and refs/heads/main is none."
	is failed newest .state
	signed ann v1.0.0
	exits 0 g push davit v1.0.0
	says "release v1.0.0"
	wait_for 20 "v1.0.0 in prod" holds v1.0.0 live_in prod
	# One that is not in the server's file any more counts no more, without a start.
	: >"$T/signers"
	change Next
	signed ann v1.1.0
	refused v1.1.0 "its signature is of none of the server's allowed signers"
}
