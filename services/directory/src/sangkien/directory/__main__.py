"""`python -m sangkien.directory serve | provision`."""

from sangkien.chassis import main
from sangkien.directory.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
