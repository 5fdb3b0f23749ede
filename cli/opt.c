/* Walking over a command line with an option table; see opt.h. */
#include "cli/opt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct opt_label opt_label(const struct opt *opt)
{
	struct opt_label label;

	snprintf(label.text, sizeof(label.text), "--%s", opt->name);
	return label;
}

static const struct opt *find_long(const struct opt_table *table, const char *name, size_t len)
{
	for (size_t i = 0; i < table->count; i++)
		if (strlen(table->rows[i].name) == len && !memcmp(table->rows[i].name, name, len))
			return &table->rows[i];
	return NULL;
}

static const struct opt *find_letter(const struct opt_table *table, char letter)
{
	for (size_t i = 0; letter && i < table->count; i++)
		if (table->rows[i].letter == letter)
			return &table->rows[i];
	return NULL;
}

/* The value of an option that wants one: after "=", or the next word. */
static struct err *take_value(struct opt_walk *walk, const char *attached, struct opt_found *found)
{
	found->text = attached;
	if (attached || !found->opt->metavar)
		return NULL;
	found->text = walk->argv[walk->at];
	if (!found->text)
		return err_new(ERR_INVALID, "--%s: needs a value %s", found->opt->name,
			       found->opt->metavar);
	walk->at++;
	return NULL;
}

/* name: behind the dashes, perhaps with "=VALUE". *ret_known: whether the table has it. */
static struct err *long_option(struct opt_walk *walk, const char *name, struct opt_found *found,
			       bool *ret_known)
{
	size_t len = strcspn(name, "=");

	*ret_known = true;
	found->opt = find_long(&walk->table, name, len);
	if (found->opt)
		return take_value(walk, name[len] ? name + len + 1 : NULL, found);
	found->is_help = str_eq(name, "help");
	*ret_known = found->is_help;
	return NULL;
}

/* The next letter of "-abc"; a letter with a value takes the rest of the word, or the next one. */
static struct err *letter_option(struct opt_walk *walk, struct opt_found *found)
{
	char letter = *walk->group++;
	const char *rest = *walk->group ? walk->group : NULL;

	found->opt = find_letter(&walk->table, letter);
	found->is_help = !found->opt && letter == 'h';
	if (!found->opt && !found->is_help)
		return err_new(ERR_INVALID, "unknown option -%c", letter);
	if (!rest || (found->opt && (found->opt->metavar || *rest == '='))) {
		walk->group = NULL;
		if (rest && *rest == '=')
			rest++;
		if (found->opt)
			return take_value(walk, rest, found);
	}
	return NULL;
}

static struct err *option_word(struct opt_walk *walk, const char *word, struct opt_found *found)
{
	bool known;

	if (word[1] == '-') {
		TRY(long_option(walk, word + 2, found, &known));
		if (!known)
			return err_new(ERR_INVALID, "unknown option %.64s", word);
		return NULL;
	}
	if (word[2]) {
		TRY(long_option(walk, word + 1, found, &known));
		if (known)
			return NULL;
	}
	walk->group = word + 1;
	return letter_option(walk, found);
}

struct err *opt_walk_next(struct opt_walk *walk, struct opt_found *ret_found, bool *ret_more)
{
	struct opt_found found = { 0 };
	const char *word;

	*ret_more = true;
	if (walk->group) {
		TRY(letter_option(walk, &found));
		*ret_found = found;
		return NULL;
	}
	word = walk->argv[walk->at];
	if (word && !walk->only_arguments && str_eq(word, "--")) {
		walk->only_arguments = true;
		word = walk->argv[++walk->at];
	}
	if (!word) {
		*ret_more = false;
		return NULL;
	}
	walk->at++;
	if (!walk->only_arguments && word[0] == '-' && word[1]) {
		TRY(option_word(walk, word, &found));
	} else {
		found.text = word;
		if (++walk->args_seen == walk->stop_after)
			walk->only_arguments = true;
	}
	*ret_found = found;
	return NULL;
}

void opt_args_release(struct opt_args *args)
{
	free(args->items);
	*args = (struct opt_args){ 0 };
}

static size_t count_words(char *const *argv)
{
	size_t count = 0;

	while (argv[count])
		count++;
	return count;
}

struct err *opt_parse_all(struct opt_walk *walk, void *opts, struct opt_args *ret_args)
{
	OWN(opt_args) struct opt_args args = { 0 };
	struct opt_found found;
	bool more;

	args.items = calloc(count_words(walk->argv + walk->at) + 1, sizeof(*args.items));
	if (!args.items)
		return err_sys(ENOMEM, "read the command line");
	for (;;) {
		TRY(opt_walk_next(walk, &found, &more));
		if (!more)
			break;
		if (found.opt)
			TRY(found.opt->parse(found.opt, found.text,
					     (char *)opts + found.opt->offset));
		else if (!found.is_help)
			args.items[args.count++] = found.text;
	}
	*ret_args = args;
	args.items = NULL;
	return NULL;
}
