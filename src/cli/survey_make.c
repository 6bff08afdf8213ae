/* SPDX-License-Identifier: Apache-2.0
 * survey_make - Autotools and Make: which targets there are, and which program of a target's recipe a stage would not
 *               find. What a recipe does is not known before it is run; only its first words are looked at. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/survey_kinds.h"

/* Is the target among the words of this line before its colon? */
static bool declares(const char *line, const char *target)
{
	size_t length = strlen(target), end = strcspn(line, ":=#\n");
	if (line[0] == '\t' || line[end] != ':' || line[end + 1] == '=')
		return false;
	for (size_t at = 0; at < end;) {
		at += strspn(line + at, " \t");
		size_t word = strcspn(line + at, " \t:");
		if (word == length && strncmp(line + at, target, length) == 0)
			return true;
		at += word > 0 ? word : 1;
	}
	return false;
}

/* The line of the text that declares the target, or NULL; .PHONY and its like are not words of that kind. */
static const char *find_target(const char *text, const char *target)
{
	for (const char *line = text; *line;) {
		if (declares(line, target))
			return line;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

static bool is_shell_word(const char *word)
{
	static const char *const words[] = {"cd",   "for",  "if",   "set",   "exec",  "export",
					    "case", "eval", "trap", "while", "until", "unset",
					    "wait", "type", "read", "umask", "ulimit"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* A program that the target's recipe begins a line with, and no stage would find. */
static bool lacks(const char *line, char program[100])
{
	bool continued = false;
	while (*(line += strcspn(line, "\n")) && *++line == '\t') {
		const char *word = line + strspn(line, "\t @+-");
		size_t length = strcspn(word, " \t\n;&|"), all = strcspn(line, "\n");
		bool first = !continued && length > 0 && length < 100;
		continued = all > 0 && line[all - 1] == '\\';
		if (!first)
			continue;
		snprintf(program, 100, "%.*s", (int)length, word);
		if (survey_is_plain(program) && !is_shell_word(program) &&
		    !survey_stage_finds(program))
			return true;
	}
	return false;
}

/* The first of the targets that is there, as a stage. */
static void add_target(int dir_fd, struct survey *s, const char *stage, const char *text,
		       const char *const *targets)
{
	char program[100], script[100];
	const char *line = NULL;
	while (*targets && !(line = find_target(text, *targets)))
		targets++;
	if (!line)
		return;
	snprintf(script, sizeof script, "make %s", *targets);
	if (strcmp(stage, "integration") == 0)
		survey_add_integration(dir_fd, s, script);
	else
		survey_add(s, stage, "%s", script);
	if (lacks(line, program))
		survey_doubt(&s->pipeline.checks[s->pipeline.check_count - 1],
			     "it runs %s, which is not installed below /usr", program);
}

static void add_targets(int dir_fd, struct survey *s, const char *text)
{
	static const char *const lint[] = {"lint", NULL}, *const unit[] = {"test", "check", NULL},
				 *const integration[] = {"integration", "integration-test",
							 "integration-tests", "test-integration",
							 NULL};
	add_target(dir_fd, s, "lint", text, lint);
	add_target(dir_fd, s, "unit", text, unit);
	add_target(dir_fd, s, "integration", text, integration);
}

/* --- Autotools */

/* What automake installs, from the top or below src/. */
static bool find_program(int dir_fd, char path[SURVEY_RUN_SIZE])
{
	static const char *const files[] = {"Makefile.am", "src/Makefile.am"};
	static const char *const variables[] = {"bin_PROGRAMS", "sbin_PROGRAMS"};
	char name[100];
	bool found = false;
	for (size_t i = 0; i < 4 && !found; i++) {
		struct buf text;
		found = survey_read(dir_fd, files[i / 2], &text) &&
			survey_word(buf_text(&text), variables[i % 2], name, sizeof name) &&
			survey_is_plain(name);
		buf_done(&text);
		if (found)
			snprintf(path, SURVEY_RUN_SIZE, "%s%s", i / 2 ? "src/" : "", name);
	}
	return found;
}

static void test_autotools(int dir_fd, struct survey *s)
{
	struct buf text;
	bool automake = survey_has(dir_fd, "Makefile.am");
	if (survey_read(dir_fd, automake ? "Makefile.am" : "Makefile.in", &text)) {
		if (automake) /* it makes this one by itself */
			survey_add(s, "unit", "make check");
		add_targets(dir_fd, s, buf_text(&text));
	}
	buf_done(&text);
}

static bool survey_autotools(int dir_fd, struct survey *s)
{
	static const char *const files[] = {"configure", "configure.ac", "configure.in", NULL};
	struct survey_pipeline *p = &s->pipeline;
	const char *seen = survey_first(dir_fd, files);
	char program[SURVEY_RUN_SIZE];
	if (!seen)
		return false;
	bool made = strcmp(seen, "configure") == 0;
	s->seen = seen;
	snprintf(p->compile, sizeof p->compile, "%s%s && make",
		 made ? "" : "autoreconf --install && ",
		 made && faccessat(dir_fd, seen, X_OK, 0) != 0 ? "sh configure" : "./configure");
	text_copy(s->build, sizeof s->build, p->compile);
	text_copy(p->outputs, sizeof p->outputs, ".");
	bool named = find_program(dir_fd, program);
	snprintf(s->run, sizeof s->run, "./%.200s --port $PORT", named ? program : s->app);
	survey_archive(s, named ? program : ".");
	if (!made)
		survey_requires(s, "autoreconf", "apt-get install autoconf automake libtool");
	test_autotools(dir_fd, s);
	return true;
}

/* --- Make */

static bool survey_makefile(int dir_fd, struct survey *s)
{
	/* In the order in which GNU make looks. */
	static const char *const files[] = {"GNUmakefile", "makefile", "Makefile", NULL};
	struct survey_pipeline *p = &s->pipeline;
	const char *seen = survey_first(dir_fd, files);
	struct buf text;
	if (!seen)
		return false;
	if (survey_read(dir_fd, seen, &text)) {
		bool named = find_target(buf_text(&text), s->app) != NULL;
		snprintf(s->run, sizeof s->run, "./%s --port $PORT", s->app);
		text_copy(s->build, sizeof s->build, "make");
		text_copy(p->compile, sizeof p->compile, "make");
		text_copy(p->outputs, sizeof p->outputs, named ? s->app : ".");
		survey_archive(s, named ? s->app : ".");
		add_targets(dir_fd, s, buf_text(&text));
		s->seen = seen;
	}
	buf_done(&text);
	return s->run[0];
}

bool survey_make(int dir_fd, struct survey *s)
{
	bool found = survey_autotools(dir_fd, s) || survey_makefile(dir_fd, s);
	if (found) {
		s->kind = "c";
		survey_requires(s, "make", "apt-get install make gcc libc6-dev");
	}
	return found;
}
