/* SPDX-License-Identifier: Apache-2.0
 * survey_c - what Meson or CMake build, and where it is afterwards. A program that is not named plainly is not
 *            guessed for the archive: a package that is too large works, one of a file that is not there does not. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/survey_kinds.h"

/* How a build system is driven, in a directory that the repository does not have itself. */
struct kit {
	const char *file, *tool, *package; /* which of Debian's has it */
	const char *program, *directory;   /* the words that declare one, and a further directory */
	struct kit_place {
		const char *outputs, *compile, *again, *test;
	} places[2];
};

static const struct kit meson = {
	"meson.build",
	"meson",
	"apt-get install meson ninja-build gcc libc6-dev",
	"executable",
	"subdir",
	{{"build/", "meson setup build && meson compile -C build", "meson compile -C build",
	  "meson test -C build"},
	 {"_build/", "meson setup _build && meson compile -C _build", "meson compile -C _build",
	  "meson test -C _build"}},
};
static const struct kit cmake = {
	"CMakeLists.txt",
	"cmake",
	"apt-get install cmake make gcc libc6-dev",
	"add_executable",
	"add_subdirectory",
	{{"build/", "cmake -B build && cmake --build build", "cmake --build build",
	  "ctest --test-dir build"},
	 {"_build/", "cmake -B _build && cmake --build _build", "cmake --build _build",
	  "ctest --test-dir _build"}},
};

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_.+-", c));
}

/* The first argument of the next `word(...)`, where it is a plain name; *at goes behind it. False at the end. */
static bool next_call(const char **at, const char *word, char name[100])
{
	size_t length = strlen(word), size = 0;
	const char *from = *at, *call;
	while ((call = strstr(from, word))) {
		const char *c = call + length;
		bool whole = call == from || !is_plain(call[-1]);
		from = c;
		c += strspn(c, " \t");
		if (!whole || *c != '(')
			continue;
		c += 1 + strspn(c + 1, " \t\r\n");
		c += *c == '\'' || *c == '"';
		while (is_plain(c[size]))
			size++;
		*at = c;
		bool ends = c[size] == '\'' || c[size] == '"' || c[size] == ')' || c[size] == ' ' ||
			    c[size] == '\n' || c[size] == '\r' || c[size] == '\t';
		text_copy(name, 100, "");
		if (ends && size > 0 && size < 100) {
			memcpy(name, c, size);
			name[size] = '\0';
		}
		return true;
	}
	return false;
}

/* The first program that a file names; false when it names none. */
static bool first_program(const struct kit *kit, const char *text, char name[100])
{
	while (next_call(&text, kit->program, name))
		if (name[0])
			return true;
	return false;
}

/* Tests and examples are not what is deployed. */
static bool is_apart(const char *name)
{
	static const char *const apart[] = {"test", "fuzz", "example", "doc", "bench"};
	for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++)
		if (strstr(name, apart[i]))
			return true;
	return !name[0];
}

/* A program of the further directories, as "bin/till": the one that is called as the application, or the first. */
static bool program_below(const struct kit *kit, int dir_fd, const char *text, const char *app,
			  char path[256])
{
	char directory[100], name[100], file[256];
	bool found = false, named = false;
	while (!named && next_call(&text, kit->directory, directory)) {
		struct buf below;
		if (is_apart(directory))
			continue;
		snprintf(file, sizeof file, "%s/%s", directory, kit->file);
		const char *at = survey_read(dir_fd, file, &below) ? buf_text(&below) : "";
		while (!named && next_call(&at, kit->program, name)) {
			named = strcmp(name, app) == 0;
			if (is_apart(name) || (found && !named))
				continue;
			snprintf(path, 256, "%s/%s", directory, name);
			found = true;
		}
		buf_done(&below);
	}
	return found;
}

static void survey_kit(const struct kit *kit, int dir_fd, const char *text, struct survey *s)
{
	const struct kit_place *place = &kit->places[survey_has(dir_fd, "build")];
	char program[256], path[SURVEY_RUN_SIZE];
	bool sure = first_program(kit, text, program) && !strstr(text, "RUNTIME_OUTPUT_DIRECTORY");
	if (!sure && !program_below(kit, dir_fd, text, s->app, program))
		text_copy(program, sizeof program, s->app);
	snprintf(path, sizeof path, "%s%.200s", place->outputs, program);
	snprintf(s->run, sizeof s->run, "./%.200s --port $PORT", path);
	s->seen = kit->file;
	text_copy(s->build, sizeof s->build, place->again);
	text_copy(s->pipeline.compile, sizeof s->pipeline.compile, place->compile);
	text_copy(s->pipeline.outputs, sizeof s->pipeline.outputs, place->outputs);
	survey_add(s, "unit", "%s", place->test);
	survey_archive(s, sure ? path : place->outputs);
	survey_requires(s, kit->tool, kit->package);
}

bool survey_c(int dir_fd, struct survey *s)
{
	static const struct kit *const kits[] = {&meson, &cmake};
	struct buf text;
	bool found = false;
	for (size_t i = 0; i < 2 && !found; i++) {
		found = survey_read(dir_fd, kits[i]->file, &text);
		if (found)
			survey_kit(kits[i], dir_fd, buf_text(&text), s);
		buf_done(&text);
	}
	s->kind = found ? "c" : s->kind;
	return found;
}
