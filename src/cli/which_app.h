/* SPDX-License-Identifier: Apache-2.0
 *
 * which_app - the application that a command is about: that of --app, else of the davit.yaml here, else the only one that the
 *             server knows.
 */
#ifndef CLI_WHICH_APP_H
#define CLI_WHICH_APP_H

#include "cli/command.h"

enum { WHICH_APP_SIZE = 64 };

/* The exit code; what was wrong has been told. `what` begins the sentence: "Whose secret it is". */
int which_app(const struct cli *cli, const char *what, char to[WHICH_APP_SIZE]);

#endif
