/* SPDX-License-Identifier: Apache-2.0
 *
 * release_upload - a path becomes a release: a directory, an archive or one file goes to the server with its davit.yaml.
 *
 * HOW   The configuration is the file that was named, else davit.yaml in the directory, else in the working directory, else
 *       the one that the archive brings. All its errors are told before anything is sent.
 * OWNS  `ret_release`, the server's answer, is the caller's.
 */
#ifndef CLI_RELEASE_UPLOAD_H
#define CLI_RELEASE_UPLOAD_H

#include "cli/client.h"
#include "cli/command.h"

struct release_upload {
	const char *path;
	const char *environment; /* that it is for; NULL: none yet */
	const char *app;    /* whose it has to be; NULL: anybody's, where there is an environment */
	const char *tag;    /* NULL: the server names it */
	const char *config; /* NULL: found */
};

/* An exit code; what is wrong was told. */
int release_upload(struct cli *cli, struct client *client, const struct release_upload *what,
		   json_t **ret_release);

#endif
