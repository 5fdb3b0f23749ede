/* NETIF and the network options: what is read, refused, written back, edited and planned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/vps/netif.h"
#include "runtime/vps/wire.h"

static void must(struct err *err)
{
	if (err)
		print_message("error: %s\n", err_text(err));
	assert_null(err);
}

static void refuse(struct err *err, const char *words)
{
	assert_non_null(err);
	assert_int_equal(err_kind(err), ERR_INVALID);
	if (!strstr(err_text(err), words))
		print_message("said: %s\n", err_text(err));
	assert_non_null(strstr(err_text(err), words));
	err_drop(err);
}

/* As vzctl 4 and OpenVZ 7 write it. */
static void reads_openvz(void **state)
{
	static const char text[] =
		"ifname=eth0,bridge=vmbr0,mac=00:18:51:A9:D9:8C,host_ifname=veth101.0,"
		"host_mac=00:18:51:4B:70:0C,mac_filter=off; "
		"ifname=eth1,type=bridge,network=br7,gw=192.0.2.1,"
		"gw6=fe80::1,ip=192.0.2.9/255.255.255.0,ip6=2001:db8::9/64,configure=none,dhcp=yes";
	OWN(net_ports) struct net_ports ports = { 0 };

	(void)state;
	must(netif_parse("NETIF", text, &ports));
	must(netif_check("NETIF", &ports));
	assert_int_equal(ports.count, 2);
	assert_int_equal(ports.items[0].mode, NET_BRIDGED);
	assert_string_equal(ports.items[0].link, "vmbr0");
	assert_string_equal(ports.items[0].host_name, "veth101.0");
	assert_int_equal(ports.items[0].mac[5], 0x8c);
	assert_int_equal(ports.items[0].host_mac[3], 0x4b);
	assert_int_equal(ports.items[0].flags, NET_PORT_ANY_MAC);
	assert_string_equal(ports.items[1].link, "br7");
	assert_int_equal(ports.items[1].addr_count, 2);
	assert_int_equal(ports.items[1].addrs[0].prefix, 24);
	assert_true(ports.items[1].gateway4.family && ports.items[1].gateway6.family);
}

/* Every key in both directions. */
static void written_is_read_again(void **state)
{
	static const char text[] =
		"ifname=eth0,bridge=vmbr0,mac=02:00:00:00:00:01,host_ifname=h0,"
		"host_mac=fe:00:00:00:00:01,vlan=7,mtu=1400,ip=192.0.2.9/24,ip=2001:db8::9,"
		"gateway=192.0.2.1,gateway=fe80::1,mac_filter=off,ip_filter=off,isolated=off;"
		"ifname=eth1,mode=bridged;ifname=eth2,mode=routed,ip=192.0.2.8;"
		"ifname=eth3,mode=macvlan,link=up0;ifname=eth4,mode=ipvlan,link=up0;ifname=eth5";
	OWN(net_ports) struct net_ports ports = { 0 };
	OWN(buf) struct buf written = { 0 };

	(void)state;
	must(netif_parse("NETIF", text, &ports));
	must(netif_check("NETIF", &ports));
	assert_int_equal(ports.items[5].mode, NET_NONE);
	must(netif_format(&ports, &written));
	assert_string_equal(written.data, text);
}

static void refuses_bad_text(void **state)
{
	static const char *const bad[][2] = {
		{ "bridge=vmbr0", "without ifname" },
		{ "eth0", "not KEY=VALUE" },
		{ "ifname=eth0,x=1", "has no 'x'" },
		{ "ifname=lo", "loopback" },
		{ "ifname=a/b", "not a usable interface name" },
		{ "ifname=eth0,mac=02:00:00:00:00", "not a MAC" },
		{ "ifname=eth0,mac=02-00-00-00-00-01", "not a MAC" },
		{ "ifname=eth0,mac=0g:00:00:00:00:01", "not a MAC" },
		{ "ifname=eth0,mac=00:00:00:00:00:00", "no interface can have" },
		{ "ifname=eth0,mac=03:00:00:00:00:01", "no interface can have" },
		{ "ifname=eth0,vlan=0", "1 to 4094" },
		{ "ifname=eth0,mtu=67", "68 to 65535" },
		{ "ifname=eth0,ip=127.0.0.1", "loopback" },
		{ "ifname=eth0,gateway=127.0.0.1", "no gateway" },
		{ "ifname=eth0,isolated=perhaps", "isolated" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct net_ports ports = { 0 };

		refuse(netif_parse("NETIF", bad[i][0], &ports), bad[i][1]);
	}
}

static void checks_what_fits_together(void **state)
{
	static const char *const bad[][2] = {
		{ "ifname=eth0;ifname=eth0", "twice" },
		{ "ifname=a,host_ifname=h;ifname=b,host_ifname=h", "host_ifname=" },
		{ "ifname=a,mac=02:00:00:00:00:01;ifname=b,mac=02:00:00:00:00:01", "MAC" },
		{ "ifname=a,mode=routed;ifname=b,mode=routed", "one routed" },
		{ "ifname=a,ip=192.0.2.1/24;ifname=b,ip=192.0.2.1/25", "another interface's" },
		{ "ifname=a,ip=192.0.2.1/24,ip=192.0.2.1", "given twice" },
		{ "ifname=a,mode=routed,gateway=192.0.2.1", "host is the gateway" },
		{ "ifname=a,mode=routed,link=br", "for mode bridged" },
		{ "ifname=a,mode=macvlan", "link=" },
		{ "ifname=a,mode=macvlan,link=up0,host_ifname=h", "no end of it" },
		{ "ifname=a,mode=ipvlan,link=up0,mac=02:00:00:00:00:01",
		  "MAC address of its link" },
		{ "ifname=a,isolated=off", "for mode bridged" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		OWN(net_ports) struct net_ports ports = { 0 };

		must(netif_parse("NETIF", bad[i][0], &ports));
		refuse(netif_check("NETIF", &ports), bad[i][1]);
	}
}

/* Apply options to an empty definition, and write NETIF. */
static struct err *edit(const char *const *options, struct vps_conf *conf, struct buf *text)
{
	OWN(strlist) struct strlist edits = { 0 };

	for (; *options; options++)
		must(strlist_add(&edits, *options));
	TRY(vps_net_edit(&edits, conf));
	return netif_format(&conf->netifs, text);
}

static void edits_in_order(void **state)
{
	static const char *const options[] = { "ipadd=192.0.2.1 192.0.2.2",
					       "netif_add=eth1,,h1,,vmbr0,vlan=3",
					       "ip=192.0.2.9/24",
					       "mtu=1400",
					       "netif_add=eth2",
					       "netif_add=eth3,mode=routed",
					       "ifname=eth1",
					       "mac=02:00:00:00:00:09",
					       "ipadd=192.0.2.8/24,192.0.2.9/25",
					       "ipdel=192.0.2.8",
					       "netif_del=eth2",
					       NULL };
	OWN(vps_conf) struct vps_conf conf;
	OWN(buf) struct buf text = { 0 };

	(void)state;
	vps_conf_init(&conf);
	must(edit(options, &conf, &text));
	assert_int_equal(conf.addr_count, 2);
	/* netif_del leaves no interface chosen; what was chosen before is as it was */
	assert_string_equal(text.data,
			    "ifname=eth1,bridge=vmbr0,mac=02:00:00:00:00:09,host_ifname="
			    "h1,vlan=3,mtu=1400,ip=192.0.2.9/25;ifname=eth3,mode=routed");
	must(edit((const char *const[]){ "ipdel=192.0.2.1", NULL }, &conf, &text));
	assert_int_equal(conf.addr_count, 1);
	must(edit((const char *const[]){ "ipdel=all", "netif_del=all", NULL }, &conf, &text));
	assert_int_equal(conf.addr_count + conf.netifs.count, 0);
}

static void refuses_bad_edits(void **state)
{
	static const char *const bad[][2] = {
		{ "mac=02:00:00:00:00:01", "which interface" },
		{ "ifname=eth9", "no interface 'eth9'" },
		{ "netif_del=eth9", "no interface 'eth9'" },
		{ "ipdel=192.0.2.1", "not an address" },
		{ "ipadd=192.0.2", "not an IPv4" },
		{ "netif_add=", "usable interface name" },
		{ "netif_add=eth0,,,,br,more", "one word too many" },
		{ "netif_add=eth0,no", "not a MAC" },
		{ "colour=red", "not an option" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		OWN(vps_conf) struct vps_conf conf;
		OWN(buf) struct buf text = { 0 };

		vps_conf_init(&conf);
		refuse(edit((const char *const[]){ bad[i][0], NULL }, &conf, &text), bad[i][1]);
	}
}

/* The plan of a VPS "web" with this NETIF and these addresses. */
static struct err *plan(const char *netif, const char *addrs, struct net_ports *ret_ports)
{
	OWN(vps_host) struct vps_host host = { .id_first = 65536 };
	OWN(conf_file) struct conf_file file = { 0 };
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&host.defaults);
	vps_conf_init(&conf);
	snprintf(host.net.bridge, IFNAMSIZ, "vmbr0");
	must(conf_file_set(&file, "NETIF", netif));
	must(conf_file_set(&file, "IP_ADDRESS", addrs));
	must(vps_conf_read(&file, &conf));
	conf.id_first = 65536 * 3;
	return net_plan(&host, strlen(addrs) > 40 ? "a-name-that-is-long" : "web", &conf,
			ret_ports);
}

static void plans_are_complete(void **state)
{
	OWN(net_ports) struct net_ports routed = { 0 }, beside = { 0 }, own = { 0 }, more = { 0 };
	struct net_ports bad = { 0 };

	(void)state;
	must(plan("", "192.0.2.1", &routed));
	assert_int_equal(routed.count, 1);
	assert_string_equal(routed.items[0].name, "eth0");
	assert_string_equal(routed.items[0].host_name, "vethweb.0");
	assert_int_equal(routed.items[0].mac[0], 0x02);
	assert_int_equal(routed.items[0].host_mac[0], 0xfe);
	must(plan("ifname=eth0,mode=bridged", "192.0.2.1", &beside));
	assert_string_equal(beside.items[0].link, "vmbr0");
	assert_string_equal(beside.items[1].name, "venet0");
	assert_int_equal(strncmp(beside.items[1].host_name, "vethweb.x", 9), 0);
	/* the same name gets the same address, another one another */
	assert_memory_equal(beside.items[0].mac, routed.items[0].mac, 6);
	assert_memory_not_equal(beside.items[1].mac, routed.items[0].mac, 6);
	must(plan("ifname=eth7,mode=routed,ip=192.0.2.2", "192.0.2.1", &own));
	assert_int_equal(own.count, 1);
	assert_int_equal(own.items[0].addr_count, 2);
	assert_string_equal(own.items[0].host_name, "vethweb.7");
	must(plan("ifname=eth1", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5", &more));
	assert_string_equal(more.items[0].name, "eth0");
	assert_string_equal(more.items[0].host_name, "veth~2.0");
	assert_string_equal(more.items[1].host_name, "veth~2.1");
	refuse(plan("ifname=eth1;ifname=net1,host_ifname=vethweb.1", "", &bad), "host_ifname=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_openvz),	      cmocka_unit_test(written_is_read_again),
		cmocka_unit_test(refuses_bad_text),   cmocka_unit_test(checks_what_fits_together),
		cmocka_unit_test(edits_in_order),     cmocka_unit_test(refuses_bad_edits),
		cmocka_unit_test(plans_are_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
