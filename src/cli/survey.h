/* SPDX-License-Identifier: Apache-2.0
 *
 * survey - what a repository is, told from the files at its top: for `davit init`.
 *
 * WHAT  The kind of project, a guess of the command that starts it (`sure` says whether the repository itself names
 *       it; otherwise the person is asked to check the line), and the stages of its pipeline. What cannot be known to
 *       pass on the repository as it is has a `why`: it is written down as a comment, for that reason.
 * LIMITS Reads the first SURVEY_FILE_MAX bytes of a file, of this directory and of a few below it (tests/, cmd/).
 *       Scanners that only read (flawfinder, cppcheck, shellcheck, bandit, ruff, flake8) are tried once, for at most
 *       SURVEY_TRY_MS each, where a stage would find them. Nothing of the repository itself is run.
 */
#ifndef CLI_SURVEY_H
#define CLI_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SURVEY_FILE_MAX = 64 * 1024,
	SURVEY_RUN_SIZE = 256,
	SURVEY_NAME_SIZE = 41,
	SURVEY_SCRIPT_SIZE = 400,
	SURVEY_PATHS_SIZE = 160,
	SURVEY_WHY_SIZE = 160,
	SURVEY_NOTE_SIZE = 400,
	SURVEY_STAGES_MAX = 6,
	SURVEY_NOTES_MAX = 4,
	SURVEY_TRY_MS = 20000,
};

/* A stage that says yes or no to a commit: lint, unit, integration, scan. */
struct survey_stage {
	const char *name;
	char run[SURVEY_SCRIPT_SIZE];
	const char *report;        /* the SARIF that it writes, or NULL */
	char why[SURVEY_WHY_SIZE]; /* not "": why it is a comment only */
	bool alone;                /* it needs nothing that compile makes */
	bool network;
};

struct survey_pipeline {
	char compile[SURVEY_SCRIPT_SIZE]; /* "": there is nothing to be made or fetched */
	char outputs[SURVEY_PATHS_SIZE];  /* of compile: paths of a list; "": none */
	char cache_key[SURVEY_PATHS_SIZE];
	const char *cache_paths;
	const char *variable; /* of all stages: "NAME: value" */
	bool network;         /* compile fetches what it needs */
	uint32_t check_count;
	struct survey_stage checks[SURVEY_STAGES_MAX];
	char archive[SURVEY_RUN_SIZE];  /* what is deployed: paths of a list; "": there is none */
	char assets[SURVEY_PATHS_SIZE]; /* what goes with it: ", static/, templates/" */
};

struct survey {
	const char *kind; /* "go", "node", ...; "unknown" */
	const char *seen; /* the file that told: "go.mod"; "" */
	char app[SURVEY_NAME_SIZE];
	char run[SURVEY_RUN_SIZE];
	struct survey_pipeline pipeline;
	char build[SURVEY_SCRIPT_SIZE]; /* what has to be run before a deployment; "": nothing */
	const char *branch;             /* the main one: "main", or "master" */
	bool sure;
	uint32_t note_count;
	char notes[SURVEY_NOTES_MAX][SURVEY_NOTE_SIZE]; /* sentences for the person */
};

/* `dir_fd` is the repository, `path` its absolute path (its last part names the application). */
void survey_repository(int dir_fd, const char *path, struct survey *ret_survey);

#endif
