/* SPDX-License-Identifier: Apache-2.0
 *
 * supervisor_state - what the parts of the gateway's supervisor share; nobody else includes it.
 *
 * WHAT  supervisor.c          starts, recovers, ticks, ends
 *       supervisor_peers.c    who connects; the controller
 *       supervisor_posts.c    the processes and their channels
 *       supervisor_retired.c  workers of another build, until their last client is gone
 *       supervisor_tables.c   one table at a time, from offered to seen
 *
 * OWNS  Everything hangs on struct supervisor, on the heap until gateway_supervisor_run() returns.
 */
#ifndef GATEWAY_SUPERVISOR_STATE_H
#define GATEWAY_SUPERVISOR_STATE_H

#include "base/buf.h"
#include "base/env.h"
#include "gateway/supervisor.h"
#include "link/counters.h"
#include "link/gateway_messages.h"
#include "link/table.h"
#include "os/channel.h"
#include "os/loop.h"
#include "os/process.h"

enum {
	SUPERVISOR_STRANGERS = 32,
	SUPERVISOR_SOCKETS = 2 * TABLE_LISTENERS_MAX,
	SUPERVISOR_POSTS =
		COUNTERS_PLACES, /* more than workers: some of another build come back first */
	SUPERVISOR_RETIRED = 256,
};

enum { POST_NO_PLACE = COUNTERS_PLACES };

enum post_phase {
	POST_NONE,    /* no process; perhaps one is due */
	POST_AWAITED, /* a process without a channel, or one that has not said JOIN */
	POST_HANDING, /* joined; its sockets are still arriving */
	POST_WAITING, /* joined; gets its table when it is clear which one */
	POST_SERVING, /* gets every table */
};

/* A worker that there should be, and whoever is it now. */
struct post {
	struct supervisor *supervisor;
	enum post_phase phase;
	struct process process;
	uint32_t place;   /* in the counters; POST_NO_PLACE: in those of another gateway */
	bool child;       /* ours to reap */
	bool other_build; /* it runs another program than we do: somebody takes its place */
	struct loop_watch *death;
	int channel_fd; /* -1 = none */
	struct loop_watch *talk;
	struct env_timer start; /* the next one, after a pause */
	uint64_t started_ms;
	uint64_t pause_ms;
	uint64_t beat;       /* as last read, */
	uint32_t idle_ticks; /* and since how many ticks it, or the phase, has not changed */
	uint32_t sockets_left;
	bool due;      /* the table under way waits for its answer */
	bool uses;     /* it may be serving by a table, whether we can speak to it or not */
	uint64_t seen; /* the newest generation it has said SEEN for */
};

/* A worker of another build: it serves as it did until ours serve, and ends then with its last client. */
struct retired {
	struct supervisor *supervisor;
	struct process process; /* pid 0: free */
	uint32_t place;         /* as a post's */
	struct loop_watch *death;
	int channel_fd; /* -1 = none: it was told to retire by a supervisor before us, or it is on its way back */
	bool told;
};

/* A connection that has not said yet who it is. */
struct stranger {
	struct supervisor *supervisor;
	int fd; /* -1 = free */
	pid_t pid;
	struct loop_watch *talk;
};

struct listening {
	char address[TABLE_ADDRESS_SIZE];
	int fd;
	bool in_force; /* else opened for the table under way */
};

/* A table in all its forms. */
struct held_table {
	struct gateway_table *table; /* NULL = none */
	struct buf block;
	int fd; /* -1 = none */
};

enum way_phase { WAY_FREE, WAY_PREPARING, WAY_COMMITTED };

/* The table under way to the workers. */
struct way {
	enum way_phase phase;
	struct held_table next; /* empty again from the commit on */
	uint64_t generation;
	uint64_t sequence; /* of the controller's APPLY; 0 = nobody asked */
	bool on_disk;      /* it came from there */
	struct env_timer deadline;
	uint64_t offered_us, prepared_us, persisted_us, committed_us;
};

struct supervisor {
	const struct supervisor_options *options;
	struct loop *loop;
	struct env *env;
	int lock_fd;
	int door_fd; /* where others connect */
	struct loop_watch *door;
	struct loop_signal *term, *interrupt, *hangup;
	struct env_timer tick;
	int access_log_fd;

	bool recovering; /* workers of our predecessor are still expected */
	bool ending;     /* draining, then the end */
	struct env_timer ending_deadline;

	int counters_fd;
	size_t counters_size;
	struct counters *counters; /* NULL until made or handed over */
	uint32_t restarts;
	uint32_t worker_count;
	struct post posts[SUPERVISOR_POSTS];
	struct retired retired[SUPERVISOR_RETIRED];

	struct held_table in_force;
	struct held_table saved; /* from the disk, until the recovery is over */
	bool unkept;             /* what is in force is not on disk, for it could not be written */
	bool reserve_held;       /* room for the next table, see os/reserve.h */
	uint64_t newest;         /* no generation at or below it is accepted any more */
	struct way way;
	struct error refusal; /* of the last table that was refused */
	int offered_fd;       /* the table that waits for its turn; -1 = none */
	uint64_t offered_sequence;
	uint32_t socket_count;
	struct listening sockets[SUPERVISOR_SOCKETS];

	int controller_fd; /* -1 = none */
	struct loop_watch *controller;
	uint64_t attach_sequence;
	bool attached; /* WELCOME has been said */
	struct stranger strangers[SUPERVISOR_STRANGERS];
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
};

int supervisor_say(int fd, const struct gateway_message *message, const int *fds, size_t fd_count);
/* One message with its descriptors. Positive, ERR_RETRY, or a reason to end the connection. */
int supervisor_hear(struct supervisor *s, int fd, struct gateway_message *ret_message, int *ret_fds,
		    size_t *ret_fd_count);
uint64_t supervisor_now_us(void);
void supervisor_recovery_check(struct supervisor *s);
void supervisor_ended_check(struct supervisor *s);
struct gateway_status supervisor_status(const struct supervisor *s);

void peers_door(void *supervisor, int events);
void peers_welcome_controller(struct supervisor *s); /* once there is something to say */
void peers_tell_status(struct supervisor *s);
void peers_tell_result(struct supervisor *s, uint64_t sequence,
		       const struct gateway_result *result);
void peers_close(struct supervisor *s);

void post_init(struct supervisor *s, uint32_t index);
void post_start(void *post); /* as a timer fires it */
void post_expect(struct post *p, pid_t pid, uint64_t start_ticks);
void post_come_back(struct supervisor *s, int fd, pid_t pid, const struct gateway_join *join,
		    int *fds, size_t fd_count);
void post_welcome(struct post *p);
void post_say(struct post *p, const struct gateway_message *message, const int *fds,
	      size_t fd_count);
void post_setup(struct post *p); /* counters and access log */
void post_end(struct post *p);   /* within SUPERVISOR_QUIT_MS */
void post_kill(struct post *p, const char *why);
void post_tick(struct post *p);
void post_let_go(struct post *p);            /* ours no more; it runs on */
void posts_write_pids(struct supervisor *s); /* and of those that retire */
void posts_read_pids(struct supervisor *s);

/* Workers of another build that have handed over what they had leave their posts. */
void retired_take_posts(struct supervisor *s);
void retired_expect(struct supervisor *s, uint32_t place, pid_t pid, uint64_t start_ticks);
/* A connection of one that is not told yet, and lost the thread; false: `pid` is none of them. */
bool retired_come_back(struct supervisor *s, int fd, pid_t pid);
void retired_tell(struct supervisor *s); /* once our own workers serve */
void retired_end(struct supervisor *s);  /* the gateway ends, and so do they */
void retired_kill(struct supervisor *s);
uint32_t retired_count(const struct supervisor *s);
uint32_t retired_uncounted(const struct supervisor *s);
bool retired_has_place(const struct supervisor *s, uint32_t place);
void retired_write_pids(const struct supervisor *s, struct buf *to);
void retired_let_go(struct supervisor *s);
void retired_forget_places(struct supervisor *s); /* the counters are new */

void tables_offer(struct supervisor *s, int fd, uint64_t sequence);
void tables_begin(struct supervisor *s, struct held_table *next, uint64_t sequence, bool on_disk);
void tables_prepared(struct post *p, const struct gateway_result *result);
void tables_seen(struct post *p, uint64_t generation);
void tables_post_back(struct post *p); /* joined again: it has missed what was said meanwhile */
void tables_post_left(struct post *p); /* dead */
bool tables_ready(const struct supervisor *s);
void tables_tick(
	struct supervisor *s); /* keep what could not be kept, hold room for the next one */
void tables_load(struct supervisor *s); /* what is on disk, into `saved` */
int held_table_take(struct held_table *held, int fd, struct error *err);
int held_table_make(struct held_table *held, const struct gateway_table *table, struct error *err);
void held_table_drop(struct held_table *held);
struct listening *sockets_find(struct supervisor *s, const char *address);
void sockets_close_unused(struct supervisor *s);

#endif
