/* SPDX-License-Identifier: Apache-2.0
 * git_tags - see git_tags.h for the contract. */
#include "store/git_tags.h"

#include "store/query.h"

void store_put_git_tag(struct store *s, const struct store_git_tag *t)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO git_tag (rollout, repository, commit_id, name, message, at,"
			 " state, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
			 " ON CONFLICT DO UPDATE SET state = excluded.state, why = excluded.why"))
		return;
	query_number(&q, t->rollout);
	query_text(&q, t->repository);
	query_text(&q, t->commit);
	query_text(&q, t->name);
	query_text(&q, t->message);
	query_number(&q, t->at_unix_ms);
	query_text(&q, t->state);
	query_text(&q, t->why);
	query_run(&q);
}

#define TAG_COLUMNS \
	"SELECT rollout, repository, commit_id, name, message, at, state, why FROM git_tag "

static int one_tag(struct query *q, struct store_git_tag *t, struct error *err)
{
	bool found = query_row(q);
	if (found) {
		t->rollout = query_get_u32(q);
		query_get_text(q, t->repository, sizeof t->repository);
		query_get_text(q, t->commit, sizeof t->commit);
		query_get_text(q, t->name, sizeof t->name);
		query_get_text(q, t->message, sizeof t->message);
		t->at_unix_ms = query_get_number(q);
		query_get_text(q, t->state, sizeof t->state);
		query_get_text(q, t->why, sizeof t->why);
	}
	int code = query_finish(q, err);
	return code < 0 ? code : found;
}

int store_git_tag_get(struct store *s, uint32_t rollout, struct store_git_tag *ret_tag,
		      struct error *err)
{
	struct query q;
	query_read(&q, s, TAG_COLUMNS "WHERE rollout = ?");
	query_number(&q, rollout);
	return one_tag(&q, ret_tag, err);
}

int store_git_tag_wanted(struct store *s, struct store_git_tag *ret_tag, struct error *err)
{
	struct query q;
	query_read(&q, s, TAG_COLUMNS "WHERE state = 'wanted' ORDER BY rollout LIMIT 1");
	return one_tag(&q, ret_tag, err);
}

int store_git_tag_ours(struct store *s, const char *repository, const char *name,
		       const char *commit, struct error *err)
{
	struct query q;
	query_read(&q, s,
		   "SELECT rollout FROM git_tag WHERE repository = ? AND name = ? AND commit_id = ?"
		   " AND state <> 'refused' LIMIT 1");
	query_text(&q, repository);
	query_text(&q, name);
	query_text(&q, commit);
	bool found = query_row(&q);
	int code = query_finish(&q, err);
	return code < 0 ? code : found;
}
