/* SPDX-License-Identifier: Apache-2.0
 *
 * build_follow - a build of the server, asked about until it has ended; and the lines of its stages as far as there are any.
 *
 * HOW   build_follow() asks four times a second, also a server that is being restarted, and goes on with the build when it is
 *       back. Ctrl-C ends the following; the build goes on.
 */
#ifndef CLI_BUILD_FOLLOW_H
#define CLI_BUILD_FOLLOW_H

#include "cli/client.h"
#include "cli/command.h"

enum { BUILD_STAGES_MAX = 32, BUILD_STAGE_SIZE = 48 };

/* "build/41" or "build/41/unit" ("": no stage was named). False: it is neither. */
bool build_target(const char *text, uint64_t *ret_number, char ret_stage[BUILD_STAGE_SIZE]);
/* The same for the target of a verb, which is fetched; what was wrong has been told when it is not CLI_OK. */
MUST_CHECK int build_fetch(const struct cli *cli, struct client *client, const char *text,
			   json_t **ret_build, char ret_stage[BUILD_STAGE_SIZE]);

/* Calls `line` with each line ("TIME TEXT") that the stage has written from *next on, and moves it on to where more may
 * come. */
MUST_CHECK int build_lines(struct client *client, uint64_t number, const char *stage,
			   uint64_t *next, void (*line)(void *context, const char *text),
			   void *context, struct error *err);

/* `news` is called with `build` as it is now (taken over), and then with each later answer, the last one of which is of
 * the build that has ended. Returns CLI_OK with that in `ret_ended`, else an exit code: the person has been told why. */
MUST_CHECK int build_follow(const struct cli *cli, struct client *client, json_t *build,
			    void (*news)(void *context, const json_t *build), void *context,
			    json_t **ret_ended);

#endif
