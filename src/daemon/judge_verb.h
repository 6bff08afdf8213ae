/* SPDX-License-Identifier: Apache-2.0
 *
 * judge_verb - davit judge: a rollout is judged again by its ticks, those of a file or those that the server keeps.
 *
 * WHAT  A verb of daemon/, for the client's folder knows no judge. It starts nothing and changes nothing.
 * OUT   docs/reference/ticks.md; exit 0 pass, 11 fail, 20 neither, else those of every command.
 */
#ifndef DAEMON_JUDGE_VERB_H
#define DAEMON_JUDGE_VERB_H

/* argv[0] is the verb. */
int judge_verb(int argc, char **argv);

#endif
