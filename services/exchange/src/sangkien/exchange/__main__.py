"""`python -m sangkien.exchange serve | provision`."""

from sangkien.chassis import main
from sangkien.exchange.bootstrap import SERVICE

if __name__ == "__main__":
    main(SERVICE)
