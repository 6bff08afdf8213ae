/* SPDX-License-Identifier: Apache-2.0
 *
 * reports - what is to be told to the hosts of repositories, of builds and rollouts. See store.h for the rules that hold
 *           for every function of the store.
 *
 * WHAT  WANTED is written with the change that it tells of; it becomes TOLD, or GIVEN UP with the reason, and stays so.
 *       Of one commit and one context only the newest is wanted: what was not told yet of the ones before is forgotten.
 */
#ifndef STORE_REPORTS_H
#define STORE_REPORTS_H

#include "store/builds.h"

enum { STORE_CONTEXT_SIZE = 96, STORE_REPORTS_KEPT = 10000 };

struct store_report {
	uint64_t number;
	char kind
		[STORE_WORD_SIZE]; /* "status": of a commit; "deployment": at hosts that have them */
	char app[STORE_NAME_SIZE];
	char commit[STORE_COMMIT_SIZE];
	char context[STORE_CONTEXT_SIZE];  /* "davit/build", "davit/prod" */
	char environment[STORE_NAME_SIZE]; /* "": it is about a build */
	bool production;
	uint32_t about;              /* the build or the rollout */
	char state[STORE_WORD_SIZE]; /* "waiting" "running" "passed" "failed" "cancelled" "stuck" */
	char description[STORE_SENTENCE_SIZE];
	uint64_t at_unix_ms;
	char outcome[STORE_WORD_SIZE]; /* "wanted", "told", "given up" */
	char why[STORE_SENTENCE_SIZE]; /* the last try failed */
	uint32_t tries;
	uint64_t due_unix_ms; /* of one that is wanted */
};

typedef int (*store_report_visit)(void *context, const struct store_report *report);

/* WANTED, under a new number. One that says what the last one of its commit and context said is left out. */
void store_add_report(struct store *s, const struct store_report *report);
/* Its outcome, why, tries and due_unix_ms; nothing where a newer one took its place. */
void store_put_report(struct store *s, const struct store_report *report);
/* The first that is wanted and due; 1 and `ret_report`, or 0: there is none. */
MUST_CHECK int store_report_due(struct store *s, uint64_t now_unix_ms,
				struct store_report *ret_report, struct error *err);
/* The newest of each context and kind about a commit of an application. */
MUST_CHECK int store_reports(struct store *s, const char *app, const char *commit,
			     store_report_visit visit, void *context, struct error *err);

/* The number that a host gave the deployment of a rollout; 0: none yet. */
void store_put_host_deployment(struct store *s, uint32_t rollout, uint64_t number);
MUST_CHECK int store_host_deployment(struct store *s, uint32_t rollout, uint64_t *ret_number,
				     struct error *err);

#endif
