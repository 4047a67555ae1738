"""Ports that a killed process can have again."""

from pathlib import Path

from sangkien.console.node.ports import free_ports


def test_no_port_is_one_that_outgoing_connections_may_borrow() -> None:
    lowest_borrowed = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("utf-8").split()[0])
    ports = free_ports(40)
    assert (len(set(ports)), max(ports) < lowest_borrowed) == (40, True)
