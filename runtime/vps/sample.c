/* How fast the counters of a VPS move; see watch.h. */
#include <time.h>

#include "runtime/vps/watch.h"

static uint64_t known(uint64_t value)
{
	return value == CGROUP_UNSET || value == CGROUP_MAX ? 0 : value;
}

void vps_sample_of(const struct vps_info *info, struct vps_sample *ret_sample)
{
	const struct cgroup_stats *stats = &info->stats;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*ret_sample = (struct vps_sample){ .at_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000 };
	if (info->has_traffic) {
		/* the host's end of the cable receives what the VPS sends */
		ret_sample->sent_bytes = info->traffic.rx_bytes;
		ret_sample->received_bytes = info->traffic.tx_bytes;
	}
	if (!info->has_stats)
		return;
	ret_sample->cpu_us = known(stats->cpu_usage_us);
	ret_sample->throttled_us = known(stats->cpu_throttled_us);
	ret_sample->ram_bytes = known(stats->memory_bytes);
	ret_sample->swap_bytes = known(stats->swap_bytes);
	ret_sample->processes = known(stats->pids);
	ret_sample->cpu_pressure = stats->cpu_pressure.some.avg10;
	ret_sample->memory_pressure = stats->memory_pressure.some.avg10;
	ret_sample->io_pressure = stats->io_pressure.some.avg10;
	for (size_t i = 0; i < stats->io_count; i++) {
		ret_sample->read_bytes += stats->io[i].read_bytes;
		ret_sample->write_bytes += stats->io[i].write_bytes;
	}
}

void vps_sample_add(const struct vps_sample *more, struct vps_sample *sum)
{
	sum->at_ms = more->at_ms;
	sum->cpu_us += more->cpu_us;
	sum->throttled_us += more->throttled_us;
	sum->read_bytes += more->read_bytes;
	sum->write_bytes += more->write_bytes;
	sum->sent_bytes += more->sent_bytes;
	sum->received_bytes += more->received_bytes;
	sum->ram_bytes += more->ram_bytes;
	sum->swap_bytes += more->swap_bytes;
	sum->processes += more->processes;
}

static double rate(uint64_t before, uint64_t now, double seconds)
{
	return (double)(now >= before ? now - before : now) / seconds;
}

void vps_rates_between(const struct vps_sample *before, const struct vps_sample *now,
		       struct vps_rates *ret_rates)
{
	double seconds = (double)(now->at_ms - before->at_ms) / 1000;

	*ret_rates = (struct vps_rates){ 0 };
	if (seconds < 0.001)
		return;
	/* microseconds a second, of which a million are 100 percent */
	ret_rates->cpu_percent = rate(before->cpu_us, now->cpu_us, seconds) / 10000;
	ret_rates->throttled_percent =
		rate(before->throttled_us, now->throttled_us, seconds) / 10000;
	ret_rates->read_bytes_s = rate(before->read_bytes, now->read_bytes, seconds);
	ret_rates->write_bytes_s = rate(before->write_bytes, now->write_bytes, seconds);
	ret_rates->sent_bytes_s = rate(before->sent_bytes, now->sent_bytes, seconds);
	ret_rates->received_bytes_s = rate(before->received_bytes, now->received_bytes, seconds);
}
