/* bench: compares OCI runtimes command by command. What is measured and how: README beside this. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/parse.h"

#define PODMAN_PROFILE "/usr/share/containers/seccomp.json"

static const char usage[] =
	"Usage: bench [options] PEER...\n"
	"Compare runc-compatible runtimes: instructions, CPU and wall time, memory. Needs root.\n"
	"\n"
	"  --subject=PATH    the runtime whose ratios are printed (default: the floor)\n"
	"  --floor=PATH      the floor program\n"
	"  --payload=PATH    what runs in the containers\n"
	"  --profile=PATH    seccomp profile, containers/common form (default: podman's, or our "
	"own)\n"
	"  --rounds=N        1 to 200 (default 11)\n"
	"  --cgroups         give containers cgroups (needs a cgroup v2 host)\n"
	"  --clock-insn      CPU time counts instructions: in a guest under -icount shift=0\n"
	"  --check           exit 1 when an acceptance limit is broken\n"
	"  --json            machine output\n";

enum opt {
	OPT_SUBJECT = 1,
	OPT_FLOOR,
	OPT_PAYLOAD,
	OPT_PROFILE,
	OPT_ROUNDS,
	OPT_CGROUPS,
	OPT_CLOCK,
	OPT_CHECK,
	OPT_JSON,
	OPT_HELP
};

static const struct option options[] = {
	{ "subject", required_argument, NULL, OPT_SUBJECT },
	{ "floor", required_argument, NULL, OPT_FLOOR },
	{ "payload", required_argument, NULL, OPT_PAYLOAD },
	{ "profile", required_argument, NULL, OPT_PROFILE },
	{ "rounds", required_argument, NULL, OPT_ROUNDS },
	{ "cgroups", no_argument, NULL, OPT_CGROUPS },
	{ "clock-insn", no_argument, NULL, OPT_CLOCK },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* The file's name, and a number when another runtime has that name already. */
static struct err *name_runtime(const struct bench *bench, const char *path, char **ret_name)
{
	OWN(str) char *name = NULL;
	const char *slash = strrchr(path, '/');

	TRY(str_dup(slash ? slash + 1 : path, &name));
	for (size_t i = 0; i < bench->runtime_count; i++) {
		if (strcmp(bench->runtimes[i].name, name))
			continue;
		free(name);
		name = NULL;
		TRY(str_format(&name, "%s-%zu", slash ? slash + 1 : path, bench->runtime_count));
	}
	*ret_name = TAKE(name);
	return NULL;
}

static struct err *add_runtime(struct bench *bench, const char *path, enum role role)
{
	struct runtime *runtime = &bench->runtimes[bench->runtime_count];

	if (bench->runtime_count == PEERS_MAX)
		return err_new(ERR_INVALID, "more than %d runtimes", PEERS_MAX);
	*runtime = (struct runtime){ .role = role, .path = realpath(path, NULL) };
	if (!runtime->path || access(runtime->path, X_OK))
		return err_new(ERR_NOT_FOUND, "%s: no such program", path);
	TRY(name_runtime(bench, path, &runtime->name));
	bench->runtime_count++;
	return NULL;
}

struct choice {
	const char *subject, *floor;
	bool help;
};

static struct err *take_option(struct bench *bench, struct choice *choice, int opt)
{
	uint64_t rounds;

	switch (opt) {
	case OPT_SUBJECT:
		choice->subject = optarg;
		break;
	case OPT_FLOOR:
		choice->floor = optarg;
		break;
	case OPT_PAYLOAD:
		bench->payload = optarg;
		break;
	case OPT_PROFILE:
		bench->profile = optarg;
		break;
	case OPT_ROUNDS:
		TRY(parse_u64("--rounds", optarg, 1, ROUNDS_MAX, &rounds));
		bench->rounds = rounds;
		break;
	case OPT_CGROUPS:
		bench->cgroups = true;
		break;
	case OPT_CLOCK:
		bench->clock_insn = true;
		break;
	case OPT_CHECK:
		bench->check = true;
		break;
	case OPT_JSON:
		bench->json = true;
		break;
	case OPT_HELP:
		choice->help = true;
		break;
	default:
		return err_new(ERR_INVALID, "see --help");
	}
	return NULL;
}

static struct err *parse_options(struct bench *bench, int argc, char **argv, struct choice *choice)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		TRY(take_option(bench, choice, opt));
	if (choice->help)
		return NULL;
	if (!choice->floor || !bench->payload)
		return err_new(ERR_INVALID, "--floor and --payload are needed");
	if (!bench->profile && !access(PODMAN_PROFILE, R_OK))
		bench->profile = PODMAN_PROFILE;
	if (bench->clock_insn && !bench->cgroups)
		return err_new(ERR_INVALID, "--clock-insn counts by cgroup: it needs --cgroups");
	if (choice->subject)
		TRY(add_runtime(bench, choice->subject, ROLE_SUBJECT));
	TRY(add_runtime(bench, choice->floor, ROLE_FLOOR));
	for (int i = optind; i < argc; i++)
		TRY(add_runtime(bench, argv[i], ROLE_PEER));
	return NULL;
}

/* Leave out, with a word, the peers that cannot run here; the subject and the floor have to. */
static struct err *drop_unusable(struct bench *bench)
{
	size_t kept = 0;

	for (size_t i = 0; i < bench->runtime_count; i++) {
		struct runtime *runtime = &bench->runtimes[i];
		struct err *err;

		err = rows_try(bench, runtime);
		if (err && runtime->role != ROLE_PEER)
			return err_wrap(err, "%s", runtime->name);
		if (err) {
			fprintf(stderr, "bench: %s left out: %s\n", runtime->name, err_text(err));
			err_drop(err);
			continue;
		}
		bench->runtimes[kept++] = *runtime;
	}
	bench->runtime_count = kept;
	return NULL;
}

/* The kernel's peak memory of a command includes the bench's own at the fork: keep that small. What
 * was built with is given back, and a shared mapping is not copied into the child. */
static struct err *make_room(struct bench *bench)
{
	size_t size = bench->rounds * sizeof(*bench->samples);
	void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return err_sys(errno, "room for the samples");
	bench->samples = room;
	malloc_trim(0);
	return NULL;
}

static struct err *measure_all(struct bench *bench)
{
	TRY(bed_enter(bench));
	TRY(bed_build(bench));
	TRY(drop_unusable(bench));
	TRY(make_room(bench));
	for (size_t round = 0; round < bench->rounds; round++) {
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\rround %zu of %zu ", round + 1, bench->rounds);
		TRY(rows_measure(bench, round));
	}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	return NULL;
}

int main(int argc, char **argv)
{
	struct bench bench = { .rounds = 11 };
	struct choice choice = { 0 };
	size_t over = 0;
	struct err *err = parse_options(&bench, argc, argv, &choice);

	if (!err && choice.help)
		return fputs(usage, stdout) < 0;
	if (!err)
		err = measure_all(&bench);
	if (!err)
		err = report_print(&bench, &over);
	if (!err)
		return bench.check && over;
	fprintf(stderr, "bench: %s\n", err_text(err));
	err_drop(err);
	return 1;
}
