/* SPDX-License-Identifier: Apache-2.0
 *
 * build_verb - davit build --local [REF]: the pipeline of a commit, on this machine, without a server.
 *
 * WHAT  The same graph, the same sandbox and the same file as on a server. It reads davit.yaml of the commit, not of
 *       the working tree, and says which changes are not part of it.
 * OUT   docs/pipeline.md; exit 0 passed, 10 failed, 130 Ctrl-C (everything is stopped first), else those of every
 *       command.
 */
#ifndef DAEMON_BUILD_VERB_H
#define DAEMON_BUILD_VERB_H

/* argv[0] is the verb. */
int build_verb(int argc, char **argv);

#endif
