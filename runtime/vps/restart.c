/* Whether a VPS that ended by itself starts again, and when. */
#include "base/str.h"
#include "runtime/vps/watcher.h"

/* An init that reboots at once would keep the host busy. */
#define REBOOT_PAUSE_S 1
/* Doubled each time, from the first to the last. */
#define FIRST_PAUSE_S 1
#define LAST_PAUSE_S 64
/* Who ran this long has begun well: the next pause is the first one again. */
#define GOOD_LIFE_S 60

struct err *ending_parse(const char *word, enum ending *ret_ending)
{
	static const struct {
		const char *word;
		enum ending ending;
	} words[] = {
		{ "unknown", ENDED_UNKNOWN },
		{ "reboot", ENDED_REBOOT },
		{ "halt", ENDED_HALT },
		{ "exit-0", ENDED_WELL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(words[i].word, word)) {
			*ret_ending = words[i].ending;
			return NULL;
		}
	if (!str_has_prefix(word, "exit-") && !str_has_prefix(word, "signal-"))
		return err_new(ERR_INVALID, "'%.40s' is no way to end", word);
	*ret_ending = ENDED_BADLY;
	return NULL;
}

int64_t restart_pause_s(uint64_t policy, enum ending ending, uint64_t lived_s, uint64_t *restarts)
{
	int64_t pause_s = FIRST_PAUSE_S;

	if (ending == ENDED_REBOOT) {
		*restarts = 0;
		return REBOOT_PAUSE_S;
	}
	if (policy != VPS_RESTART_ALWAYS &&
	    (policy != VPS_RESTART_ON_FAILURE || ending != ENDED_BADLY))
		return -1;
	if (lived_s >= GOOD_LIFE_S)
		*restarts = 0;
	for (uint64_t i = 0; i < *restarts && pause_s < LAST_PAUSE_S; i++)
		pause_s *= 2;
	(*restarts)++;
	return pause_s;
}
