/* SPDX-License-Identifier: Apache-2.0
 *
 * survey - what a repository is, told from the files at its top: for `davit init`.
 *
 * WHAT  The kind of project and a guess of the command that starts it. A guess: `sure` says whether the
 *       repository itself names the command; otherwise the person is asked to check the line.
 * LIMITS Reads the first SURVEY_FILE_MAX bytes of a file, and no directory but this one.
 */
#ifndef CLI_SURVEY_H
#define CLI_SURVEY_H

#include <stdbool.h>

enum { SURVEY_FILE_MAX = 64 * 1024, SURVEY_RUN_SIZE = 256, SURVEY_NAME_SIZE = 41 };

/* The stages that a repository of this kind needs; a text that is NULL is no part of it. */
struct survey_pipeline {
	const char *compile, *test; /* scripts */
	const char *outputs;        /* of compile, for the test: a path */
	const char *cache_key, *cache_paths;
	const char *variable;          /* of compile and test: "NAME: value" */
	bool network;                  /* compile fetches what it needs */
	char archive[SURVEY_RUN_SIZE]; /* what is deployed: paths of a list; "": there is none */
};

struct survey {
	const char *kind; /* "go", "node", ...; "unknown" */
	const char *seen; /* the file that told: "go.mod"; "" */
	char app[SURVEY_NAME_SIZE];
	char run[SURVEY_RUN_SIZE];
	struct survey_pipeline pipeline;
	const char *build; /* what has to be run before a deployment, or NULL */
	bool sure;
};

/* `dir_fd` is the repository, `path` its absolute path (its last part names the application). */
void survey_repository(int dir_fd, const char *path, struct survey *ret_survey);

#endif
