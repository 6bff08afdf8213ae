/* SPDX-License-Identifier: Apache-2.0
 *
 * build_order - what a person or a push asks the server to build: `davit build` without --local, `davit remote`, and
 *               `davit receive`, which the hook of a repository runs that `davit remote` made.
 *
 * WHAT  STATE/repositories/APP.git is a bare repository like any other, with a post-receive hook. It belongs to whoever
 *       made it; who may write there may push. What is in a push (names, messages, davit.yaml) is a stranger's: data,
 *       never an option or a part of a script.
 */
#ifndef DAEMON_BUILD_ORDER_H
#define DAEMON_BUILD_ORDER_H

#include "cli/command.h"

int build_order_send(struct cli *cli);

int remote_verb(int argc, char **argv);
int receive_verb(int argc, char **argv);

#endif
