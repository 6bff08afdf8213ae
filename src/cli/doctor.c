/* SPDX-License-Identifier: Apache-2.0
 * doctor - davit doctor: does this machine have what davit needs? One line a check, with what to do about it.
 *
 * A note is something that davit does without; a problem is something that it cannot do its work with. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/config_file.h"
#include "cli/screen.h"
#include "cli/there.h"
#include "cli/verbs.h"
#include "os/cgroup.h"
#include "os/listen.h"
#include "os/process.h"

enum {
	KERNEL_MAJOR = 6, /* Debian 12's: what davit is tested on */
	KERNEL_MINOR = 1,
	FILES_LEAST = 1024, /* below this not even a small application can be served */
	FILES_GOOD = 16384, /* a connection in and one out for 8,000 users */
	TEXT_SIZE = 512,
	TEXT_MAX = 64 * 1024,
};
static const uint64_t disk_least_bytes = 100u << 20, disk_good_bytes = 1u << 30;

enum finding { FINDING_OK, FINDING_NOTE, FINDING_PROBLEM };

struct doctor {
	struct cli *cli;
	struct buf text;
	json_t *checks;
	json_t *status; /* the server's, or NULL */
	uint32_t problems;
};

static void find(struct doctor *d, const char *name, enum finding finding, const char *fix,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void find(struct doctor *d, const char *name, enum finding finding, const char *fix,
		 const char *format, ...)
{
	static const char *const words[] = {"ok", "note", "problem"}, *const states[] = {"done",
											 "note",
											 "failed"};
	char text[TEXT_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	d->problems += finding == FINDING_PROBLEM;
	json_array_append_new(d->checks, json_pack("{s:s,s:s,s:s,s:s}", "name", name, "state",
						   words[finding], "text", text, "fix", fix));
	screen_put(d->cli, &d->text, screen_tone(states[finding]), "%s %-7s",
		   screen_glyph(d->cli, states[finding]), words[finding]);
	screen_put(d->cli, &d->text, TONE_PLAIN, " %-12s %s\n", name, text);
	if (fix[0])
		screen_put(d->cli, &d->text, TONE_PLAIN, "%24s%s\n", "", fix);
}

static void check_kernel(struct doctor *d)
{
	struct utsname name;
	char *rest = NULL;
	if (uname(&name) != 0)
		return;
	unsigned long major = strtoul(name.release, &rest, 10),
		      minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;
	bool old = major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR);
	find(d, "kernel", old ? FINDING_NOTE : FINDING_OK,
	     old ? "davit is made for Linux 6.1 and later; an older one is not tested." : "",
	     "%s %s", name.sysname, name.release);
}

static void check_cgroup(struct doctor *d)
{
	struct cgroup_limits limits = {.memory_bytes = 64u << 20, .cpu_milli = 1000};
	struct cgroup group;
	char name[48], note[CGROUP_NOTE_SIZE];
	snprintf(name, sizeof name, "davit-doctor-%d", (int)getpid());
	cgroup_make(name, &limits, &group, note);
	if (group.kill == CGROUP_NONE)
		find(d, "cgroups", FINDING_NOTE,
		     "Run davit as root, or as a service with Delegate=yes, to have instances "
		     "ended and limited by the kernel.",
		     "none can be made: instances are ended by their process group");
	else
		find(d, "cgroups", note[0] ? FINDING_NOTE : FINDING_OK,
		     note[0] ? "The keys limits.memory and limits.cpu have no effect here." : "",
		     "%s%s%s", group.kill == CGROUP_V2 ? "v2" : "v1 with a freezer",
		     note[0] ? "; " : "", note);
	(void)cgroup_remove(&group);
}

static void check_files(struct doctor *d)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	bool few = limit.rlim_max < FILES_LEAST, small = limit.rlim_max < FILES_GOOD;
	find(d, "descriptors",
	     few     ? FINDING_PROBLEM
	     : small ? FINDING_NOTE
		     : FINDING_OK,
	     small ? "Every connection needs two: raise the hard limit (LimitNOFILE=, or ulimit "
		     "-Hn)."
		   : "",
	     "at most %llu open files", (unsigned long long)limit.rlim_max);
}

static void check_state(struct doctor *d, const char *state)
{
	struct stat st;
	if (stat(state, &st) != 0 && errno == ENOENT) {
		find(d, "state", FINDING_OK, "", "%s is not there yet; \"davit up\" makes it",
		     state);
		return;
	}
	errno = 0;
	if (stat(state, &st) != 0 || access(state, R_OK | W_OK | X_OK) != 0)
		find(d, "state", FINDING_PROBLEM,
		     "Run davit as the owner of the state directory, or name another with --state.",
		     "%s: %s", state, strerror(errno));
	else if (st.st_mode & (S_IWGRP | S_IWOTH | S_IROTH | S_IXOTH))
		find(d, "state", FINDING_PROBLEM, "Close it: chmod 700 on that directory.",
		     "%s is open to other users (mode %03o): they could command the server", state,
		     (unsigned)st.st_mode & 0777);
	else
		find(d, "state", FINDING_OK, "", "%s", state);
}

static void check_disk(struct doctor *d, const char *state)
{
	struct statvfs fs;
	char size[32];
	if (statvfs(state, &fs) != 0 && statvfs(".", &fs) != 0)
		return;
	uint64_t free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	bool none = free_bytes < disk_least_bytes, little = free_bytes < disk_good_bytes;
	find(d, "disk",
	     none     ? FINDING_PROBLEM
	     : little ? FINDING_NOTE
		      : FINDING_OK,
	     little ? "Make room: releases, logs and the store are kept there." : "", "%s free",
	     screen_size(free_bytes, size));
}

static void check_server(struct doctor *d)
{
	struct client *client;
	struct error err;
	json_t *server;
	if (client_open(d->cli, &client, &err) < 0) {
		find(d, "server", FINDING_NOTE, "Start one: davit up", "none runs here");
		return;
	}
	if (client_get(client, "/v1/server?check=1", &server, &err) < 0) {
		bool off = err.code == ERR_UNAVAILABLE;
		find(d, "server", off ? FINDING_NOTE : FINDING_PROBLEM,
		     off ? "Start one: davit up" : "", "%s", off ? "none runs here" : err.text);
	} else {
		bool fine = strcmp(json_text_of(server, "health"), "ok") == 0;
		find(d, "server", fine ? FINDING_OK : FINDING_PROBLEM,
		     fine ? "" : "Look at its log.", "version %s, pid %llu%s%s",
		     json_text_of(server, "version"),
		     (unsigned long long)json_number_of(server, "pid"), fine ? "" : ": ",
		     json_text_of(server, "message"));
		json_decref(server);
		if (client_get(client, "/v1/status", &d->status, &err) < 0)
			d->status = NULL;
	}
	client_free(client);
}

/* davit itself holds the addresses of what is live. */
static bool served_by_davit(const struct doctor *d, const char *listen)
{
	const json_t *app, *e;
	size_t i, k;
	json_array_foreach (json_object_get(d->status, "applications"), i, app)
		json_array_foreach (json_object_get(app, "environments"), k, e)
			if (strcmp(json_text_of(e, "listen"), listen) == 0)
				return true;
	return false;
}

static void check_address(struct doctor *d, const char *environment, const char *listen)
{
	struct error err;
	int fd = -1;
	if (served_by_davit(d, listen))
		find(d, "address", FINDING_OK, "", "%s is served by davit (%s)", listen,
		     environment);
	else if (listen_open(listen, &fd, &err) == 0)
		find(d, "address", FINDING_OK, "", "%s is free (%s)", listen, environment);
	else
		find(d, "address", FINDING_PROBLEM, "Who has it: ss -ltnp", "%s: %s", environment,
		     err.text);
	if (fd >= 0)
		close(fd);
}

/* What the server's environments show, and whether davit can renew it. */
static void check_certificates(struct doctor *d)
{
	const json_t *app, *e;
	size_t i, k;
	json_array_foreach (json_object_get(d->status, "applications"), i, app)
		json_array_foreach (json_object_get(app, "environments"), k, e) {
			const json_t *c = json_object_get(e, "certificate");
			const char *state = json_text_of(c, "state");
			bool good = strcmp(state, "good") == 0,
			     waits = strcmp(state, "ordered") == 0 || strcmp(state, "soon") == 0;
			if (state[0])
				find(d, "certificate",
				     good    ? FINDING_OK
				     : waits ? FINDING_NOTE
					     : FINDING_PROBLEM,
				     "", "%s/%s: %s", json_text_of(e, "app"),
				     json_text_of(e, "name"), json_text_of(c, "text"));
		}
}

/* What orders certificates is another program (docs/adr/0007-uacme.md). */
static void check_acme(struct doctor *d, const struct app *app)
{
	const char *wants = NULL;
	for (uint32_t i = 0; i < app->environment_count; i++)
		if (app->environments[i].tls.acme.email)
			wants = app->environments[i].name;
	if (!wants)
		return;
	bool there = process_program_exists("uacme");
	find(d, "uacme", there ? FINDING_OK : FINDING_PROBLEM,
	     there ? "" : "Install it where davit serves: apt-get install uacme",
	     there ? "orders certificates (%s)" : "not installed, and %s has tls.acme", wants);
}

static void check_config(struct doctor *d)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct buf text;
	struct error err;
	struct app *app;
	buf_init(&text, CONFIG_FILE_MAX);
	if (access("davit.yaml", F_OK) != 0) {
		find(d, "davit.yaml", FINDING_NOTE, "Make one: davit init",
		     "there is none in this directory");
	} else if (config_file_read("davit.yaml", &text, &err) < 0) {
		find(d, "davit.yaml", FINDING_PROBLEM, "", "%s", err.text);
	} else if (config_load(buf_text(&text), text.size, "davit.yaml", &app, errors) < 0) {
		find(d, "davit.yaml", FINDING_PROBLEM, "All of it: davit validate", "%s: %s",
		     errors->items[0].where, errors->items[0].text);
	} else {
		find(d, "davit.yaml", FINDING_OK, "", "valid, application %s", app->name);
		for (uint32_t i = 0; i < app->environment_count; i++)
			if (app->environments[i].listen)
				check_address(d, app->environments[i].name,
					      app->environments[i].listen);
		check_acme(d, app);
		config_free(app);
	}
	buf_done(&text);
	free(errors);
}

int verb_doctor(struct cli *cli)
{
	struct doctor d = {.cli = cli, .checks = json_array()};
	const char *state = client_state(cli);
	if (cli->host) {
		json_decref(d.checks);
		return there_run(cli, &(struct there){.no_input = true, .in = -1, .out = -1});
	}
	buf_init(&d.text, TEXT_MAX);
	check_kernel(&d);
	check_cgroup(&d);
	check_files(&d);
	check_state(&d, state);
	check_disk(&d, state);
	check_server(&d);
	check_certificates(&d);
	check_config(&d);
	if (cli->json)
		ask_print(json_pack("{s:s,s:b,s:O}", "schema", "davit.v1/doctor", "healthy",
				    d.problems == 0, "checks", d.checks));
	else
		fputs(buf_text(&d.text), stdout);
	json_decref(d.checks);
	json_decref(d.status);
	buf_done(&d.text);
	return d.problems == 0 ? CLI_OK : CLI_UNEXPECTED;
}
