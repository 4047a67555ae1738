"""`python -m sangkien.hub serve | provision`."""

from sangkien.chassis import main
from sangkien.hub.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
