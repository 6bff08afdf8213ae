/* SPDX-License-Identifier: Apache-2.0
 *
 * survey_kinds - what the kinds of a survey share. Of the survey's own files only.
 *
 * WHAT  A kind is a function that answers false when the repository is none of it, and else fills in the survey. What
 *       fits several kinds (scanners, shell scripts) is added by survey_add_common() afterwards.
 */
#ifndef CLI_SURVEY_KINDS_H
#define CLI_SURVEY_KINDS_H

#include "base/buf.h"
#include "cli/survey.h"

/* --- files */

/* The beginning of a file, as text; false when it is not there. `ret_text` is the caller's to end either way. */
bool survey_read(int dir_fd, const char *name, struct buf *ret_text);
bool survey_has(int dir_fd, const char *name);

/* The first of the names that is there, or NULL; the list ends with NULL. */
const char *survey_first(int dir_fd, const char *const *names);

/* Is there a file called BEGIN...END in this directory (or below `directory`, not deeper)? The first one by name, as
 * "directory/name" or "name" into `ret_path`. */
bool survey_find(int dir_fd, const char *directory, const char *begin, const char *end,
		 char ret_path[SURVEY_RUN_SIZE]);

/* The word after `before`, without quotes: `name = "shop"` after "name". */
bool survey_word(const char *text, const char *before, char *to, size_t size);

/* A name that needs no quotes in a script, a path or YAML. */
bool survey_is_plain(const char *name);

/* --- what it becomes */

/* A path of davit.yaml's list; one that needs more than quotes is left to the person. */
void survey_archive(struct survey *survey, const char *path);

/* One more stage; the first of a name counts, then NULL is the answer. The format makes its script. */
struct survey_stage *survey_add(struct survey *survey, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Written as a comment, for this reason; the first reason counts. `stage` may be NULL. */
void survey_doubt(struct survey_stage *stage, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "integration": what it needs beside it is not known where the repository has a compose file. */
void survey_add_integration(int dir_fd, struct survey *survey, const char *script);

/* A sentence for the person who called `davit init`. */
void survey_say(struct survey *survey, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Would a stage find the program, in its sandbox? */
bool survey_stage_finds(const char *program);

/* The pipeline cannot do without it: where a stage would not find it, the person is told, with `how` to get it. */
void survey_requires(struct survey *survey, const char *program, const char *how);

/* Run the script of a scanner, which begins with its name, as a stage would: where it finds something, or does not come
 * to an end, the stage is a comment. `first` is what to do about what it finds. `stage` may be NULL. */
void survey_try(int dir_fd, struct survey_stage *stage, const char *script, const char *first);

/* --- kinds, each in its file */

bool survey_go(int dir_fd, struct survey *survey);
bool survey_rust(int dir_fd, struct survey *survey);
bool survey_node(int dir_fd, struct survey *survey);
bool survey_python(int dir_fd, struct survey *survey);
bool survey_java(int dir_fd, struct survey *survey);
/* Meson and CMake, in survey_c.c; Autotools and Make, in survey_make.c. */
bool survey_c(int dir_fd, struct survey *survey);
bool survey_make(int dir_fd, struct survey *survey);

/* Scanners and linters that the kind itself did not ask for: survey_checks.c. */
void survey_add_common(int dir_fd, struct survey *survey);

#endif
