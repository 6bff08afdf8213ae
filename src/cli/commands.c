/* SPDX-License-Identifier: Apache-2.0
 * commands - the table of verbs, first half: from a commit to a release that serves. The parser, help, man pages,
 *            completions and docs/reference/cli.md are made from it. In `details` a new line begins a paragraph. */
#include "cli/commands.h"

#include <stddef.h>

#include "cli/verbs.h"

/* clang-format off */
#define ANSWER_KEY {"key", 0, "FILE", "sign with this ssh key"}
#define ANSWER_YES {"yes", 'y', NULL, "do not ask"}
#define SERVER_FILE {"server", 0, "FILE", "the server's own file (default: /etc/davit/server.yaml, where there is one)"}
#define DETACH {"detach", 'd', NULL, "do not follow the rollout"}
#define ROLLOUT_JSON "davit.v1/rollout: the rollout as it is after the command"
#define FOLLOW_JSON "davit.v1/event, a line a change, until the rollout ends; with --detach davit.v1/accepted"

static const struct cli_command releasing[] = {
	{.name = "init",
	 .place = CLI_NO_SERVER,
	 .arguments = "",
	 .summary = "write a davit.yaml for this repository",
	 .details = "Looks at the files of this directory: C with Make, Autotools, Meson or CMake, Go, Node, Python, Rust, Java "
		    "with Maven or Gradle, a Dockerfile, an executable. Writes a commented davit.yaml that is valid, with a "
		    "pipeline and the environments dev, staging and prod, and says what it guessed. A stage that may not pass "
		    "as things are is written as a comment, with its reason. Never overwrites one.\n"
		    "Nothing of the repository is run; flawfinder, cppcheck, shellcheck, bandit, ruff and flake8 read it, where they are installed and asked for.",
	 .examples = "  davit init\n"
		     "  davit init --gated    # what comes to prod was good in staging, and approved",
	 .json = "davit.v1/init: file, kind, app, run, sure, notes, off (stages that are comments)",
	 .options = {{"gated", 0, NULL, "prod takes only what was good in staging and somebody approved"}},
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
	 .arguments = "[REF]",
	 .summary = "run the pipeline of a commit, in the server or here",
	 .details = "REF is a branch, a tag or a commit's id; without it HEAD. Its davit.yaml says what is done. Each stage runs "
		    "in a sandbox (bubblewrap) of its own, in a clean copy of the commit: changes that are not committed are "
		    "not part of it.\n"
		    "The server builds one commit after the other, in the order in which they were asked for; the archive of one that "
		    "passes becomes a release, and goes to the environments of --to as with \"davit deploy\". It is followed to its end; "
		    "Ctrl-C stops following only. With --host, or --app, REF is sought in the server's own repository of the "
		    "application, of --app, davit.yaml or the only one: what was pushed, or seen at the last look. With --local it runs on this machine without a server: changes that are not "
		    "committed are named, and what a stage wrote is in STATE/build/logs/STAGE.log.\n"
		    "Exit 0: passed; 10: a stage failed; 15: cancelled, or superseded by a newer commit; 130: Ctrl-C (with --local everything was stopped).",
	 .examples = "  davit build --to staging\n"
		     "  davit build --host ssh://deploy@vm.example.com main\n"
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
		     {"app", 0, "NAME", "REF is one of the server's own repository of this application"},
		     {"local", 0, NULL, "on this machine, without a server"},
		     {"stage", 0, "NAME", "with --local: only this stage, and what it needs"},
		     {"output", 'o', "FILE", "with --local: where the archive goes (default: STATE/build/release.tar)"},
		     {"parallel", 'j', "N", "with --local: so many stages at once (default: one a processor)"}}},
	{.name = "builds",
	 .arguments = "[N]",
	 .summary = "what the server builds and has built",
	 .details = "With a number: the stages of this build, and where its release went. What the stages wrote: \"davit logs "
		    "build/N\", kept as long as the server's own file says (\"logs\"; else those of the last 500). Without a number also the "
		    "environments that are deployed to at times, and when that is next.",
	 .examples = "  davit builds\n"
		     "  davit builds 41",
	 .json = "davit.v1/builds: builds, the newest first, and schedules; with a number davit.v1/server-build",
	 .args_max = 1,
	 .options = {{"limit", 'n', "N", "so many (default 20)"},
		     {"app", 0, "NAME", "of this application only"}},
	 .run = verb_builds},
	{.name = "remote",
	 .place = CLI_RUNS_THERE,
	 .arguments = "",
	 .summary = "make the server's own repository of this application, to push to",
	 .details = "Makes the bare repository STATE/repositories/APP.git, whose hook has every push built, and names it \"davit\" "
		    "among the remotes of this repository. What a push brings live stands in \"trigger\" of davit.yaml. With --host "
		    "ssh://HOST it is made there, and pushes go there by ssh. --app makes it alone, and names no remote here. A push "
		    "brings at most 2 GiB (receive.maxInputSize of the repository).\n"
		    "Running it again writes the hook anew, and changes nothing else.",
	 .examples = "  davit remote\n"
		     "  davit remote --host ssh://deploy@vm.example.com\n"
		     "  git push davit main",
	 .json = "davit.v1/remote: app, repository",
	 .options = {{"name", 0, "NAME", "the remote's name (default: davit)"},
		     {"app", 0, "NAME", "the application; no remote is named here"}}},
	{.name = "register",
	 .arguments = "[PATH]",
	 .summary = "a build made elsewhere becomes a release, with its results",
	 .details = "For a step at the end of a pipeline of another system, in a clone of the repository: PATH (a directory, an archive or "
		    "one file; by default this directory) goes to the server as a release, with the commit, its author and the tests' "
		    "results. The commit, the ref, the name of the run and its page are those that GitHub, Gitea and Forgejo Actions, "
		    "GitLab CI or Jenkins say; elsewhere --run names the run. The same run registered again is the same build, and "
		    "nothing goes out twice; a run of which something else is said is a conflict.\n"
		    "With --triggered it goes where \"trigger\" of davit.yaml has the ref, with --to to these environments, otherwise nowhere "
		    "yet. Tests of --junit that have failed make it a build that failed, exit 10; so does --failed, for a pipeline that "
		    "ended before: nothing is sent along then.\n"
		    "Each --sarif is a report of a scan, in SARIF 2.1.0; those without a name are of the stage \"scan\". What it found is "
		    "judged by the server as the findings of a stage of davit's own pipeline: new is what the same stage did not find in the "
		    "last good release of production, waivers.yaml of the commit lets through, and what is new and as severe as \"block_at\" "
		    "of that stage in the commit's davit.yaml (else high) makes it a build that failed, exit 10. A report that is not there, "
		    "or is none, is an error, and nothing is registered.",
	 .examples = "  davit register dist --junit results.xml --triggered --watch\n"
		     "  davit register dist --sarif flawfinder.sarif --sarif deps=audit.sarif --triggered\n"
		     "  davit register shop.tar.gz --run nightly/41 --to staging\n"
		     "  davit register --failed 'it does not compile'",
	 .json = "davit.v1/server-build, as davit builds N has it, with external (run, url)",
	 .args_max = 1,
	 .repeats = "sarif",
	 .options = {{"app", 0, "APP", "the application (default: that of davit.yaml)"},
		     {"config", 0, "FILE", "the davit.yaml (default: in PATH, else here)"},
		     {"as", 0, "TAG", "what the release is called (default: the next version)"},
		     {"commit", 0, "ID", "of this repository (default: what the system says, else HEAD)"},
		     {"ref", 0, "REF", "a full name such as refs/heads/main (default: what the system says)"},
		     {"run", 0, "NAME", "the run's own name, which comes once"},
		     {"url", 0, "URL", "its page"},
		     {"junit", 0, "FILES", "the tests' reports, with a comma between"},
		     {"sarif", 0, "[STAGE=]FILE", "a report of a scan; may be given again"},
		     {"block-at", 0, "SEVERITY", "of scans, whatever davit.yaml says: low, medium, high or critical"},
		     {"failed", 0, "WHY", "the build failed: only that is registered"},
		     {"to", 0, "ENVS", "it goes to these environments, with a comma between"},
		     {"triggered", 0, NULL, "it goes where its ref brings it"},
		     {"watch", 0, NULL, "follow the rollouts to their ends, and exit as they do"}}},
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
		     {"allow-bad", 0, NULL, "also a release that is marked bad, or of a commit that is"},
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
	 .arguments = "ENV|ROLLOUT|build/N",
	 .summary = "follow a rollout, or a build, to its end",
	 .details = "One screen, in place; without a terminal a line a change and one a minute. Leaves with the rollout's "
		    "exit code. Ctrl-C detaches (130); the rollout goes on. A build is followed as \"davit build\" follows it.",
	 .examples = "  davit watch prod\n"
		     "  davit watch build/41",
	 .json = "davit.v1/event, a line a change, until the rollout ends; of a build as \"davit build\"",
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
	 .summary = "answer 503 to everybody, or to who may change something",
	 .details = "Instances keep running, rollouts go on, previews pass. With --read-only GET, HEAD, OPTIONS and TRACE "
		    "pass, and all else and new WebSockets are answered 503. With --off the environment serves again.",
	 .examples = "  davit maintenance prod -m 'moving the disks'\n"
		     "  davit maintenance prod --read-only -m 'moving the database'\n"
		     "  davit maintenance prod --off",
	 .json = "davit.v1/maintenance: on, read_only",
	 .args_min = 1,
	 .args_max = 1,
	 .options = {{"on", 0, NULL, "answer 503 to everybody (what happens without an option, too)"},
		     {"read-only", 0, NULL, "answer 503 to what may change something"},
		     {"off", 0, NULL, "serve again"},
		     REASON},
	 .run = verb_maintenance},
	{0},
};
/* clang-format on */

const struct cli_command *cli_command_next(const struct cli_command *before)
{
	const struct cli_command *last = releasing + sizeof releasing / sizeof releasing[0] - 2;
	const struct cli_command *next = !before          ? releasing
					 : before == last ? commands_kept
							  : before + 1;
	return next->name ? next : NULL;
}
