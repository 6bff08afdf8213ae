/* SPDX-License-Identifier: Apache-2.0
 *
 * serving - the verbs that are processes: their options, and what they start.
 * HOW   argv[0] is the verb. Each returns the process's exit code.
 */
#ifndef DAEMON_SERVING_H
#define DAEMON_SERVING_H

int serving_up(int argc, char **argv);
int serving_serve(int argc, char **argv);
int serving_gateway(int argc, char **argv);    /* alone, with --table FILE */
int serving_controller(int argc, char **argv); /* started by the launcher, as the next */
int serving_supervisor(int argc, char **argv);

#endif
