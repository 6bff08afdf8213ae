/* SPDX-License-Identifier: Apache-2.0
 * commands - the table of verbs: the parser, help, man pages, completions and docs/reference/cli.md are made
 *            from it. In `details` a new line begins a paragraph. */
#include "cli/verbs.h"

/* clang-format off */
#define REASON {"reason", 'm', "TEXT", "why, for the audit log"}
#define ANSWER_KEY {"key", 0, "FILE", "sign with this ssh key"}
#define ANSWER_YES {"yes", 'y', NULL, "do not ask"}
#define SERVER_FILE {"server", 0, "FILE", "the server's own file (default: /etc/davit/server.yaml, where there is one)"}
#define DETACH {"detach", 'd', NULL, "do not follow the rollout"}
#define WORKERS {"workers", 0, "N", "gateway workers (default: one a core)"}
#define ACCESS_LOG {"access-log", 0, "FILE", "append a line per request to this file"}
#define VERBOSE {"verbose", 'v', NULL, "debug records as well"}
#define ROLLOUT_JSON "davit.v1/rollout: the rollout as it is after the command"
#define FOLLOW_JSON "davit.v1/event, a line a change, until the rollout ends; with --detach davit.v1/accepted"

const struct cli_command cli_commands[] = {
	{.name = "init",
	 .place = CLI_NO_SERVER,
	 .arguments = "",
	 .summary = "write a davit.yaml for this repository",
	 .details = "Looks at the files of this directory: C with Make, Meson or CMake, Go, Node, Python, Rust, Java with Maven, "
		    "a Dockerfile, an executable. Writes a commented davit.yaml that is valid, with a pipeline where it knows "
		    "one, and says what it guessed. Never "
		    "overwrites one.",
	 .examples = "  davit init",
	 .json = "davit.v1/init: file, kind, app, run, sure",
	 .run = verb_init},
	{.name = "up",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "",
	 .summary = "run the server in the foreground, state in ./.davit",
	 .details = "Controller, gateway and instances on this machine, with nothing beside it. Ctrl-C ends the requests "
		    "under way first, then everything.",
	 .examples = "  davit up",
	 .options = {WORKERS, ACCESS_LOG, SERVER_FILE, VERBOSE}},
	{.name = "serve",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "",
	 .summary = "run the server as a service, state in /var/lib/davit",
	 .details = "TERM ends the controller and leaves gateway and instances serving (use KillMode=process); the next "
		    "start adopts them. Tells systemd when it is ready (NOTIFY_SOCKET).",
	 .examples = "  davit serve --state /var/lib/davit",
	 .options = {WORKERS, ACCESS_LOG, SERVER_FILE, VERBOSE}},
	{.name = "build",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "[REF]",
	 .summary = "run the pipeline of a commit, in the server or here",
	 .details = "REF is a branch, a tag or a commit's id; without it HEAD. Its davit.yaml says what is done. Each stage runs "
		    "in a sandbox (bubblewrap) of its own, in a clean copy of the commit: changes that are not committed are "
		    "not part of it.\n"
		    "The server builds one commit after the other, in the order in which they were asked for; the archive of one that "
		    "passes becomes a release, and goes to the environments of --to as with \"davit deploy\". It is followed to its end; "
		    "Ctrl-C stops following only. With --local it runs on this machine without a server: changes that are not "
		    "committed are named, and what a stage wrote is in STATE/build/logs/STAGE.log.\n"
		    "Exit 0: passed; 10: a stage failed; 15: cancelled, or superseded by a newer commit; 130: Ctrl-C (with --local everything was stopped).",
	 .examples = "  davit build --to staging\n"
		     "  davit build --again 41              # from the stage that failed\n"
		     "  davit build --again 41 --from-start\n"
		     "  davit build --local\n"
		     "  davit build --local v1.4.2 --output shop.tar\n"
		     "  davit build --local --stage unit     # it, and what it needs",
	 .json = "davit.v1/build-stage, a line a change; at the end davit.v1/build",
	 .args_max = 1,
	 .options = {{"to", 0, "ENV[,ENV]", "the release goes to these environments when it has passed"},
		     {"again", 0, "N", "build number N once more; stages that passed in it are taken over"},
		     {"from-start", 0, NULL, "with --again: run every stage"},
		     {"cancel", 0, "N", "end build number N"},
		     {"local", 0, NULL, "on this machine, without a server"},
		     {"stage", 0, "NAME", "with --local: only this stage, and what it needs"},
		     {"output", 'o', "FILE", "with --local: where the archive goes (default: STATE/build/release.tar)"},
		     {"parallel", 'j', "N", "with --local: so many stages at once (default: one a processor)"}}},
	{.name = "builds",
	 .arguments = "[N]",
	 .summary = "what the server builds and has built",
	 .details = "With a number: the stages of this build, and where its release went. What the stages wrote: \"davit logs "
		    "build/N\", kept for the last 500.",
	 .examples = "  davit builds\n"
		     "  davit builds 41",
	 .json = "davit.v1/builds: builds, the newest first; with a number davit.v1/server-build",
	 .args_max = 1,
	 .options = {{"limit", 'n', "N", "so many (default 20)"},
		     {"app", 0, "NAME", "of this application only"}},
	 .run = verb_builds},
	{.name = "remote",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "",
	 .summary = "make the server's own repository of this application, to push to",
	 .details = "Makes the bare repository STATE/repositories/APP.git, whose hook has every push built, and names it \"davit\" "
		    "among the remotes of this repository. What a push brings live stands in \"trigger\" of davit.yaml. From another "
		    "machine: git remote add davit ssh://HOST/STATE/repositories/APP.git\n"
		    "Running it again writes the hook anew, and changes nothing else.",
	 .examples = "  davit remote\n"
		     "  git push davit main",
	 .json = "davit.v1/remote: app, repository",
	 .options = {{"name", 0, "NAME", "the remote's name (default: davit)"}}},
	{.name = "receive",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "",
	 .summary = "have a push built: run by the hook of a repository",
	 .details = "Reads a line for each ref on standard input, \"OLD NEW REF\", as git gives them to post-receive. The push "
		    "stands, whatever comes of the build.",
	 .examples = "  davit receive --state /var/lib/davit     # in hooks/post-receive",
	 .json = "davit.v1/build-stage, a line a change; at the end davit.v1/server-build",
	 .options = {{"app", 0, "NAME", "the application that the repository belongs to; no other one is built"}}},
	{.name = "deploy",
	 .arguments = "ENV [VERSION|PATH]",
	 .summary = "put a release live, step by step",
	 .details = "PATH is a directory, an archive (tar, zip) or one file, and becomes a release; VERSION is a release "
		    "that davit has: a tag, or the beginning of an id. Without either, this directory.\n"
		    "The configuration is davit.yaml in PATH, else in this directory. The rollout is followed until it "
		    "ends; the exit code says how: 0 live, 11 rolled back, 15 aborted, 20 still under way.",
	 .examples = "  davit deploy prod .                  # this directory\n"
		     "  davit deploy prod build.tar.gz --as v1.4.2\n"
		     "  davit deploy prod v1.4.2             # a release that is there",
	 .json = FOLLOW_JSON,
	 .args_min = 1,
	 .args_max = 2,
	 .options = {{"as", 0, "TAG", "name the release (default: the next patch version)"},
		     {"config", 'c', "FILE", "the configuration to use"},
		     {"strategy", 0, "NAME", "another strategy than the environment's"},
		     REASON,
		     DETACH,
		     {"timeout", 0, "DURATION", "wait no longer than this; the rollout goes on"},
		     {"allow-bad", 0, NULL, "also a release that is marked bad"},
		     {"fixes", 0, "ROLLOUT", "it repairs what that rollout broke; counts as rework in davit dora"}},
	 .run = verb_deploy},
	{.name = "plan",
	 .arguments = "ENV VERSION",
	 .summary = "what a deployment would do: steps, time, what would be seen",
	 .details = "Changes nothing. The steps are those that davit deploy would run; the number of requests that would "
		    "see the new release is told at today's traffic. At that traffic it plays the steps with releases "
		    "that are worse than the live one, and tells how likely each is caught, how likely it is held back "
		    "for a person because it was not shown to be fine, after how many requests, and how many of "
		    "them fail; and the smallest share of failing requests that is caught with 90%. With --for it "
		    "proposes canary steps, ready to paste, that catch a release failing so much with 90% and "
		    "expose as few requests to it as possible.",
	 .examples = "  davit plan prod v1.4.2\n"
		     "  davit plan prod v1.4.2 --strategy blue-green\n"
		     "  davit plan prod v1.4.2 --for 1%",
	 .json = "davit.v1/plan",
	 .args_min = 2,
	 .args_max = 2,
	 .options = {{"strategy", 0, "NAME", "another strategy than the environment's"},
		     {"for", 0, "SHARE", "propose steps that catch a release failing so much"}},
	 .run = verb_plan},
	{.name = "status",
	 .arguments = "[ENV]",
	 .summary = "what is live where, since when, and what moves",
	 .details = "Environments with the release that is live, the one that is on its way, the one that is ready to go "
		    "back to, and their instances.",
	 .examples = "  davit status\n"
		     "  davit status prod -w",
	 .json = "davit.v1/status; with --watch a line each time",
	 .args_max = 1,
	 .options = {{"watch", 'w', NULL, "again and again, until Ctrl-C"}},
	 .run = verb_status},
	{.name = "watch",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "follow a rollout to its end",
	 .details = "One screen, in place; without a terminal a line a change and one a minute. Leaves with the rollout's "
		    "exit code. Ctrl-C detaches (130); the rollout goes on.",
	 .examples = "  davit watch prod",
	 .json = "davit.v1/event, a line a change, until the rollout ends",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_watch},
	{.name = "why",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "why a rollout is where it is, and on which evidence",
	 .details = "What decided, the numbers of both releases, what the statistics say of them (counts, what was to be "
		    "expected, odds; by class and by instance where that tells something), every piece of evidence, the history, "
		    "the last lines of a failed instance's log, and the command that moves it on.",
	 .examples = "  davit why prod\n"
		     "  davit why 42 --json",
	 .json = "davit.v1/rollout",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_why},
	{.name = "judge",
	 .arguments = "",
	 .summary = "judge a rollout again by its ticks, as it was or by other rules",
	 .details = "All that the statistics were fed with is kept, tick by tick, for the last 100 rollouts. This feeds "
		    "them again, here: a line a tick with what both releases did so far, the odds that the new one is worse, "
		    "those that it is fine, and the verdict; at the end the sentence. It stops where the release fails.\n"
		    "With --rollout the server is asked for its ticks (of an environment's current rollout, else its last); "
		    "with --replay they come from a file (docs/reference/ticks.md), - is standard input. Settings can be "
		    "changed, to see what would have happened.\n"
		    "Exit 0: pass; 11: fail; 20: neither at the end.",
	 .examples = "  davit judge --rollout prod --every 1s\n"
		     "  davit judge --rollout 42 --alpha 1% --worse-by 50%\n"
		     "  davit judge --replay ticks.jsonl --json | jq .odds",
	 .json = "a line each: davit.v1/judge, judge-past, judge-tick, judge-mark, judge-verdict",
	 .options = {{"replay", 0, "FILE", "the ticks of this file; - is standard input"},
		     {"rollout", 0, "ROLLOUT", "those of this rollout, a number or an environment"},
		     {"every", 0, "DURATION", "a line each so much observed time (default: each tick)"},
		     {"all", 0, NULL, "go on after the release has failed"},
		     {"alpha", 0, "SHARE", "the chance of a false alarm (false_alarms)"},
		     {"beta", 0, "SHARE", "the chance of a wrong pass (wrong_passes)"},
		     {"worse-by", 0, "SHARE", "so much more often it may fail"},
		     {"or-points", 0, "POINTS", "or so many percentage points"},
		     {"pass-below", 0, "SHARE", "less often than this is fine"}}},
	{.name = "promote",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "let a rollout go on to its next step now",
	 .details = "Ends the wait at the present step, and nothing else: the next step waits and is judged as planned. "
		    "With --full every step is promoted as it comes and the rollout is followed to its end; a bad "
		    "release still goes back by itself.",
	 .examples = "  davit promote prod -m 'checked by hand'\n"
		     "  davit promote prod --full",
	 .json = ROLLOUT_JSON "; with --full davit.v1/event, a line a change",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"full", 0, NULL, "every step from here on, to the end"}, REASON},
	 .run = verb_promote},
	{.name = "pause",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "hold a rollout where it is",
	 .details = "Traffic stays as it is; a bad release still goes back by itself.",
	 .examples = "  davit pause prod",
	 .json = ROLLOUT_JSON,
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON},
	 .run = verb_pause},
	{.name = "resume",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "go on after a pause",
	 .details = "The step that was paused goes on with the time that it had left.",
	 .examples = "  davit resume prod",
	 .json = ROLLOUT_JSON,
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON},
	 .run = verb_resume},
	{.name = "abort",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "end a rollout and go back, at once",
	 .details = "Never asks. Traffic is back on the release before within milliseconds.",
	 .examples = "  davit abort prod -m 'wrong branch'",
	 .json = ROLLOUT_JSON,
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON},
	 .run = verb_abort},
	{.name = "approve",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "say yes to a release that waits",
	 .details = "An environment with \"approve\" lets a release out when enough people said yes. What goes out is shown "
		    "first, and at a terminal it asks. A yes holds for exactly these bytes, this configuration and this "
		    "plan.\n"
		    "Who you are is your local user, or the ssh key that signs the answer (--key); the server's own file "
		    "says which keys and users are which person, and who is in which group. A key with a passphrase has "
		    "to be in your ssh-agent.\n"
		    "With --emergency the answer counts for letting it out without what is missing: approvals, time in "
		    "the environment before, the window. That takes two persons, each with a reason.",
	 .examples = "  davit approve prod\n"
		     "  davit approve prod --key ~/.ssh/id_ed25519 -m 'saw the diff'",
	 .json = ROLLOUT_JSON,
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON, ANSWER_KEY, ANSWER_YES,
		     {"emergency", 0, NULL, "without what is missing; two persons, each with a reason"}},
	 .run = verb_approve},
	{.name = "reject",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "say no to a release that waits",
	 .details = "It does not go out. With \"on_reject: rollback\" the environment before goes back to what is live "
		    "here as well.",
	 .examples = "  davit reject prod -m 'the price list is wrong'",
	 .json = ROLLOUT_JSON,
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON, ANSWER_KEY, ANSWER_YES},
	 .run = verb_reject},
	{.name = "freeze",
	 .arguments = "ENV",
	 .summary = "let nothing go out for a while",
	 .details = "A deployment is refused, one that was offered waits, one that is under way gets no more requests than it "
		    "has. A rollback still works.",
	 .examples = "  davit freeze prod --until 2027-01-02 -m holidays\n"
		     "  davit freeze prod --until 8h",
	 .json = "davit.v1/freeze: on",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"until", 0, "TIME", "a day, a time (2027-01-02T15:04, local), or a duration from now"},
		     REASON},
	 .run = verb_freeze},
	{.name = "unfreeze",
	 .arguments = "ENV",
	 .summary = "let releases go out again",
	 .details = "What waited begins.",
	 .examples = "  davit unfreeze prod -m 'a fix for the checkout'",
	 .json = "davit.v1/freeze: on",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON},
	 .run = verb_unfreeze},
	{.name = "rollback",
	 .arguments = "ENV",
	 .summary = "back to the last good release, at once",
	 .details = "Never asks. Without --to: the release that was live before and is not marked bad; while a rollout is "
		    "under way, that rollout is aborted. What was live before a point of no return (migrate.after) is "
		    "refused, for the data may not fit it any more; --across-migration goes there all the same, and the "
		    "audit log says so.",
	 .examples = "  davit rollback prod\n"
		     "  davit rollback prod --to v1.4.0 -m 'orders are lost'",
	 .json = FOLLOW_JSON,
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"to", 0, "VERSION", "a tag, or the beginning of an id"},
		     {"across-migration", 0, NULL, "also to what was live before migrate.after ran"}, REASON, DETACH},
	 .run = verb_rollback},
	{.name = "restart",
	 .arguments = "ENV",
	 .summary = "start every instance anew, batch by batch",
	 .details = "The live release again, with fresh processes; requests under way are finished first.",
	 .examples = "  davit restart prod",
	 .json = FOLLOW_JSON,
	 .args_min = 1,
	 .args_max = 1,
	 .options = {REASON, DETACH},
	 .run = verb_restart},
	{.name = "maintenance",
	 .arguments = "ENV",
	 .summary = "answer 503 to everybody, or stop doing so",
	 .details = "Instances keep running. With --off the environment serves again.",
	 .examples = "  davit maintenance prod -m 'moving the disks'\n"
		     "  davit maintenance prod --off",
	 .json = "davit.v1/maintenance: on",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"on", 0, NULL, "answer 503 (what happens without --off, too)"},
		     {"off", 0, NULL, "serve again"},
		     REASON},
	 .run = verb_maintenance},
	{.name = "releases",
	 .arguments = "[mark-bad|clear] [ENV] [VERSION]",
	 .summary = "the releases that davit has; mark one bad, or clear it",
	 .details = "With an environment: those of its application, with what is marked bad there. A release that is "
		    "marked bad is refused by davit deploy and passed over by davit rollback in that environment; "
		    "davit marks what it rolled back by itself.",
	 .examples = "  davit releases prod\n"
		     "  davit releases mark-bad prod v1.4.2 -m 'loses orders'\n"
		     "  davit releases clear prod v1.4.2",
	 .json = "davit.v1/releases; davit.v1/mark",
	 .args_max = 3,
	 .options = {REASON},
	 .run = verb_releases},
	{.name = "secrets",
	 .arguments = "[list | set|rotate|remove NAME]",
	 .summary = "what applications are given and nobody reads again",
	 .details = "NAME is as in davit.yaml, without \"davit:\": prod/db is for the environment prod alone, mail for all. The value is "
		    "read from standard input; a newline at its end is not part of it, unless --raw is said. Each one is a version "
		    "more; instances get the newest when they are started. \"rotate\" sets a new value and restarts, a part "
		    "after the other, what runs with the old one.\n"
		    "Values are sealed in the server's database; the key is in a file of its own (secrets.key in the state directory, or "
		    "where the server's own file says). There is no way to read one back.",
	 .examples = "  davit secrets set prod/db <url.txt\n"
		     "  pass show db | davit secrets rotate prod/db\n"
		     "  davit secrets list\n"
		     "  davit secrets remove prod/db",
	 .json = "davit.v1/secrets: secrets; davit.v1/secret: app, name, version; of rotate also restarted, left",
	 .args_max = 2,
	 .options = {{"app", 0, "APP", "whose (default: of ./davit.yaml, else the server's only one)"},
		     {"raw", 0, NULL, "the value is everything that is read, with the last newline"}},
	 .run = verb_secrets},
	{.name = "config",
	 .arguments = "ENV",
	 .summary = "what the live release runs with, every default written out",
	 .details = "The configuration travels with a release: this is the one it was made with, not the file as it is "
		    "now.",
	 .examples = "  davit config prod\n"
		     "  davit config prod --json | jq .config.settings.processes",
	 .json = "davit.v1/config: config",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_config},
	{.name = "history",
	 .arguments = "[ENV]",
	 .summary = "the rollouts that were, newest first",
	 .details = "Number, start, environment, how it ended, what it was, from which version to which, strategy, who, how "
		    "long, and why.",
	 .examples = "  davit history prod\n"
		     "  davit why 42",
	 .json = "davit.v1/rollouts: rollouts",
	 .args_max = 1,
	 .options = {{"limit", 'n', "N", "so many at most (default 50)"}},
	 .run = verb_history},
	{.name = "postmortem",
	 .arguments = "ENV|ROLLOUT",
	 .summary = "the post-mortem of a rollout, its facts written by davit",
	 .details = "What shipped, what broke and by how much, how long users met it, how it was found and taken back; the "
		    "timeline with the events of the audit log; the keys of the configuration that differ; the curves; and "
		    "which settings would have caught it earlier, judged again on the same ticks. What only people know is a "
		    "question with room for the answer. The same records give the same bytes.\n"
		    "davit drafts it by itself when a release that users have met is taken back: STATE/postmortems.",
	 .examples = "  davit postmortem prod > postmortem.md\n"
		     "  davit postmortem 42 --format html > 42.html\n"
		     "  davit postmortem 42 --json | jq .impact",
	 .json = "davit.v1/postmortem: the facts",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"format", 0, "FORMAT", "md (default) or html"}},
	 .run = verb_postmortem},
	{.name = "dora",
	 .arguments = "[ENV]",
	 .summary = "how often is deployed, how much fails, how soon it is well again",
	 .details = "Deployment frequency, change lead time, change fail rate, failed deployment recovery time and rework "
		    "rate, from davit's own records, of each environment by itself. Fewer than five say nothing, and are "
		    "called so; what is not recorded is left out.",
	 .examples = "  davit dora prod\n"
		     "  davit dora prod --window 30d --rows",
	 .json = "davit.v1/dora: from_unix_ms, to_unix_ms, environments",
	 .args_max = 1,
	 .options = {{"window", 0, "DURATION", "so far back (default 90d)"},
		     {"rows", 0, NULL, "the deployments behind the numbers, too"}},
	 .run = verb_dora},
	{.name = "logs",
	 .arguments = "ENV[/PROCESS]|build/N[/STAGE]",
	 .summary = "what the instances write, or the stages of a build",
	 .details = "One line is INSTANCE TIME TEXT. On a terminal, control characters of the program are shown as what "
		    "they are.",
	 .examples = "  davit logs prod\n"
		     "  davit logs prod/web -f -n 20",
	 .json = "davit.v1/log, a line each: instance, time, text; of a build davit.v1/build-line: stage, line",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"follow", 'f', NULL, "and what comes, until Ctrl-C"},
		     {"lines", 'n', "N", "the last N lines of each instance (default 200)"},
		     {"instance", 0, "ID", "of this instance only"}},
	 .run = verb_logs},
	{.name = "exec",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "ENV[/PROCESS] -- COMMAND...",
	 .summary = "run a one-off command where and as the live release runs",
	 .details = "In the release's directory, as its user, with its variables; not inside a running instance. The "
		    "release's files cannot be changed. The exit code is the command's. It is written to the audit "
		    "log.",
	 .examples = "  davit exec prod -- bin/migrate --dry-run\n"
		     "  davit exec prod/worker -- /bin/sh",
	 .json = "nothing of its own: the output is the command's; only errors of davit are davit.v1/error",
	 .args_min = 2,
	 .args_max = CLI_ARGS_MAX,
	 .run = verb_exec},
	{.name = "audit",
	 .arguments = "",
	 .summary = "everything that was done: who, when, why, on which evidence",
	 .details = "Every entry carries the digest of the one before it. With --verify the whole chain is walked, and a "
		    "changed or missing entry is named.",
	 .examples = "  davit audit -n 20\n"
		     "  davit audit --verify",
	 .json = "davit.v1/audit: entries, newest first; davit.v1/audit-verify: whole, entries, head",
	 .options = {{"verify", 0, NULL, "is the log whole? Exit 1 when it is not"},
		     {"limit", 'n', "N", "the last N entries (default 200)"}},
	 .run = verb_audit},
	{.name = "backup",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "FILE",
	 .summary = "the store and the files of all releases, in one archive",
	 .details = "Beside a running server, which is not held up, or without one. FILE gets its name when it is whole and on "
		    "disk; only its owner may read it. The copy has been checked, its audit chain too. Not in it are keys, the "
		    "server's own file, logs, and persist/, which is the application's (docs/how-to/backup.md).",
	 .examples = "  davit backup /backups/davit-$(date +%F).tar.zst",
	 .json = "davit.v1/backup: file, artifacts, audit_entries, audit_head, store_version, bytes",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"force", 0, NULL, "replace FILE"}}},
	{.name = "restore",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "FILE",
	 .summary = "the state of a backup, with the server stopped",
	 .details = "Everything is checked before anything is changed: every digest, and the audit chain. A crash leaves the old "
		    "state or the new one. Instances may go on running: the next server makes of them what the backup says.",
	 .examples = "  davit restore /backups/davit-2026-11-26.tar.zst\n"
		     "  davit restore --force backup.tar.zst   # the old state is moved aside",
	 .json = "davit.v1/restore: state, created_unix_ms, artifacts, audit_entries, old",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"force", 0, NULL, "although there is a state: it is moved aside"}}},
	{.name = "validate",
	 .place = CLI_NO_SERVER,
	 .arguments = "[FILE]",
	 .summary = "check a davit.yaml; every error with its line",
	 .details = "Without FILE: davit.yaml. Needs no server and changes nothing.",
	 .examples = "  davit validate\n"
		     "  davit validate deploy/davit.yaml",
	 .json = "davit.v1/validate: file, valid, app, environments; davit.v1/error: errors",
	 .args_max = 1,
	 .run = verb_validate},
	{.name = "scan",
	 .place = CLI_NO_SERVER,
	 .arguments = "check|convert FILE [FILE...]",
	 .summary = "what security scanners found, against what was known",
	 .details = "check reads SARIF 2.1.0 reports, tells which findings are new since the baseline, and blocks (exit 14) "
		    "where a new one is high or critical. A report that is missing, malformed or of a scan that failed is an "
		    "error (exit 2), never a pass. A waivers.yaml in this directory lets findings through until a stated day.\n"
		    "convert writes the reports of cppcheck (--xml), bandit (-f json), shellcheck (-f json1) and npm audit "
		    "(--json) as SARIF on standard output. --from sarif makes one report of several: a baseline for the "
		    "next check. FILE may be -, standard input.\n"
		    "Findings are known again by the scanner's fingerprint, else by the lines of the tree around them, "
		    "else by their message; so moved lines are not new.",
	 .examples = "  davit scan check flawfinder.sarif --against baseline.sarif\n"
		     "  davit scan convert --from cppcheck cppcheck.xml > cppcheck.sarif\n"
		     "  davit scan convert --from sarif *.sarif > baseline.sarif",
	 .json = "davit.v1/scan: verdict, sentence, counts, findings, fixed, waivers; convert: SARIF, as without",
	 .args_min = 2,
	 .args_max = CLI_ARGS_MAX,
	 .options = {{"against", 0, "FILE", "the baseline, SARIF; without it every finding is new"},
		     {"block-at", 0, "SEVERITY", "low, medium, high (the default), critical or none"},
		     {"at-most", 0, "CAPS", "also block on sums, as critical=0,high=10"},
		     {"waivers", 0, "FILE", "instead of waivers.yaml, which may be missing"},
		     {"source", 0, "DIR", "the tree that was scanned (default: this directory)"},
		     {"all", 0, NULL, "show every finding, not only new ones"},
		     {"from", 0, "TOOL", "of convert: cppcheck, bandit, shellcheck, npm-audit or sarif"}},
	 .run = verb_scan},
	{.name = "schema",
	 .place = CLI_NO_SERVER,
	 .arguments = "",
	 .summary = "the JSON Schema of davit.yaml, for editors",
	 .details = "For example with the YAML language server, which completes and checks while you type.",
	 .examples = "  davit schema > davit.schema.json",
	 .json = "the same: it is JSON",
	 .run = verb_schema},
	{.name = "diff",
	 .arguments = "ENV..ENV",
	 .summary = "what differs between what is live in two environments",
	 .details = "The releases and since when they are live, whether their files are the same, and each key of the resolved "
		    "configuration that differs. Of variables and secrets only that they differ is shown, never what they are.",
	 .examples = "  davit diff staging..prod\n"
		     "  davit diff shop/staging shop/prod --json",
	 .json = "davit.v1/diff: left, right (environment, release, tag, artifact, since_unix_ms, by), files (same, different, "
		 "unknown), changes (key, left, right, hidden)",
	 .args_min = 1,
	 .args_max = 2,
	 .run = verb_diff},
	{.name = "guide",
	 .place = CLI_NO_SERVER,
	 .arguments = "[FILE]",
	 .summary = "your deployment guide, made of davit.yaml",
	 .details = "Environments and what brings a release there, the workflow as a diagram (Mermaid; in HTML a drawing), each "
		    "strategy step by step, pipeline, checks, what is watched, approvals, data, the rollback in four steps, and "
		    "what to type. Without FILE: davit.yaml. Needs no server; the same file gives the same bytes.",
	 .examples = "  davit guide > DEPLOYMENT.md\n"
		     "  davit guide --html > deployment.html",
	 .json = "davit.v1/guide: app, format, text",
	 .args_max = 1,
	 .options = {{"html", 0, NULL, "one page of HTML that loads nothing"}},
	 .run = verb_guide},
	{.name = "docs",
	 .place = CLI_NO_SERVER,
	 .arguments = "[KEY]",
	 .summary = "what a key of davit.yaml means",
	 .details = "KEY is a key's name or its path. Without one: the whole reference.",
	 .examples = "  davit docs min_healthy\n"
		     "  davit docs service.health",
	 .json = "davit.v1/docs: key, text",
	 .args_max = 1,
	 .run = verb_docs},
	{.name = "doctor",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "",
	 .summary = "check that this machine has what davit needs",
	 .details = "Kernel, cgroups, descriptors, state directory, disk, server, davit.yaml and the addresses in it. A "
		    "line each, with what to do about it; exit 1 when something must be done.",
	 .examples = "  davit doctor",
	 .json = "davit.v1/doctor: healthy, checks",
	 .run = verb_doctor},
	{.name = "gateway",
	 .place = CLI_SERVERS_MACHINE,
	 .arguments = "",
	 .summary = "run the gateway alone, on a table of your own",
	 .details = "Serves the JSON table FILE (docs/reference/gateway-table.md) without a controller. HUP reads it again; "
		    "a table with errors is refused and the last one kept.",
	 .examples = "  davit gateway --table table.json",
	 .options = {{"table", 0, "FILE", "the table; needed"}, WORKERS, ACCESS_LOG, VERBOSE}},
	{.name = "completion",
	 .arguments = "bash|zsh|fish",
	 .summary = "the script by which a shell completes davit",
	 .details = "Also: davit completion environments, davit completion versions: the names that the scripts offer, one a "
		    "line.",
	 .examples = "  davit completion bash > /etc/bash_completion.d/davit\n"
		     "  davit completion zsh > \"${fpath[1]}/_davit\"\n"
		     "  davit completion fish > ~/.config/fish/completions/davit.fish",
	 .json = "davit.v1/completion: shell, script",
	 .args_min = 1,
	 .args_max = 1,
	 .run = verb_completion},
	{.name = "version",
	 .place = CLI_NO_SERVER,
	 .arguments = "",
	 .summary = "the version of this davit",
	 .details = "",
	 .examples = "  davit version --json",
	 .json = "davit.v1/version: version",
	 .run = verb_version},
	{0},
};
/* clang-format on */
