/* SPDX-License-Identifier: Apache-2.0
 *
 * register_verb - davit register: a build that another system has made becomes a release, with its commit and its results.
 */
#ifndef DAEMON_REGISTER_VERB_H
#define DAEMON_REGISTER_VERB_H

int register_verb(int argc, char **argv); /* argv[0] is the verb */

#endif
