"""`python -m sangkien.reporting serve | provision`."""

from sangkien.chassis import main
from sangkien.reporting.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
