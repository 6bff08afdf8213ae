/* SPDX-License-Identifier: Apache-2.0
 *
 * ci_run - what the system that runs us says of its run: GitHub, Gitea and Forgejo Actions, GitLab CI, Jenkins.
 *
 * HOW   PURE: `get` is getenv(), or a test's.
 * SOURCE Each system's list of predefined variables: docs.github.com "Variables reference", docs.gitlab.com "Predefined CI/CD
 *       variables", Jenkins' /env-vars.html.
 */
#ifndef CLI_CI_RUN_H
#define CLI_CI_RUN_H

#include <stdbool.h>

enum { CI_TEXT_SIZE = 513 };

/* What is not known is "". */
struct ci_run {
	char run[CI_TEXT_SIZE]; /* "github/acme/shop/8123/1": a name for it that comes once */
	char url[CI_TEXT_SIZE];
	char commit[CI_TEXT_SIZE];
	char ref[CI_TEXT_SIZE]; /* a full name; "" also where it is neither branch nor tag */
};

/* False: none of these runs us. */
bool ci_run_find(const char *(*get)(const char *name), struct ci_run *ret_run);

#endif
