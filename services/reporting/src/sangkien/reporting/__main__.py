"""`python -m sangkien.reporting serve | provision`."""

from sangkien.chassis import main
from sangkien.reporting.bootstrap import SERVICE

main(SERVICE)
