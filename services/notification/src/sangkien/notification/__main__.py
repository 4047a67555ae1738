"""`python -m sangkien.notification serve | provision`."""

from sangkien.chassis import main
from sangkien.notification.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
