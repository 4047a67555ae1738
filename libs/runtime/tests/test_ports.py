"""Ports that a killed process can have again, and that nobody else was given."""

import subprocess
import sys
from pathlib import Path

import pytest

from sangkien.runtime.ports import free_ports

FEW = range(19_990, 19_994)
TAKE_TWO = f"from sangkien.runtime.ports import free_ports; print(free_ports(2, among={FEW!r}))"


def test_no_port_is_one_that_outgoing_connections_may_borrow() -> None:
    lowest_borrowed = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("utf-8").split()[0])
    ports = free_ports(40)
    assert (len(set(ports)), max(ports) < lowest_borrowed) == (40, True)


def test_port_is_given_once_before_anybody_listens_on_it_here_or_in_another_process() -> None:
    first = free_ports(3, among=FEW)
    with pytest.raises(OSError, match="no 2 free ports"):
        free_ports(2, among=FEW)
    elsewhere = subprocess.run([sys.executable, "-c", TAKE_TWO], capture_output=True, text=True, check=False)
    last = free_ports(1, among=FEW)

    assert sorted((*first, *last)) == list(FEW)
    assert (elsewhere.returncode, elsewhere.stderr.rstrip().rpartition("\n")[2]) == (
        1,
        "OSError: no 2 free ports between 19990 and 19994",
    )
